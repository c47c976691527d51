"""The minimal gated unit: a GRU with one gate."""

import keras
from keras import ops

from kzoo.layers.cell import KernelCell, dropped


def mgu_step(projected, masked_hidden, hidden, recurrent_kernel, activation):
    """One step of the minimal gated unit; the equation is in `MGUCell`.

    Args:
        projected: `W x_t + b = [f_x, n_x]`, `(batch, 2 * units)`.
        masked_hidden: `h_{t-1}` as the recurrent kernel sees it (after recurrent dropout).
        hidden: `h_{t-1}`, `(batch, units)`.
        recurrent_kernel: `U = [U_f, U_n]`, `(units, 2 * units)`.
        activation: Activation of the candidate.

    Returns:
        `h_t`, `(batch, units)`.
    """
    units = hidden.shape[-1]
    forget = ops.sigmoid(
        projected[:, :units] + ops.matmul(masked_hidden, recurrent_kernel[:, :units])
    )
    candidate = activation(
        projected[:, units:] + ops.matmul(forget * masked_hidden, recurrent_kernel[:, units:])
    )
    return (1 - forget) * hidden + forget * candidate


@keras.saving.register_keras_serializable(package="kzoo")
class MGUCell(KernelCell):
    """Minimal gated unit: one gate resets and updates, with two thirds of the GRU's weights.

        f = sigmoid(W_f x_t + b_f + U_f h_{t-1})
        n = activation(W_n x_t + b_n + U_n (f * h_{t-1}))
        h_t = (1 - f) * h_{t-1} + f * n

    `x_t` is `(batch, features)`, `h_t` is `(batch, units)` and the output; the state is `[h]`, the
    gate order f, n.

    Source: Zhou, Wu, Zhang and Zhou 2016, "Minimal gated unit for recurrent neural networks"
    (arXiv 1603.09420), section 3.

    Args:
        units: Positive integer, the width of the state.
        **kwargs: The other arguments of `KernelCell`.

    Example:

    >>> import numpy as np
    >>> cell = MGUCell(4)
    >>> output, state = cell(np.ones((2, 3), "float32"), [np.zeros((2, 4), "float32")])
    >>> tuple(output.shape)
    (2, 4)
    """

    gates = 2

    def step(self, projected, state, recurrent_mask=None):
        """Advances one time step by `mgu_step`."""
        hidden = state[0]
        masked_hidden = dropped(hidden, recurrent_mask)
        hidden = mgu_step(projected, masked_hidden, hidden, self.recurrent_kernel, self.activation)
        return hidden, [hidden]
