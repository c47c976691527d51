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

        y_t = merge(forward(x_1 .. x_t), backward(x_T .. x_t))

    The outputs of the backward walk are put back in time order and merged with the forward ones.
    A mask reaches both walks, so that padding does not count in either. Weights are in the order of
    `keras.layers.Bidirectional`: forward, then backward.

    Source: Schuster and Paliwal 1997, "Bidirectional recurrent neural networks".

    Args:
        layer: The forward `Recurrent` layer, with `go_backwards=False`.
        merge_mode: "concat", "sum", "ave" or "mul", or None to keep the two directions apart.
        backward_layer: `Recurrent` layer with `go_backwards=True` for the backward walk, in the
            place of the copy; its cell may be another.

    Call arguments:
        sequences: `(batch, time, features)`.
        initial_state: Optional list of tensors, first the forward states, then the backward ones.
        mask: Optional boolean `(batch, time)`.

    Returns:
        The merged outputs, or with `merge_mode=None` the forward and the backward ones; with
        `return_state`, then the forward and the backward states.

    Example:

    >>> import numpy as np
    >>> from kzoo.layers import GRUCell
    >>> layer = Bidirectional(Recurrent(GRUCell(4), return_sequences=True))
    >>> tuple(layer(np.ones((2, 5, 3), "float32")).shape)
    (2, 5, 8)
    """

    def __init__(self, layer, merge_mode="concat", backward_layer=None, **kwargs):
        if not isinstance(layer, Recurrent) or layer.go_backwards:
            raise ValueError(
                "`layer` must be a kzoo.layers.Recurrent with go_backwards=False. "
                f"Received: layer={layer!r}"
            )
        if merge_mode not in (*MERGE_MODES, None):
            raise ValueError(
                f"`merge_mode` must be one of {[*MERGE_MODES, None]}. Received: {merge_mode!r}"
            )
        if backward_layer is not None:
            _check_backward_layer(layer, backward_layer, merge_mode)
        super().__init__(**kwargs)
        self.supports_masking = True
        self.merge_mode = merge_mode
        self.has_own_backward_layer = backward_layer is not None
        if backward_layer is None:
            config = {**layer.get_config(), "go_backwards": True, "name": f"backward_{layer.name}"}
            backward_layer = Recurrent.from_config(config)
        self.forward_layer = layer
        self.backward_layer = backward_layer
        for one in (layer, backward_layer):
            # As in Keras: at a masked step the two directions would repeat different outputs.
            one.zero_output_for_mask = one.return_sequences
        self.supports_jit = layer.supports_jit and backward_layer.supports_jit

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
        (forward, *forward_state), (backward, *backward_state) = map(_listed, results)
        if self.forward_layer.return_sequences:
            backward = ops.flip(backward, 1)
        outputs = [ops.cast(output, self.compute_dtype) for output in (forward, backward)]
        if self.merge_mode is not None:
            outputs = [MERGE_MODES[self.merge_mode](*outputs)]
        return _unlisted([*outputs, *forward_state, *backward_state])

    def compute_mask(self, sequences, mask=None):
        """Returns the mask of the outputs; states have none."""
        output_mask = mask if self.forward_layer.return_sequences else None
        return _unlisted(
            [output_mask] * (2 if self.merge_mode is None else 1) + [None] * self._num_states()
        )

    def _num_states(self):
        if not self.forward_layer.return_state:
            return 0
        layers = (self.forward_layer, self.backward_layer)
        return sum(len(layer.cell.state_size) for layer in layers)

    def compute_output_shape(self, sequences_shape, initial_state_shape=None):
        """Returns the shapes of what `call` returns."""
        shapes = [
            layer.compute_output_shape(sequences_shape)
            for layer in (self.forward_layer, self.backward_layer)
        ]
        if not self.forward_layer.return_state:
            shapes = [[shape] for shape in shapes]
        (forward, *forward_state), (backward, *backward_state) = shapes
        outputs = [forward, backward]
        if self.merge_mode is not None:
            width = forward[-1] + backward[-1] if self.merge_mode == "concat" else forward[-1]
            outputs = [(*forward[:-1], width)]
        return _unlisted([*outputs, *forward_state, *backward_state])

    def get_config(self):
        """Returns the constructor arguments."""
        return {
            **super().get_config(),
            "layer": keras.saving.serialize_keras_object(self.forward_layer),
            "merge_mode": self.merge_mode,
            "backward_layer": (
                keras.saving.serialize_keras_object(self.backward_layer)
                if self.has_own_backward_layer
                else None
            ),
        }

    @classmethod
    def from_config(cls, config):
        """Rebuilds the layer with the layers of its directions."""
        names = ("layer", "backward_layer")
        layers = {name: keras.saving.deserialize_keras_object(config.get(name)) for name in names}
        return cls(**{**config, **layers})


def _check_backward_layer(layer, backward_layer, merge_mode):
    if not isinstance(backward_layer, Recurrent) or not backward_layer.go_backwards:
        raise ValueError(
            "`backward_layer` must be a kzoo.layers.Recurrent with go_backwards=True. "
            f"Received: backward_layer={backward_layer!r}"
        )
    for name in ("return_sequences", "return_state", "stateful"):
        ours, theirs = getattr(layer, name), getattr(backward_layer, name)
        if ours != theirs:
            raise ValueError(
                f"`backward_layer` must have {name}={ours}, as `layer` has. "
                f"Received: {name}={theirs}"
            )
    sizes = [one.cell.output_size for one in (layer, backward_layer)]
    if merge_mode in ("sum", "ave", "mul") and sizes[0] != sizes[1]:
        raise ValueError(
            f"`backward_layer` must have outputs of size {sizes[0]}, as `layer` has, with "
            f"merge_mode={merge_mode!r}. Received: size {sizes[1]}"
        )


def _listed(outputs):
    return outputs if isinstance(outputs, tuple) else (outputs,)


def _unlisted(outputs):
    return tuple(outputs) if len(outputs) > 1 else outputs[0]
