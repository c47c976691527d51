"""Batches by length: every sequence once, the same order again, dynamic time."""

import keras
import numpy as np
import pytest

from kzoo.training import BucketedBatches

RNG = np.random.default_rng(0)
SEQUENCES = [list(RNG.integers(1, 99, RNG.integers(0, 60))) for _ in range(100)]
LABELS = np.arange(100)


def rows(batches):
    """Returns every `(label, ids)` of an epoch."""
    return [
        (int(label), ids[ids > 0].tolist())
        for inputs, labels in (batches[index] for index in range(len(batches)))
        for ids, label in zip(inputs, labels, strict=True)
    ]


@pytest.mark.parametrize("shuffle", [False, True])
def test_every_sequence_once_and_cut_at_the_maximum(shuffle):
    batches = BucketedBatches(SEQUENCES, LABELS, 16, max_length=40, shuffle=shuffle)
    seen = dict(rows(batches))
    assert len(rows(batches)) == 100
    assert seen == {index: ids[:40] for index, ids in enumerate(SEQUENCES)}
    assert {inputs.shape[1] for inputs, _ in (batches[i] for i in range(len(batches)))} <= {
        8,
        12,
        16,
        24,
        32,
        40,
    }


def test_epochs_differ_and_repeat():
    batches = BucketedBatches(SEQUENCES, LABELS, 16, seed=3)
    first = rows(batches)
    batches.on_epoch_end()
    second = rows(batches)
    assert first != second
    assert sorted(first) == sorted(second)
    again = BucketedBatches(SEQUENCES, LABELS, 16, seed=3)
    again.start_epoch(1)
    assert rows(again) == second


def test_fresh_samples_in_every_epoch():
    batches = BucketedBatches(lambda epoch: [[epoch + 1]] * 4, np.zeros(4))
    assert batches[0][0].max() == 1
    batches.on_epoch_end()
    assert batches[0][0].max() == 2


def test_results_return_to_the_order_of_the_sequences():
    batches = BucketedBatches(SEQUENCES, LABELS, 16, shuffle=False)
    results = np.concatenate([batches[index][1] for index in range(len(batches))])
    np.testing.assert_array_equal(batches.restore_order(results), LABELS)


@pytest.mark.parametrize("shuffle", [False, True])
def test_keras_takes_every_length(shuffle):
    """Keras reads from the first two batches which axes are dynamic."""
    lengths = [7] * 40 + [11] * 40 + [20] * 40
    batches = BucketedBatches([[1] * n for n in lengths], np.zeros(120), 16, shuffle=shuffle)
    model = keras.Sequential([keras.Input((None,), dtype="int32"), keras.layers.Embedding(2, 1)])
    model.add(keras.layers.GlobalAveragePooling1D())
    model.compile("sgd", "mse")
    assert np.isfinite(model.fit(batches, epochs=2, verbose=0).history["loss"]).all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((SEQUENCES, LABELS[:3]), "must have the same length"),
        (([], []), "at least 1"),
        ((SEQUENCES, LABELS, 0), "`batch_size` must be positive"),
        ((SEQUENCES, LABELS, 8, 5000), "`max_length` must be in"),
    ],
)
def test_bad_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        BucketedBatches(*arguments)


def test_a_shuffled_order_cannot_be_restored():
    with pytest.raises(ValueError, match="`shuffle`"):
        BucketedBatches(SEQUENCES, LABELS).restore_order(LABELS)
