"""The LSTM whose gates see the memory cell."""

import keras
from keras import ops

from kzoo.layers.cell import dropped
from kzoo.layers.gated import GatedCell


def peephole_lstm_step(projected, hidden, carry, recurrent_kernel, peephole, activation):
    """One step of the LSTM with peephole connections; the equation is in `PeepholeLSTMCell`.

    Args:
        projected: `W x_t + b`, `(batch, 4 * units)`.
        hidden: `h_{t-1}`, `(batch, units)`.
        carry: `c_{t-1}`, `(batch, units)`.
        recurrent_kernel: `U`, `(units, 4 * units)`.
        peephole: `p_i, p_f, p_o`, `(3, units)`.
        activation: Activation of candidate and state.

    Returns:
        `(h_t, c_t)`, each `(batch, units)`.
    """
    gates = projected + ops.matmul(hidden, recurrent_kernel)
    input_gate, forget_gate, candidate, output_gate = ops.split(gates, 4, axis=-1)
    new_carry = ops.sigmoid(forget_gate + peephole[1] * carry) * carry
    new_carry += ops.sigmoid(input_gate + peephole[0] * carry) * activation(candidate)
    return ops.sigmoid(output_gate + peephole[2] * new_carry) * activation(new_carry), new_carry


@keras.saving.register_keras_serializable(package="kzoo")
class PeepholeLSTMCell(GatedCell):
    """LSTM cell with peephole connections, which help to count and to time.

        i, f, g, o = split(W x_t + b + U h_{t-1}, 4)
        c_t = sigmoid(f + p_f * c_{t-1}) * c_{t-1} + sigmoid(i + p_i * c_{t-1}) * activation(g)
        h_t = sigmoid(o + p_o * c_t) * activation(c_t)

    `x_t` is `(batch, features)`, `h_t` and `c_t` are `(batch, units)`; the output is `h_t`, the
    state `[h, c]`, the gate order Keras's: i, f, c, o. The peepholes `p_i, p_f, p_o`, `(3, units)`,
    start at zero, where the cell is the plain LSTM.

    Source: Gers, Schraudolph and Schmidhuber 2002, "Learning precise timing with LSTM recurrent
    networks", in the form of Graves 2013 (arXiv 1308.0850, Eq. 7 to 11): one cell a block.

    Args:
        units: Positive integer, the width of the state.
        **kwargs: `forget_bias`, 1 by default, which is added to the initial bias of the forget gate
            so that the cell starts by remembering, and the other arguments of `KernelCell`.

    Example:

    >>> import numpy as np
    >>> cell = PeepholeLSTMCell(4)
    >>> zeros = np.zeros((2, 4), "float32")
    >>> output, (hidden, carry) = cell(np.ones((2, 3), "float32"), [zeros, zeros])
    >>> tuple(carry.shape)
    (2, 4)
    """

    gates = 4

    def build(self, input_shape):
        """Creates the weights of `KernelCell.build`, then `peephole`."""
        super().build(input_shape)
        self.peephole = self.add_weight(name="peephole", shape=(3, self.units), initializer="zeros")

    def step(self, projected, state, recurrent_mask=None):
        """Advances one time step by `peephole_lstm_step`."""
        hidden, carry = state
        hidden = dropped(hidden, recurrent_mask)
        hidden, carry = peephole_lstm_step(
            projected, hidden, carry, self.recurrent_kernel, self.peephole, self.activation
        )
        return hidden, [hidden, carry]
