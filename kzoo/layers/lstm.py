"""The long short-term memory cell."""

import keras
from keras import ops

from kzoo.layers.cell import KernelCell, dropped


def lstm_step(projected, hidden, carry, recurrent_kernel, activation, recurrent_activation):
    """One step of the LSTM; the equation is in `LSTMCell`.

    Args:
        projected: `W x_t + b`, `(batch, 4 * units)`.
        hidden: `h_{t-1}`, `(batch, units)`.
        carry: `c_{t-1}`, `(batch, units)`.
        recurrent_kernel: `U`, `(units, 4 * units)`.
        activation: Activation of candidate and state.
        recurrent_activation: Activation of the gates.

    Returns:
        `(h_t, c_t)`, each `(batch, units)`.
    """
    gates = projected + ops.matmul(hidden, recurrent_kernel)
    return lstm_update(gates, carry, activation, recurrent_activation)


def lstm_update(gates, carry, activation, recurrent_activation, keep=tuple):
    """Computes what `lstm_step` does from the sum of both products, `(batch, 4 * units)`.

    The values `(i, f, g, o)` and `(c_t,)`, which the gradient needs, go through `keep`.
    """
    i, f, g, o = ops.split(gates, 4, axis=-1)
    i, f, o = recurrent_activation(i), recurrent_activation(f), recurrent_activation(o)
    i, f, g, o = keep((i, f, activation(g), o))
    (carry,) = keep((f * carry + i * g,))
    return o * activation(carry), carry


@keras.saving.register_keras_serializable(package="kzoo")
class LSTMCell(KernelCell):
    """LSTM cell, with the weights of `keras.layers.LSTM`.

        i, f, g, o = split(W x_t + b + U h_{t-1}, 4)
        c_t = recurrent_activation(f) * c_{t-1} + recurrent_activation(i) * activation(g)
        h_t = recurrent_activation(o) * activation(c_t)

    `x_t` is `(batch, features)`, `h_t` and `c_t` are `(batch, units)`; the output is `h_t`, the
    state `[h, c]`.

    Source: Hochreiter and Schmidhuber 1997, "Long short-term memory", with the forget gate of Gers,
    Schmidhuber and Cummins 2000, "Learning to forget: continual prediction with LSTM" (Eq. 5 to 9);
    gate order i, f, c, o as in `keras.layers.LSTM`.

    Args:
        units: Positive integer, the width of the state.
        recurrent_activation: Activation of the gates.
        unit_forget_bias: Whether the bias of the forget gate starts at one
            (Jozefowicz et al. 2015).
        **kwargs: The other arguments of `KernelCell`.

    Example:

    >>> import numpy as np
    >>> cell = LSTMCell(4)
    >>> zeros = np.zeros((2, 4), "float32")
    >>> output, (hidden, carry) = cell(np.ones((2, 3), "float32"), [zeros, zeros])
    >>> tuple(carry.shape)
    (2, 4)
    """

    gates = 4

    def __init__(self, units, recurrent_activation="sigmoid", unit_forget_bias=True, **kwargs):
        super().__init__(units, **kwargs)
        self.recurrent_activation = keras.activations.get(recurrent_activation)
        self.unit_forget_bias = unit_forget_bias
        self.state_size = [units, units]

    def build(self, input_shape):
        """Creates the weights; see `KernelCell.build`."""
        super().build(input_shape)
        if self.use_bias and self.unit_forget_bias:
            forget_gate = ops.arange(4 * self.units) // self.units == 1
            self.bias.assign(ops.where(forget_gate, 1.0, ops.convert_to_tensor(self.bias)))

    def step(self, projected, state, recurrent_mask=None):
        """Advances one time step by `lstm_step`."""
        hidden, carry = state
        hidden = dropped(hidden, recurrent_mask)
        hidden, carry = lstm_step(
            projected,
            hidden,
            carry,
            self.recurrent_kernel,
            self.activation,
            self.recurrent_activation,
        )
        return hidden, [hidden, carry]

    def get_config(self):
        """Returns the constructor arguments."""
        return {
            **super().get_config(),
            "recurrent_activation": keras.activations.serialize(self.recurrent_activation),
            "unit_forget_bias": self.unit_forget_bias,
        }
