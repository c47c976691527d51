"""The LSTM that writes exactly what it forgets."""

import keras
from keras import ops

from kzoo.layers.cell import dropped
from kzoo.layers.gated import GatedCell


def coupled_lstm_step(projected, hidden, carry, recurrent_kernel, activation):
    """One step of the LSTM with coupled gates; the equation is in `CoupledLSTMCell`.

    Args:
        projected: `W x_t + b`, `(batch, 3 * units)`.
        hidden: `h_{t-1}`, `(batch, units)`.
        carry: `c_{t-1}`, `(batch, units)`.
        recurrent_kernel: `U`, `(units, 3 * units)`.
        activation: Activation of candidate and state.

    Returns:
        `(h_t, c_t)`, each `(batch, units)`.
    """
    gates = projected + ops.matmul(hidden, recurrent_kernel)
    forget_gate, candidate, output_gate = ops.split(gates, 3, axis=-1)
    forget = ops.sigmoid(forget_gate)
    carry = forget * carry + (1 - forget) * activation(candidate)
    return ops.sigmoid(output_gate) * activation(carry), carry


@keras.saving.register_keras_serializable(package="kzoo")
class CoupledLSTMCell(GatedCell):
    """LSTM cell with one gate for input and forgetting: three quarters of the LSTM's weights.

        f, g, o = split(W x_t + b + U h_{t-1}, 3)
        c_t = sigmoid(f) * c_{t-1} + (1 - sigmoid(f)) * activation(g)
        h_t = sigmoid(o) * activation(c_t)

    `x_t` is `(batch, features)`, `h_t` and `c_t` are `(batch, units)`; the output is `h_t`, the
    state `[h, c]`, the gate order f, c, o.

    Source: Greff et al. 2015, "LSTM: a search space odyssey" (arXiv 1503.04069), variant CIFG,
    coupled input and forget gates, without its peepholes. It states the coupling as `f = 1 - i`:
    the same function, with the signs of the gate's weights turned.

    Args:
        units: Positive integer, the width of the state.
        **kwargs: `forget_bias`, 1 by default, which is added to the initial bias of the gate so
            that the cell starts by remembering, and the other arguments of `KernelCell`.

    Example:

    >>> import numpy as np
    >>> cell = CoupledLSTMCell(4)
    >>> zeros = np.zeros((2, 4), "float32")
    >>> output, (hidden, carry) = cell(np.ones((2, 3), "float32"), [zeros, zeros])
    >>> tuple(carry.shape)
    (2, 4)
    """

    gates = 3
    forget_gate = 0

    def step(self, projected, state, recurrent_mask=None):
        """Advances one time step by `coupled_lstm_step`."""
        hidden, carry = state
        hidden = dropped(hidden, recurrent_mask)
        hidden, carry = coupled_lstm_step(
            projected, hidden, carry, self.recurrent_kernel, self.activation
        )
        return hidden, [hidden, carry]
