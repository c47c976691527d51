"""Recurrent cells with layer normalization inside the recurrence."""

import keras
from keras import ops

from kzoo.layers.cell import KernelCell, dropped
from kzoo.layers.gated import GatedCell

# Below the variance of any activation that carries information.
EPSILON = 1e-5


@keras.saving.register_keras_serializable(package="kzoo")
class LayerNormRNNCell(KernelCell):
    """Elman's cell with layer normalization.

        a_t = W x_t + U h_{t-1}
        h_t = activation(g * (a_t - mean(a_t)) / std(a_t) + b)

    Mean and standard deviation are over the units of one row and one time step, so the size of the
    recurrent weights neither blows the state up nor lets it vanish. The gain `g` starts at one.

    Source: Ba, Kiros and Hinton 2016 (arXiv 1607.06450), Eq. 4.

    Args:
        units: Positive integer, the width of the state.
        **kwargs: The other arguments of `KernelCell`.

    Example:

    >>> import numpy as np
    >>> cell = LayerNormRNNCell(4)
    >>> output, state = cell(np.ones((2, 3), "float32"), [np.zeros((2, 4), "float32")])
    >>> tuple(output.shape)
    (2, 4)
    """

    def build(self, input_shape):
        """Creates the weights of `KernelCell.build`, then `gain`."""
        super().build(input_shape)
        self.gain = self.add_weight(name="gain", shape=(self.units,), initializer="ones")

    def project(self, inputs):
        """Returns `W x`; the bias comes after the normalization."""
        return ops.matmul(inputs, self.kernel)

    def step(self, projected, state, recurrent_mask=None):
        """Advances one time step."""
        hidden = dropped(state[0], recurrent_mask)
        total = projected + ops.matmul(hidden, self.recurrent_kernel)
        bias = self.bias if self.use_bias else None
        hidden = self.activation(ops.layer_normalization(total, self.gain, bias, epsilon=EPSILON))
        return hidden, [hidden]


@keras.saving.register_keras_serializable(package="kzoo")
class LayerNormLSTMCell(GatedCell):
    """LSTM cell with layer normalization.

        i, f, g, o = split(LN(W x_t; a_x) + LN(U h_{t-1}; a_h) + b, 4)
        c_t = sigmoid(f) * c_{t-1} + sigmoid(i) * activation(g)
        h_t = sigmoid(o) * activation(LN(c_t; a_c, b_c))

    `LN(z; a, b) = a * (z - mean(z)) / std(z) + b`, over all four gates together, as the paper
    writes it. Its shifts inside the first line are one with `b`. Gains start at one, shifts at
    zero. `LN(W x_t)` needs no past and is computed for all time steps at once.

    Source: Ba, Kiros and Hinton 2016 (arXiv 1607.06450), Eq. 20 to 22. The state is `[h, c]`, the
    gate order i, f, c, o.

    Args:
        units: Positive integer, the width of the state.
        **kwargs: `forget_bias`, 1 by default, which is added to the initial bias of the forget gate
            so that the cell starts by remembering, and the other arguments of `KernelCell`.

    Example:

    >>> import numpy as np
    >>> cell = LayerNormLSTMCell(4)
    >>> zeros = np.zeros((2, 4), "float32")
    >>> output, (hidden, carry) = cell(np.ones((2, 3), "float32"), [zeros, zeros])
    >>> tuple(carry.shape)
    (2, 4)
    """

    gates = 4

    def build(self, input_shape):
        """Creates the weights of `KernelCell.build`, then gains and the shift of the carry."""
        super().build(input_shape)
        width = 4 * self.units
        self.gain = self.add_weight(name="gain", shape=(width,), initializer="ones")
        self.recurrent_gain = self.add_weight(
            name="recurrent_gain", shape=(width,), initializer="ones"
        )
        self.carry_gain = self.add_weight(
            name="carry_gain", shape=(self.units,), initializer="ones"
        )
        self.carry_bias = self.add_weight(
            name="carry_bias", shape=(self.units,), initializer="zeros"
        )

    def project(self, inputs):
        """Returns `LN(W x) + b` for all gates."""
        bias = self.bias if self.use_bias else None
        return ops.layer_normalization(
            ops.matmul(inputs, self.kernel), self.gain, bias, epsilon=EPSILON
        )

    def step(self, projected, state, recurrent_mask=None):
        """Advances one time step."""
        hidden, carry = state
        hidden = dropped(hidden, recurrent_mask)
        gates = projected + ops.layer_normalization(
            ops.matmul(hidden, self.recurrent_kernel), self.recurrent_gain, epsilon=EPSILON
        )
        input_gate, forget_gate, candidate, output_gate = ops.split(gates, 4, axis=-1)
        carry = ops.sigmoid(forget_gate) * carry
        carry += ops.sigmoid(input_gate) * self.activation(candidate)
        normalized = ops.layer_normalization(
            carry, self.carry_gain, self.carry_bias, epsilon=EPSILON
        )
        hidden = ops.sigmoid(output_gate) * self.activation(normalized)
        return hidden, [hidden, carry]
