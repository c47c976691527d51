"""Layers of word vectors: Keras's battery, and nearest rows against NumPy."""

import keras
import numpy as np
import pytest
from keras import ops

from kzoo.layers import NearestRows, SparseEmbedding, SubwordEmbedding
from tests.layers.test_contract import Battery


@pytest.mark.parametrize(
    ("layer", "options", "tables"),
    [(SparseEmbedding, {}, 1), (SubwordEmbedding, {"num_buckets": 11, "max_subwords": 5}, 2)],
)
def test_battery(layer, options, tables):
    Battery().run_layer_test(
        layer,
        init_kwargs={"input_dim": 9, "output_dim": 4, **options},
        input_data=np.array([[4, 5, 8, 0], [3, 0, 0, 0]], "int32"),
        expected_output_shape=(2, 4, 4),
        expected_num_trainable_weights=tables,
        # That of how words are spelled.
        expected_num_non_trainable_weights=tables - 1,
        expected_num_seed_generators=0,
        supports_masking=False,
    )


def make(table, count):
    layer = NearestRows(len(table), count)
    layer.build((None, table.shape[1]))
    layer.set_table(table)
    return layer


def test_nearest_rows_are_those_with_the_largest_cosine():
    rng = np.random.default_rng(0)
    table, vectors = rng.normal(size=(30, 5)), rng.normal(size=(2, 3, 5)) * 7
    table[4] = 0
    vectors[0, 1] = 0
    cosines = np.einsum("btd,nd->btn", vectors, table)
    norms = np.linalg.norm(vectors, axis=-1)[..., None] * np.linalg.norm(table, axis=-1)
    cosines = np.where(norms > 0, cosines / np.where(norms > 0, norms, 1), 0)
    rows = np.argsort(-cosines, axis=-1, kind="stable")
    # That of zeros comes last, whatever the signs of the others.
    rows = rows[rows != 4].reshape(2, 3, 29)[..., :6]
    found, ids = make(table, 6)(vectors.astype("float32"))
    assert ops.convert_to_numpy(ids).tolist() == rows.tolist()
    expected = np.take_along_axis(cosines, rows, -1)
    np.testing.assert_allclose(ops.convert_to_numpy(found), expected, atol=1e-6)


def test_nearest_rows_save_and_load(tmp_path):
    inputs = keras.Input((2,))
    model = keras.Model(inputs, make(np.array([[1.0, 2], [3, -1], [0, 1]]), 2)(inputs))
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    vectors = np.array([[0.5, 0.1]], "float32")
    for ours, theirs in zip(model(vectors), loaded(vectors), strict=True):
        np.testing.assert_array_equal(ops.convert_to_numpy(ours), ops.convert_to_numpy(theirs))


def test_more_rows_than_there_are_cannot_be_found():
    with pytest.raises(ValueError, match=r"`count` must be in \[1, 3\]. Received: count=4"):
        NearestRows(3, 4)
