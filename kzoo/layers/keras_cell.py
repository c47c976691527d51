"""A cell written for `keras.layers.RNN`, run by the driver of kzoo."""

import inspect

import keras
from keras import ops

from kzoo.layers.cell import Cell


@keras.saving.register_keras_serializable(package="kzoo")
class KerasCell(Cell):
    """Runs any cell of `keras.layers.RNN` in `kzoo.layers.Recurrent`.

        output_t, state_t = cell(x_t, state_{t-1})

    Equation, weights and state are those of the cell. Nested states, such as those of
    `keras.layers.StackedRNNCells`, travel as one flat list. Nothing is known of the cell's inside,
    so no part of it is computed for all time steps at once, and dropout of its own is left out:
    use the `dropout` of `Recurrent`.

    Args:
        cell: A `keras.layers.Layer` with `state_size`, whose states are `(batch, size)` tensors.

    Example:

    >>> import keras, numpy as np
    >>> from kzoo.layers import Recurrent
    >>> cells = keras.layers.StackedRNNCells([keras.layers.LSTMCell(3), keras.layers.GRUCell(4)])
    >>> layer = Recurrent(KerasCell(cells))
    >>> tuple(layer(np.ones((2, 5, 6), "float32")).shape), layer.cell.state_size
    ((2, 4), [3, 3, 4])
    """

    def __init__(self, cell, **kwargs):
        if not isinstance(cell, keras.layers.Layer) or not hasattr(cell, "state_size"):
            raise ValueError(
                f"`cell` must be a keras.layers.Layer with `state_size`. Received: cell={cell!r}"
            )
        states = _initial_state(cell, 1)
        shapes = [tuple(state.shape) for state in keras.tree.flatten(states)]
        if any(len(shape) != 2 for shape in shapes):
            raise ValueError(
                "`cell` must have states of shape (batch, size). "
                f"Received: states of shape {shapes} for a batch of one"
            )
        sizes = [shape[1] for shape in shapes]
        super().__init__(getattr(cell, "output_size", None) or sizes[0], **kwargs)
        self.cell = cell
        self.state_size = sizes
        self.takes_training = "training" in inspect.signature(cell.call).parameters

    def build(self, input_shape):
        """Builds the cell."""
        if not self.cell.built:
            self.cell.build(input_shape)
            self.cell.built = True

    def project(self, inputs):
        """Returns the inputs as they are."""
        return inputs

    def step(self, projected, state, recurrent_mask=None):
        """Advances one time step by the cell."""
        if recurrent_mask is not None:
            raise ValueError(
                "`recurrent_dropout` must be 0: where the state enters the recurrent kernel of "
                f"{type(self.cell).__name__} is not known. Received: a dropout mask"
            )
        structure = _initial_state(self.cell, 1)
        # A dropout mask that a cell keeps for itself would leak out of the loop that it is made in.
        arguments = {"training": False} if self.takes_training else {}
        output, state = self.cell(
            projected, keras.tree.pack_sequence_as(structure, state), **arguments
        )
        # The cell may have another dtype policy than the layer that walks.
        dtype = projected.dtype
        return ops.cast(output, dtype), [ops.cast(s, dtype) for s in keras.tree.flatten(state)]

    def get_initial_state(self, batch_size):
        """Returns the cell's own initial state, as a flat list."""
        return keras.tree.flatten(_initial_state(self.cell, batch_size))

    def get_config(self):
        """Returns the constructor arguments."""
        config = super().get_config()
        del config["units"]
        return {**config, "cell": keras.saving.serialize_keras_object(self.cell)}

    @classmethod
    def from_config(cls, config):
        """Rebuilds the cell with the Keras cell in it."""
        return cls(**{**config, "cell": keras.saving.deserialize_keras_object(config["cell"])})


def _initial_state(cell, batch_size):
    """Returns the state that `keras.layers.RNN` would begin with."""
    if hasattr(cell, "get_initial_state"):
        state = cell.get_initial_state(batch_size=batch_size)
        return list(state) if keras.tree.is_nested(state) else [state]
    return [
        ops.zeros((batch_size, size), cell.compute_dtype)
        for size in keras.tree.flatten(cell.state_size)
    ]
