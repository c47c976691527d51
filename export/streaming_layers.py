"""Layers that remember: what a chunk of a sequence needs of the chunks before it comes in as state.

All wrap a layer and share its weights.
"""

import keras
from keras import ops

from kzoo.layers import Recurrent


class _Streaming(keras.layers.Layer):
    """What wraps a layer; its policy is that layer's.

    Args:
        layer: the layer. It is shared, not copied.
    """

    def __init__(self, layer, **kwargs):
        super().__init__(dtype=layer.dtype_policy, **kwargs)
        self.supports_masking = True
        self.layer = layer

    def get_config(self):
        """Returns the constructor arguments."""
        config = super().get_config()
        del config["dtype"]
        return {**config, "layer": keras.saving.serialize_keras_object(self.layer)}

    @classmethod
    def from_config(cls, config):
        """Rebuilds the layer with the one it wraps."""
        return cls(**{**config, "layer": keras.saving.deserialize_keras_object(config["layer"])})


@keras.saving.register_keras_serializable(package="kzoo")
class StreamingRecurrent(_Streaming):
    """A `Recurrent` layer that goes on where the chunk before ended.

    Args:
        layer: `kzoo.layers.Recurrent` that walks forwards. Its cell is shared, not copied.

    Call arguments:
        sequences: `(batch, chunk, features)`.
        states: the cell's states; with one tensor more, the output of the step before the chunk,
            which masked steps repeat.
        mask: optional boolean `(batch, chunk)`.

    Returns:
        The layer's output for the chunk, and the list of new states.

    Example:

    >>> import numpy as np
    >>> from kzoo.layers import GRUCell
    >>> layer = StreamingRecurrent(Recurrent(GRUCell(4), return_sequences=True))
    >>> outputs, states = layer(np.ones((2, 1, 3), "float32"), [np.zeros((2, 4), "float32")])
    >>> tuple(outputs.shape), len(states)
    ((2, 1, 4), 1)
    """

    def __init__(self, layer, **kwargs):
        super().__init__(layer, **kwargs)
        self.return_sequences = layer.return_sequences
        config = {**layer.get_config(), "return_state": True, "stateful": False}
        del config["cell"]
        self._walker = Recurrent(layer.cell, **config)

    def build(self, sequences_shape, states_shape):
        """Builds the layer."""
        self._walker.build(sequences_shape)
        self._walker.built = True

    def call(self, sequences, states, mask=None):
        """Runs one chunk; see the class."""
        num_states = len(self._walker.cell.state_size)
        outputs, *new_states = self._walker(
            sequences, initial_state=list(states[:num_states]), mask=mask
        )
        if len(states) > num_states:
            before = ops.cast(states[num_states], outputs.dtype)
            # Until a row's first unmasked step, its outputs are that of an earlier chunk.
            if self.return_sequences:
                begun = ops.cumsum(ops.cast(mask, "int32"), axis=1) > 0
                outputs = ops.where(ops.expand_dims(begun, -1), outputs, before[:, None])
                new_states.append(outputs[:, -1])
            else:
                outputs = ops.where(ops.any(mask, axis=1, keepdims=True), outputs, before)
                new_states.append(outputs)
        return outputs, [ops.cast(state, self.variable_dtype) for state in new_states]

    def compute_mask(self, sequences, mask=None):
        """Returns the mask of the outputs; states have none."""
        return [mask if self.return_sequences else None]


@keras.saving.register_keras_serializable(package="kzoo")
class StreamingWindow(_Streaming):
    """A causal layer with a short memory, such as a convolution, run on chunks.

    The layer sees the last inputs before the chunk in front of it, and its outputs for those are
    dropped.

    Args:
        layer: layer whose output at a step depends on that step and the `memory` steps before it,
            with zeros before the first. It is shared, not copied.
        memory: number of steps.

    Call arguments:
        sequences: `(batch, chunk, ...)`.
        states: list of one tensor, `(batch, memory, ...)`: the inputs before the chunk.

    Returns:
        The layer's output for the chunk, and the list of new states.

    Example:

    >>> import numpy as np
    >>> layer = StreamingWindow(keras.layers.Conv1D(4, 3, padding="causal"), memory=2)
    >>> x = np.ones((2, 1, 3), "float32")
    >>> outputs, states = layer(x, [np.zeros((2, 2, 3), "float32")])
    >>> tuple(outputs.shape), tuple(states[0].shape)
    ((2, 1, 4), (2, 2, 3))
    """

    def __init__(self, layer, memory, **kwargs):
        super().__init__(layer, autocast=False, **kwargs)
        self.supports_masking = layer.supports_masking
        self.memory = memory

    def build(self, sequences_shape, states_shape):
        """Builds the layer."""
        if not self.layer.built:
            self.layer.build(sequences_shape)

    def call(self, sequences, states):
        """Runs one chunk; see the class."""
        before = states[0]
        window = ops.concatenate([before, ops.cast(sequences, before.dtype)], axis=1)
        return self.layer(window)[:, self.memory :], [window[:, -self.memory :]]

    def compute_mask(self, sequences, mask=None):
        """Returns the mask that the layer gives; the state has none."""
        return [self.layer.compute_mask(sequences, mask)]

    def get_config(self):
        """Returns the constructor arguments."""
        return {**super().get_config(), "memory": self.memory}


@keras.saving.register_keras_serializable(package="kzoo")
class StreamingAttention(_Streaming):
    """The attention of a `kzoo.layers.SRUPlusPlus` with a window, run on chunks.

    Args:
        layer: `kzoo.layers.SRUPlusPlus` that is causal and has a window. It is shared, not copied.

    Call arguments:
        sequences: `(batch, chunk, features)`.
        states: list of one tensor, `(batch, window - 1, attention_dim + 1)`: what the steps before
            the chunk are known by, and 1 for those that count.
        mask: optional boolean `(batch, chunk)`.

    Returns:
        What the layer's recurrence reads of the chunk, and the list of new states.

    Example:

    >>> import numpy as np
    >>> from kzoo.layers import SRUPlusPlus
    >>> layer = StreamingAttention(SRUPlusPlus(4, attention_dim=2, window=3))
    >>> x = np.ones((2, 1, 5), "float32")
    >>> outputs, states = layer(x, [np.zeros((2, 2, 3), "float32")])
    >>> tuple(outputs.shape), tuple(states[0].shape)
    ((2, 1, 7), (2, 2, 3))
    """

    def build(self, sequences_shape, states_shape):
        """Builds the layer."""
        if not self.layer.built:
            self.layer.build(sequences_shape)
            self.layer.built = True

    def call(self, sequences, states, mask=None):
        """Runs one chunk; see the class."""
        queries = ops.matmul(sequences, self.layer.query_kernel)
        counts = ops.ones_like(queries[..., :1])
        if mask is not None:
            counts = ops.cast(ops.expand_dims(mask, -1), counts.dtype)
        chunk = ops.concatenate([queries, counts], axis=-1)
        memory = ops.concatenate([states[0], chunk], axis=1)
        outputs = self.layer.attend(sequences, queries, memory[..., :-1], memory[..., -1] > 0)
        return outputs, [ops.cast(memory[:, 1 - self.layer.window :], self.variable_dtype)]

    def compute_mask(self, sequences, mask=None):
        """Returns the mask of the outputs; the state has none."""
        return [mask, None]
