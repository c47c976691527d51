"""What a trace for `.tflite` files makes of decoding."""

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from kzoo.decoding.rows import repeat_rows, take_per_row, take_rows
from kzoo.export.lowering import Lowering
from kzoo.export.trace import for_device

X = np.arange(24.0, dtype="float32").reshape(2, 4, 3)
PLACES = np.array([[3, 0], [1, 1]], "int32")


def take(x, places):
    (own,) = take_per_row([x], places)
    return own, take_rows(x, places[:, 0] % 2), repeat_rows([x], 2)[0]


def test_rows_are_read_by_gathers_alone():
    """`keras.ops.take` would look for negative indices at every step of a loop."""
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])

    @tf.function(
        input_signature=[tf.TensorSpec((None, 4, 3)), tf.TensorSpec((None, 2), tf.int32)],
        autograph=False,
    )
    def traced(x, places):
        with for_device(model, Lowering("auto")):
            return take(x, places)

    kinds = [operation.type for operation in traced.get_concrete_function().graph.get_operations()]
    assert kinds.count("GatherV2") == 3
    assert not {"Less", "Select", "SelectV2"} & {*kinds}
    expected = X[[[0], [1]], PLACES], X[[1, 1]], X[[0, 0, 1, 1]]
    for function in (take, traced):
        results = function(ops.convert_to_tensor(X), ops.convert_to_tensor(PLACES))
        for result, values in zip(results, expected, strict=True):
            np.testing.assert_array_equal(ops.convert_to_numpy(result), values)
