"""The cell that neural architecture search found."""

import keras
from keras import ops

from kzoo.layers.cell import KernelCell, dropped


def nas_step(projected, recurrent, carry):
    """One step of the NAS cell; the equation is in `NASCell`.

    Args:
        projected: `W x_t + b`, `(batch, 8 * units)`.
        recurrent: `U h_{t-1}`, `(batch, 8 * units)`.
        carry: `c_{t-1}`, `(batch, units)`.

    Returns:
        `(h_t, c_t)`, each `(batch, units)`.
    """
    x, h = ops.split(projected, 8, axis=-1), ops.split(recurrent, 8, axis=-1)
    m = ops.split(projected + recurrent, 8, axis=-1)
    inner = ops.tanh(ops.sigmoid(m[0]) * ops.relu(m[1]))
    carry = ops.tanh(carry + inner) * ops.tanh(ops.sigmoid(m[2]) + ops.relu(x[3] * h[3]))
    left = ops.tanh(ops.tanh(m[4]) * ops.sigmoid(m[5]))
    right = ops.sigmoid(ops.tanh(m[6]) + ops.sigmoid(m[7]))
    return ops.tanh(carry * ops.tanh(left + right)), carry


@keras.saving.register_keras_serializable(package="kzoo")
class NASCell(KernelCell):
    """NAS cell, which a search found: a tree over eight pairs `x_k`, `h_k` and the memory.

        x_0 .. x_7 = split(W x_t + b, 8);    h_0 .. h_7 = split(U h_{t-1}, 8)
        s = sigmoid;  m_k = x_k + h_k
        c_t = tanh(c_{t-1} + tanh(s(m_0) * relu(m_1))) * tanh(s(m_2) + relu(x_3 * h_3))
        h_t = tanh(c_t * tanh(tanh(tanh(m_4) * s(m_5)) + s(tanh(m_6) + s(m_7))))

    `x_t` is `(batch, features)`, `h_t` and `c_t` are `(batch, units)`; the output is `h_t`, the
    state `[h, c]`. It has twice the weights of an LSTM. The bias belongs to the input's side, which
    makes a difference in the one gate that multiplies input and state. The activations are part of
    what the search found.

    Source: Zoph and Le 2016, "Neural architecture search with reinforcement learning"
    (arXiv 1611.01578), the cells of Figure 8, in the form that TensorFlow's NASCell made known.

    Args:
        units: Positive integer, the width of the state.
        use_bias: Whether to add a bias.
        kernel_initializer: Initializer of the `(features, 8 * units)` input kernel.
        recurrent_initializer: Initializer of the `(units, 8 * units)` recurrent kernel.
        bias_initializer: Initializer of the bias.

    Example:

    >>> import numpy as np
    >>> cell = NASCell(4)
    >>> zeros = np.zeros((2, 4), "float32")
    >>> output, (hidden, carry) = cell(np.ones((2, 3), "float32"), [zeros, zeros])
    >>> tuple(carry.shape)
    (2, 4)
    """

    gates = 8

    def __init__(
        self,
        units,
        use_bias=True,
        kernel_initializer="glorot_uniform",
        recurrent_initializer="glorot_uniform",
        bias_initializer="zeros",
        **kwargs,
    ):
        super().__init__(
            units,
            activation="tanh",
            use_bias=use_bias,
            kernel_initializer=kernel_initializer,
            recurrent_initializer=recurrent_initializer,
            bias_initializer=bias_initializer,
            **kwargs,
        )
        self.state_size = [units, units]

    def step(self, projected, state, recurrent_mask=None):
        """Advances one time step by `nas_step`."""
        hidden, carry = state
        hidden = dropped(hidden, recurrent_mask)
        hidden, carry = nas_step(projected, ops.matmul(hidden, self.recurrent_kernel), carry)
        return hidden, [hidden, carry]

    def get_config(self):
        """Returns the constructor arguments."""
        config = super().get_config()
        del config["activation"]
        return config
