"""Two walks over a sequence, one in each direction."""

import keras
from keras import ops

from kzoo.layers.recurrent import Recurrent

MERGE_MODES = {
    "concat": lambda forward, backward: ops.concatenate([forward, backward], axis=-1),
    "sum": lambda forward, backward: forward + backward,
    "ave": lambda forward, backward: (forward + backward) / 2,
    "mul": lambda forward, backward: forward * backward,
}


@keras.saving.register_keras_serializable(package="kzoo")
class Bidirectional(keras.layers.Layer):
    """Runs a `Recurrent` layer forwards, and a copy of it with its own weights backwards.

    The outputs of the backward walk are put back in time order and merged with the forward ones.
    Weights are in the order of `keras.layers.Bidirectional`: forward, then backward.

    Source: Schuster and Paliwal 1997, "Bidirectional recurrent neural networks".

    Args:
        layer: The forward `Recurrent` layer, with `go_backwards=False`.
        merge_mode: "concat", "sum", "ave" or "mul".

    Call arguments:
        sequences: `(batch, time, features)`.
        initial_state: Optional list of tensors, first the forward states, then the backward ones.
        mask: Optional boolean `(batch, time)`.

    Returns:
        The merged outputs; with `return_state`, then the forward and the backward states.

    Example:

    >>> import numpy as np
    >>> from kzoo.layers import GRUCell
    >>> layer = Bidirectional(Recurrent(GRUCell(4), return_sequences=True))
    >>> tuple(layer(np.ones((2, 5, 3), "float32")).shape)
    (2, 5, 8)
    """

    def __init__(self, layer, merge_mode="concat", **kwargs):
        if not isinstance(layer, Recurrent) or layer.go_backwards:
            raise ValueError(
                "`layer` must be a kzoo.layers.Recurrent with go_backwards=False. "
                f"Received: layer={layer!r}"
            )
        if merge_mode not in MERGE_MODES:
            raise ValueError(
                f"`merge_mode` must be one of {list(MERGE_MODES)}. Received: {merge_mode!r}"
            )
        super().__init__(**kwargs)
        self.supports_masking = True
        self.supports_jit = layer.supports_jit
        self.merge_mode = merge_mode
        # As in Keras: at a masked step the two directions would repeat different outputs.
        layer.zero_output_for_mask = layer.return_sequences
        self.forward_layer = layer
        config = {**layer.get_config(), "go_backwards": True, "name": f"backward_{layer.name}"}
        self.backward_layer = Recurrent.from_config(config)

    def build(self, sequences_shape, initial_state_shape=None):
        """Builds both directions."""
        for layer in (self.forward_layer, self.backward_layer):
            layer.build(sequences_shape)
            layer.built = True

    def call(self, sequences, initial_state=None, mask=None, training=False):
        """Runs both directions and merges them; see the class."""
        states = [None, None]
        if initial_state is not None:
            initial_state = keras.tree.flatten(initial_state)
            middle = len(self.forward_layer.cell.state_size)
            states = [initial_state[:middle], initial_state[middle:]]
        results = [
            layer(sequences, initial_state=state, mask=mask, training=training)
            for layer, state in zip((self.forward_layer, self.backward_layer), states, strict=True)
        ]
        if self.forward_layer.return_state:
            (forward, *forward_state), (backward, *backward_state) = results
        else:
            forward, backward = results
        if self.forward_layer.return_sequences:
            backward = ops.flip(backward, 1)
        outputs = ops.cast(MERGE_MODES[self.merge_mode](forward, backward), self.compute_dtype)
        if self.forward_layer.return_state:
            return (outputs, *forward_state, *backward_state)
        return outputs

    def compute_mask(self, sequences, mask=None):
        """Returns the mask of the outputs; states have none."""
        masks = self.forward_layer.compute_mask(sequences, mask)
        return masks + masks[1:] if self.forward_layer.return_state else masks

    def compute_output_shape(self, sequences_shape, initial_state_shape=None):
        """Returns the shapes of what `call` returns."""
        shapes = self.forward_layer.compute_output_shape(sequences_shape)
        outputs, *states = shapes if self.forward_layer.return_state else (shapes,)
        if self.merge_mode == "concat":
            outputs = (*outputs[:-1], 2 * outputs[-1])
        return (outputs, *states, *states) if self.forward_layer.return_state else outputs

    def get_config(self):
        """Returns the constructor arguments."""
        return {
            **super().get_config(),
            "layer": keras.saving.serialize_keras_object(self.forward_layer),
            "merge_mode": self.merge_mode,
        }

    @classmethod
    def from_config(cls, config):
        """Rebuilds the layer with its forward layer."""
        layer = keras.saving.deserialize_keras_object(config["layer"])
        return cls(**{**config, "layer": layer})
