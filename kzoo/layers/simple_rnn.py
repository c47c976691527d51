"""The simple (Elman) recurrent cell."""

import keras
from keras import ops

from kzoo.layers.cell import KernelCell, dropped


def simple_rnn_step(projected, hidden, recurrent_kernel, activation):
    """One step of Elman's recurrence; the equation is in `SimpleRNNCell`.

    Args:
        projected: `W x_t + b`, `(batch, units)`.
        hidden: `h_{t-1}`, `(batch, units)`.
        recurrent_kernel: `U`, `(units, units)`.
        activation: The activation function.

    Returns:
        `h_t`, `(batch, units)`.
    """
    return activation(projected + ops.matmul(hidden, recurrent_kernel))


@keras.saving.register_keras_serializable(package="kzoo")
class SimpleRNNCell(KernelCell):
    """Elman's recurrent cell, with the weights of `keras.layers.SimpleRNN`.

        h_t = activation(W x_t + b + U h_{t-1})

    `x_t` is `(batch, features)`, `h_t` is `(batch, units)` and the output; the state is `[h]`.

    Source: Elman 1990, "Finding structure in time", in the form of `keras.layers.SimpleRNN`.

    Args:
        units: Positive integer, the width of the state.
        **kwargs: The other arguments of `KernelCell`.

    Example:

    >>> import numpy as np
    >>> cell = SimpleRNNCell(4)
    >>> output, state = cell(np.ones((2, 3), "float32"), [np.zeros((2, 4), "float32")])
    >>> tuple(output.shape)
    (2, 4)
    """

    def step(self, projected, state, recurrent_mask=None):
        """Advances one time step by `simple_rnn_step`."""
        hidden = dropped(state[0], recurrent_mask)
        hidden = simple_rnn_step(projected, hidden, self.recurrent_kernel, self.activation)
        return hidden, [hidden]
