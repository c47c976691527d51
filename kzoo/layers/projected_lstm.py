"""The LSTM with more memory than output."""

import keras
from keras import ops

from kzoo.layers.cell import dropped
from kzoo.layers.checks import check_sizes
from kzoo.layers.gated import GatedCell
from kzoo.layers.lstm import lstm_step


@keras.saving.register_keras_serializable(package="kzoo")
class ProjectedLSTMCell(GatedCell):
    """LSTM cell with a recurrent projection (LSTMP).

        i, f, g, o = split(W x_t + b + U r_{t-1}, 4)
        c_t = sigmoid(f) * c_{t-1} + sigmoid(i) * activation(g)
        m_t = sigmoid(o) * activation(c_t)
        r_t = P m_t

    Many memory cells `c`, `m` speak to the next step and to the next layer through a narrow output
    `r`, so that the number of weights grows with `units * hidden_dim` and not with its square.

    Source: Sak, Senior and Beaufays 2014 (arXiv 1402.1128), Eq. 7 to 13, without the peepholes and
    the non-recurrent projection; gate order i, f, c, o. `P` starts as Glorot's. The state is
    `[r, c]`.

    Args:
        units: Positive integer, the width of the output `r`.
        hidden_dim: Number of memory cells; twice `units` by default.
        **kwargs: `forget_bias`, 1 by default, which is added to the initial bias of the forget gate
            so that the cell starts by remembering, and the other arguments of `KernelCell`.

    Example:

    >>> import numpy as np
    >>> cell = ProjectedLSTMCell(4, hidden_dim=16)
    >>> x, state = np.ones((2, 3), "float32"), cell.get_initial_state(2)
    >>> output, (projection, carry) = cell(x, state)
    >>> tuple(output.shape), tuple(carry.shape)
    ((2, 4), (2, 16))
    """

    gates = 4

    def __init__(self, units, hidden_dim=None, **kwargs):
        super().__init__(units, **kwargs)
        hidden_dim = 2 * units if hidden_dim is None else hidden_dim
        check_sizes(hidden_dim=hidden_dim)
        self.hidden_dim = hidden_dim
        self.state_size = [units, hidden_dim]

    def kernel_width(self):
        """Returns the number of columns of both kernels."""
        return self.gates * self.hidden_dim

    def build(self, input_shape):
        """Creates the weights of `GatedCell.build`, then `projection`."""
        super().build(input_shape)
        self.projection = self.add_weight(
            name="projection",
            shape=(self.hidden_dim, self.units),
            initializer="glorot_uniform",
        )

    def step(self, projected, state, recurrent_mask=None):
        """Advances one time step."""
        output, carry = state
        output = dropped(output, recurrent_mask)
        hidden, carry = lstm_step(
            projected, output, carry, self.recurrent_kernel, self.activation, ops.sigmoid
        )
        output = ops.matmul(hidden, self.projection)
        return output, [output, carry]

    def get_config(self):
        """Returns the constructor arguments."""
        return {**super().get_config(), "hidden_dim": self.hidden_dim}
