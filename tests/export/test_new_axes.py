"""Indexing with new axes."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from kzoo.export import export_tflite
from kzoo.export.new_axes import expanded_axes

KEYS = [
    None,
    (None, 0),
    (Ellipsis, None),
    (slice(None), None, -1),
    (0, None, slice(1, None), None),
    (None, Ellipsis, None, 0),
    (slice(None, None, 2), None, Ellipsis, None),
    (slice(None), tf.constant(1), None),
    (1, slice(None)),
]


@pytest.mark.parametrize("key", KEYS, ids=str)
def test_gives_what_numpy_gives(key):
    x = np.arange(24.0).reshape(2, 3, 4)
    plain = tuple(int(k) if tf.is_tensor(k) else k for k in key) if key is not None else None
    with expanded_axes():
        found = tf.constant(x)[key]
    np.testing.assert_array_equal(found, x[plain])


def test_a_model_with_new_axes_leaves_with_dynamic_sizes(tmp_path):
    x = keras.Input((None, 4))
    outer = x[..., None] * x[:, :, None]
    positive = ops.cast((x > 0)[..., None], "float32")
    model = keras.Model(x, outer + positive)
    assert export_tflite(model, tmp_path / "model.tflite").max_difference < 1e-6
