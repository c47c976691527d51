"""Run the user's Keras model, as it is, on the batches that a file is compared on."""

import contextlib
from functools import partial

import keras
import numpy as np

from kzoo.export.errors import ExportError
from kzoo.export.replace import holds_replaced
from kzoo.export.signature import call_by_name, input_tensors
from kzoo.layers import Recurrent

HALF = ("float16", "bfloat16")


@contextlib.contextmanager
def full_precision(model):
    """Make a model of mixed precision compute in float32, with the weights it has.

    Files hold float32 arithmetic: LiteRT has no kernels for most operators in half precision. So
    this is also what they are compared with; half precision itself would hide errors of 1e-3.

    Raises:
        ExportError: `keras.Model.quantize` has rounded the weights of a layer.
    """
    layers = []
    for layer in model._flatten_layers():
        if layer.quantization_mode is not None:
            raise ExportError(
                f"model: layer {layer.name!r} of {model.name!r} was quantized by Keras "
                f"({layer.quantization_mode}), whose operators LiteRT lacks; export the model as "
                "it was before, with precision='dynamic'"
            )
        if layer.compute_dtype in HALF:
            layers.append((layer, layer.dtype_policy))
    try:
        for layer, _ in layers:
            layer.dtype_policy = "float32"
        yield
    finally:
        for layer, policy in layers:
            layer.dtype_policy = policy


@contextlib.contextmanager
def zero_state(model):
    """Let every stateful layer begin at zero; its own state is put back afterwards."""
    variables = [
        variable
        for layer in model._flatten_layers()
        if isinstance(layer, keras.layers.RNN | Recurrent) and layer.stateful
        for variable in keras.tree.flatten(layer.states)
    ]
    values = [variable.numpy() for variable in variables]
    try:
        for variable, value in zip(variables, values, strict=True):
            variable.assign(np.zeros_like(value))
        yield
    finally:
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)


class ModelReference:
    """The model's outputs by name, as arrays, for arrays by input name.

    A model whose batch size is fixed gets the rows in batches of that size, the last one filled up
    with its last row.

    Args:
        model: the keras.Model, run as it is, before any lowering.
    """

    def __init__(self, model):
        """Nothing is traced yet; see the class."""
        import tensorflow as tf

        self._model = model
        tensors = input_tensors(model)
        self._batch_size = next(iter(tensors.values())).shape[0]
        self._call = partial(call_by_name, model)
        # Long loops take a fraction of the time in a graph; Keras's own layers that loop cannot all
        # be traced with open shapes.
        if not holds_replaced(model):
            specs = {name: tf.TensorSpec(x.shape, x.dtype) for name, x in tensors.items()}
            self._call = tf.function(self._call, input_signature=[specs], autograph=False)

    def __call__(self, inputs):
        """Runs the model; see the class."""
        rows = len(next(iter(inputs.values())))
        size = self._batch_size or rows
        parts = []
        with full_precision(self._model):
            for start in range(0, rows, size):
                index = np.minimum(np.arange(start, start + size), rows - 1)
                with zero_state(self._model):
                    outputs = self._call({name: x[index] for name, x in inputs.items()})
                parts.append({n: keras.ops.convert_to_numpy(x) for n, x in outputs.items()})
        return {name: np.concatenate([part[name] for part in parts])[:rows] for name in parts[0]}
