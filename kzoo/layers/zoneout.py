"""Zoneout: a regularizer that makes random units of any cell stand still."""

import keras
from keras import ops

from kzoo.layers.cell import Cell


@keras.saving.register_keras_serializable(package="kzoo")
class ZoneoutCell(Cell):
    """Wraps a cell so that in training random units keep their previous state.

        s_t = s_{t-1} + d_t * (step(x_t, s_{t-1}) - s_{t-1})

    In training `d_t` is zero with probability `rate` and one otherwise, drawn anew for each unit,
    row and time step; otherwise `d_t = 1 - rate`, its expectation. Where the output of the wrapped
    cell is its first state, as in the LSTM and the GRU, the output is the new `s_t`.

    All `d_t` of a sequence are drawn at once, so that a step stays a pure function. On JAX,
    train with `kzoo.layers.Recurrent` and not with `keras.layers.RNN`, which draws inside its loop.

    Source: Krueger et al. 2016, "Zoneout: regularizing RNNs by randomly preserving hidden
    activations" (arXiv 1606.01305), sections 3.2 and 3.3; its LSTMs use 0.5 for `c` and 0.05 for
    `h`.

    Args:
        cell: The `kzoo.layers.Cell` to wrap.
        rate: Probability that a unit stands still, or a list with one for each state.

    Example:

    >>> import numpy as np
    >>> from kzoo.layers import LSTMCell, Recurrent
    >>> layer = Recurrent(ZoneoutCell(LSTMCell(4), rate=[0.05, 0.5]))
    >>> tuple(layer(np.ones((2, 5, 3), "float32"), training=True).shape)
    (2, 4)
    """

    def __init__(self, cell, rate=0.1, **kwargs):
        if not isinstance(cell, Cell):
            raise ValueError(f"`cell` must be a kzoo.layers.Cell. Received: cell={cell!r}")
        rates = list(rate) if isinstance(rate, list | tuple) else [rate] * len(cell.state_size)
        if len(rates) != len(cell.state_size) or not all(0 <= r < 1 for r in rates):
            raise ValueError(
                "`rate` must be in [0, 1), or a list of "
                f"{len(cell.state_size)} such numbers. Received: rate={rate!r}"
            )
        super().__init__(cell.units, **kwargs)
        self.cell = cell
        self.rate = rate
        self.rates = rates
        self.state_size = cell.state_size
        self.output_size = cell.output_size
        # Keras tells a nested layer by itself whether the outer one trains.
        self.dropouts = [keras.layers.Dropout(r) for r in rates]

    def build(self, input_shape):
        """Builds the wrapped cell."""
        # A cell that was loaded from a file is built already.
        if not self.cell.built:
            self.cell.build(input_shape)

    def draw(self, inputs):
        """Returns `d` for each state."""
        leading = ops.shape(inputs)[:-1]
        # Dropout scales what it keeps by 1 / (1 - rate), and is the identity outside of training.
        return tuple(
            ops.cast(dropout(ops.full((*leading, size), 1 - rate)), inputs.dtype)
            for dropout, rate, size in zip(self.dropouts, self.rates, self.state_size, strict=True)
        )

    def project(self, inputs, drawn=()):
        """Returns the wrapped cell's projection, then `d` for each state."""
        return self.cell.project(inputs), *(drawn or self.draw(inputs))

    def step(self, projected, state, recurrent_mask=None):
        """Advances one time step."""
        inner, *moves = projected
        output, stepped = self.cell.step(inner, state, recurrent_mask)
        new_state = [
            old + move * (new - old) for old, new, move in zip(state, stepped, moves, strict=True)
        ]
        return (new_state[0] if output is stepped[0] else output), new_state

    def get_initial_state(self, batch_size):
        """Returns the wrapped cell's initial state."""
        return self.cell.get_initial_state(batch_size)

    def get_config(self):
        """Returns the constructor arguments."""
        config = super().get_config()
        del config["units"]
        return {
            **config,
            "cell": keras.saving.serialize_keras_object(self.cell),
            "rate": self.rate,
        }

    @classmethod
    def from_config(cls, config):
        """Rebuilds the cell with the one it wraps."""
        cell = keras.saving.deserialize_keras_object(config["cell"])
        return cls(**{**config, "cell": cell})
