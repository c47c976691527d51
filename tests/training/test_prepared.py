"""Every data set is prepared in threads, comes in order, and does not let `tf.data` tune itself."""

import keras
import numpy as np
from keras.src.trainers.data_adapters.py_dataset_adapter import PyDatasetAdapter

import kzoo.training
from kzoo.recipes.parts.captioning_parts import SceneBatches
from kzoo.training import BucketedBatches
from kzoo.training.prepared import PreparedBatches

SEQUENCES = [[index] * (index % 7 + 1) for index in range(1, 100)]


def batches():
    return BucketedBatches(SEQUENCES, np.arange(99), batch_size=8, max_length=8, shuffle=True)


def test_tf_data_does_not_tune_itself():
    data = PyDatasetAdapter(batches()).get_tf_dataset()
    assert data.options().autotune.enabled is False


def test_batches_come_in_order_in_every_epoch():
    adapter = PyDatasetAdapter(batches())
    for _ in range(3):
        expected = [adapter.py_dataset[index] for index in range(len(adapter.py_dataset))]
        adapter.on_epoch_begin()
        found = list(adapter.get_numpy_iterator())
        adapter.on_epoch_end()
        assert len(found) == len(expected)
        for one, other in zip(found, expected, strict=True):
            keras.tree.map_structure(np.testing.assert_array_equal, tuple(one), other)


def test_every_data_set_is_prepared():
    sets = [getattr(kzoo.training, name) for name in kzoo.training.__all__]
    sets = [x for x in sets if isinstance(x, type) and issubclass(x, keras.utils.PyDataset)]
    assert len(sets) > 10
    assert [x for x in [*sets, SceneBatches] if not issubclass(x, PreparedBatches)] == []
    assert PreparedBatches().workers == 2
