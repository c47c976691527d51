"""Wire the layers of a causal model once more, with state that goes in and comes out."""

from dataclasses import dataclass, field

import keras
import numpy as np

from kzoo.export.errors import ExportError
from kzoo.export.streaming_layers import (
    StreamingAttention,
    StreamingRecurrent,
    StreamingWindow,
)
from kzoo.layers import (
    BestClass,
    Changes,
    Delay,
    FeedForward,
    FrameLogProbabilities,
    Highway,
    LogMel,
    NearestRows,
    NewSymbols,
    NGramEmbedding,
    QuantileSpread,
    Recurrent,
    Residual,
    SparseEmbedding,
    SpecAugment,
    SRUPlusPlus,
    Standardization,
    SubwordEmbedding,
    TimeDistributed,
    TokenDropout,
    ZeroMasked,
)
from kzoo.layers.bias import Bias

# What treats every time step alone, as long as no `axis` of it is the time axis.
STEPWISE_LAYERS = (
    keras.layers.Activation,
    keras.layers.Add,
    keras.layers.AlphaDropout,
    keras.layers.Average,
    keras.layers.BatchNormalization,
    keras.layers.Concatenate,
    keras.layers.Dense,
    keras.layers.Dropout,
    keras.layers.ELU,
    keras.layers.Embedding,
    keras.layers.GaussianDropout,
    keras.layers.GaussianNoise,
    keras.layers.Identity,
    keras.layers.LayerNormalization,
    keras.layers.LeakyReLU,
    keras.layers.Masking,
    keras.layers.Maximum,
    keras.layers.Minimum,
    keras.layers.Multiply,
    keras.layers.Normalization,
    keras.layers.RMSNormalization,
    keras.layers.ReLU,
    keras.layers.Rescaling,
    keras.layers.ReversibleEmbedding,
    keras.layers.Softmax,
    keras.layers.SpatialDropout1D,
    keras.layers.Subtract,
    keras.layers.TimeDistributed,
    keras.layers.UnitNormalization,
    BestClass,
    Bias,
    FeedForward,
    FrameLogProbabilities,
    NearestRows,
    QuantileSpread,
    SpecAugment,
    Standardization,
    SparseEmbedding,
    SubwordEmbedding,
    TimeDistributed,
    TokenDropout,
    ZeroMasked,
)
STEPWISE_OPERATIONS = """
    Absolute Add Any Cast Clip Concatenate Divide Elu Equal ExpandDims Exp Gelu Greater Less
    LogSoftmax LogicalAnd LogicalNot LogicalOr Maximum Minimum Multiply Negative NotEqual OnesLike
    Relu Sigmoid Silu Softmax Softplus Square Subtract Tanh TrueDivide ZerosLike
"""


