"""Loops of files count nothing for nobody, and all else that they count."""

import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter

from kzoo.export.counters import drop_counters
from kzoo.export.slim import pack

X = np.array([1.0, 3.0], "float32")


def convert(returns):
    """The file of five rounds that double a tensor and count by two, which returns some of it."""

    @tf.function(input_signature=[tf.TensorSpec((2,)), tf.TensorSpec((), tf.int32)])
    def doubled(x, start):
        def double(t, x, count):
            return t + 1, 2 * x, count + 2

        _, x, count = tf.while_loop(lambda t, *_: t < 5, double, (0, x, start))
        return {"x": x, "count": count, "both": x + tf.cast(count, "float32")}[returns]

    converter = tf.lite.TFLiteConverter.from_concrete_functions([doubled.get_concrete_function()])
    return bytes(converter.convert())


def run(content):
    interpreter = Interpreter(model_content=content)
    interpreter.allocate_tensors()
    for detail in interpreter.get_input_details():
        value = X if detail["dtype"] == np.float32 else np.int32(7)
        interpreter.set_tensor(detail["index"], value)
    interpreter.invoke()
    return interpreter.get_tensor(interpreter.get_output_details()[0]["index"])


@pytest.mark.parametrize(
    ("returns", "carried", "expected"),
    # The round, and what is returned; TensorFlow's own count of rounds is dropped in all of them.
    [("x", 2, 32 * X), ("count", 2, 17), ("both", 3, 32 * X + 17)],
)
def test_what_nobody_reads_is_not_counted(returns, carried, expected):
    content = convert(returns)
    np.testing.assert_array_equal(run(content), expected)
    model = schema.ModelT.InitFromPackedBuf(content, 0)
    operators = model.subgraphs[0].operators
    (loop,) = (y for y in operators if isinstance(y.builtinOptions, schema.WhileOptionsT))
    condition, body = model.subgraphs[1:]
    drop_counters(model)
    assert len(loop.inputs) == len(loop.outputs) == carried
    assert len(condition.inputs) == len(body.inputs) == len(body.outputs) == carried
    assert len(body.operators) == carried
    np.testing.assert_array_equal(run(pack(model, len(content))), expected)