@dataclass
class StreamingGraph:
    """The step model while it is being wired.

    Attributes:
        state: pairs of symbolic tensors by name: the state before the chunk and after it.
        marked: the symbolic tensors that have the time axis, by id.
    """

    state: dict = field(default_factory=dict)
    marked: dict = field(default_factory=dict)

    def mark(self, tensors):
        """Notes that symbolic tensors have the time axis; returns them."""
        for tensor in keras.tree.flatten(tensors):
            self.marked[id(tensor)] = tensor
        return tensors

    def is_marked(self, tensors):
        """Whether any of the symbolic tensors has the time axis."""
        return any(id(tensor) in self.marked for tensor in keras.tree.flatten(tensors))

    def rename(self, tensor, name, apart=False):
        """Passes a symbolic tensor through a layer of that name.

        `apart` copies it for an output: an LSTM's output may be its next state as well, and
        LiteRT's CompiledModel loses one of two outputs that are one tensor.
        """
        renamed = tensor
        if apart:
            renamed = keras.ops.stack([tensor, tensor], axis=-1)[..., 0]
        renamed = keras.layers.Identity(dtype=tensor.dtype, name=name)(renamed)
        return self.mark(renamed) if self.is_marked(tensor) else renamed

    def run(self, model, tensors):
        """Calls every operation of a model on the chunk; returns the list of its outputs."""
        if isinstance(model, keras.Sequential):
            (x,) = tensors
            for layer in model.layers:
                x = self.call(layer, x)
            return keras.tree.flatten(x)
        return keras.tree.flatten(model._run_through_graph(tensors, call_fn=self.call))

    def call(self, operation, *args, **kwargs):
        """Calls one operation: as it is where it may be, else with its state."""
        if isinstance(operation, keras.layers.InputLayer):
            return args[0] if args else operation(**kwargs)
        # Behind the last step, anything goes.
        if not self.is_marked((args, kwargs)):
            return operation(*args, **kwargs)
        if isinstance(operation, keras.Model):
            outputs = self.run(operation, keras.tree.flatten(args))
            return outputs[0] if len(outputs) == 1 else outputs
        if type(operation) in (Recurrent, SRUPlusPlus):
            kwargs.pop("training", None)
            return self._recurrent(operation, *args, **kwargs)
        if type(operation) in (Highway, Residual):
            return self._around(operation, *args, **kwargs)
        memory = _memory(operation, args)
        if memory is not None:
            return self._window(operation, memory, args[0])
        if _is_stepwise(operation, args):
            return self.mark(operation(*args, **kwargs))
        raise _refusal(operation, "mixes time steps")

    def _recurrent(self, layer, sequences, initial_state=None, mask=None):
        if initial_state is not None or not self.is_marked(sequences):
            raise _refusal(layer, "is given its initial state by the model")
        if mask is None:
            mask = keras.src.backend.get_keras_mask(sequences)
        if type(layer) is SRUPlusPlus:
            sequences, layer = self._attended(layer, sequences, mask), layer.recurrent
        if layer.go_backwards:
            raise _refusal(layer, "walks from the last time step to the first")
        if any(keras.ops.convert_to_numpy(s).any() for s in layer.cell.get_initial_state(1)):
            raise _refusal(layer, "begins with a state that is not zero")
        name = self._free_name(layer.name)
        sizes = list(layer.cell.state_size)
        if mask is not None and not layer.zero_output_for_mask:
            sizes.append(layer.cell.output_size)
        before = self._add_state(name, [(size,) for size in sizes], layer.variable_dtype)
        # Keras hands a mask on by itself only to layers that take a single tensor.
        outputs, after = StreamingRecurrent(layer, name=f"{name}_step")(
            sequences, before, mask=mask
        )
        self._keep_state(name, after)
        if layer.return_sequences:
            self.mark(outputs)
        return (outputs, *after[: len(layer.cell.state_size)]) if layer.return_state else outputs

    def _attended(self, layer, sequences, mask):
        """Returns what the recurrence of an `SRUPlusPlus` reads."""
        if not layer.causal:
            raise _refusal(layer, "looks ahead with causal=False")
        if layer.window is None:
            raise _refusal(layer, "attends to all steps before it; give it a `window`")
        name = self._free_name(f"{layer.name}_attention")
        shape = layer.window - 1, layer.attention_dim + 1
        before = self._add_state(name, [shape], layer.variable_dtype)
        features, after = StreamingAttention(layer, name=f"{name}_step")(
            sequences, before, mask=mask
        )
        self._keep_state(name, after)
        return features

    def _around(self, connection, inputs, **kwargs):
        results = self.call(connection.layer, inputs, **kwargs)
        outputs, *states = results if isinstance(results, tuple) else (results,)
        merged = self.mark(connection.merge(inputs, outputs))
        # Operations, unlike layers, do not hand a mask on.
        keras.src.backend.set_keras_mask(merged, keras.src.backend.get_keras_mask(outputs))
        return (merged, *states) if states else merged

    def _window(self, layer, memory, sequences):
        if memory == 0:
            return self.mark(layer(sequences))
        name = self._free_name(layer.name)
        dtype = sequences.dtype if "int" in sequences.dtype else layer.variable_dtype
        before = self._add_state(name, [(memory, *sequences.shape[2:])], dtype)
        outputs, after = StreamingWindow(layer, memory, name=f"{name}_step")(sequences, before)
        self._keep_state(name, after)
        return self.mark(outputs)

    def _free_name(self, layer_name):
        """The layer's name; with a number for each further call of a layer that is shared."""
        names = [layer_name, *(f"{layer_name}_call_{n}" for n in range(1, len(self.state) + 1))]
        return next(name for name in names if f"{name}_state_0" not in self.state)

    def _add_state(self, layer_name, shapes, dtype):
        names = [f"{layer_name}_state_{index}" for index in range(len(shapes))]
        tensors = [
            keras.Input(shape, dtype=dtype, name=name)
            for name, shape in zip(names, shapes, strict=True)
        ]
        self.state.update({name: (t, None) for name, t in zip(names, tensors, strict=True)})
        return tensors

    def _keep_state(self, layer_name, tensors):
        for index, tensor in enumerate(tensors):
            name = f"{layer_name}_state_{index}"
            self.state[name] = (self.state[name][0], self.rename(tensor, f"next_{name}"))


def _memory(layer, args):
    """Number of earlier inputs that a causal layer sees; None if it is no such layer."""
    if type(layer) is NGramEmbedding:
        # Of words that are rows of letters, each has n-grams of its own.
        return layer.max_order - 1 if len(args[0].shape) == 2 else 0
    if type(layer) in (Changes, NewSymbols):
        return 1
    if type(layer) is Delay:
        return layer.steps
    if type(layer) is LogMel:
        return layer.memory
    if type(layer) in (keras.layers.Conv1D, keras.layers.SeparableConv1D):
        if layer.padding != "causal" and layer.kernel_size[0] > 1:
            raise _refusal(layer, f"looks ahead with padding={layer.padding!r}, not 'causal'")
        if layer.strides[0] > 1 or layer.data_format != "channels_last":
            raise _refusal(layer, "has strides or channels first")
        return (layer.kernel_size[0] - 1) * layer.dilation_rate[0]
    return None


def _is_stepwise(operation, args):
    if hasattr(operation, "axis"):
        rank = max(len(x.shape) for x in keras.tree.flatten(args) if hasattr(x, "shape"))
        axes = np.atleast_1d(operation.axis).tolist()
        # Those of `ExpandDims` are counted among its output's.
        rank += len(axes) if type(operation).__name__ == "ExpandDims" else 0
        if any(axis is None or axis % rank < 2 for axis in axes):
            return False
    if isinstance(operation, keras.layers.Layer):
        return type(operation) in STEPWISE_LAYERS
    return type(operation).__name__ in STEPWISE_OPERATIONS.split()


def _refusal(operation, reason):
    kind = "layer" if isinstance(operation, keras.layers.Layer) else "operation"
    name = f"{kind} {operation.name!r} ({type(operation).__name__})"
    return ExportError(f"model: cannot be streamed: {name} {reason}")
