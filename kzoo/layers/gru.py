"""The gated recurrent unit, in both forms of the reset gate."""

import keras
from keras import ops

from kzoo.layers.cell import KernelCell, dropped


def gru_step(projected, recurrent, hidden, activation, recurrent_activation):
    """One step of the GRU whose reset gate acts after the recurrent product; see `GRUCell`.

    Args:
        projected: `W x_t + b`, `(batch, 3 * units)`.
        recurrent: `U h_{t-1} + b'`, `(batch, 3 * units)`.
        hidden: `h_{t-1}`, `(batch, units)`.
        activation: Activation of the candidate.
        recurrent_activation: Activation of the gates.

    Returns:
        `h_t`, `(batch, units)`.
    """
    return gru_update(projected, recurrent, hidden, activation, recurrent_activation)


def gru_update(projected, recurrent, hidden, activation, recurrent_activation, keep=tuple):
    """Computes what `gru_step` does.

    The values `(z, r, n, n_h)`, which the gradient needs, go through `keep`.
    """
    update_x, reset_x, candidate_x = ops.split(projected, 3, axis=-1)
    update_h, reset_h, candidate_h = ops.split(recurrent, 3, axis=-1)
    update = recurrent_activation(update_x + update_h)
    reset = recurrent_activation(reset_x + reset_h)
    candidate = activation(candidate_x + reset * candidate_h)
    update, _, candidate, _ = keep((update, reset, candidate, candidate_h))
    # The same as in the equation, by three operations where that takes four.
    return candidate + update * (hidden - candidate)


def gru_reset_before_step(
    projected, masked_hidden, hidden, recurrent_kernel, activation, recurrent_activation
):
    """One step of the GRU whose reset gate acts before the recurrent product; see `GRUCell`.

    Args:
        projected: `W x_t + b = [z_x, r_x, n_x]`, `(batch, 3 * units)`.
        masked_hidden: `h_{t-1}` as the recurrent kernel sees it (after recurrent dropout).
        hidden: `h_{t-1}`, `(batch, units)`.
        recurrent_kernel: `U = [U_z, U_r, U_n]`, `(units, 3 * units)`.
        activation: Activation of the candidate.
        recurrent_activation: Activation of the gates.

    Returns:
        `h_t`, `(batch, units)`.
    """
    units = hidden.shape[-1]
    gates = recurrent_activation(
        projected[:, : 2 * units] + ops.matmul(masked_hidden, recurrent_kernel[:, : 2 * units])
    )
    update, reset = ops.split(gates, 2, axis=-1)
    candidate = activation(
        projected[:, 2 * units :]
        + ops.matmul(reset * masked_hidden, recurrent_kernel[:, 2 * units :])
    )
    return candidate + update * (hidden - candidate)


@keras.saving.register_keras_serializable(package="kzoo")
class GRUCell(KernelCell):
    """GRU cell, with the weights of `keras.layers.GRU`.

        z_x, r_x, n_x = split(W x_t + b, 3)
        z = recurrent_activation(z_x + U_z h_{t-1} + b'_z)
        r = recurrent_activation(r_x + U_r h_{t-1} + b'_r)
        n = activation(n_x + r * (U_n h_{t-1} + b'_n))      with `reset_after`
        n = activation(n_x + U_n (r * h_{t-1}))             without, where there is no b' either
        h_t = z * h_{t-1} + (1 - z) * n

    `x_t` is `(batch, features)`, `h_t` is `(batch, units)` and the output; the state is `[h]`.

    Source: Cho et al. 2014, arXiv 1406.1078v3, Eq. 5 to 8, without `reset_after`; with it the first
    version, arXiv 1406.1078v1, and cuDNN's form. Gate order z, r, h as in `keras.layers.GRU`.

    Args:
        units: Positive integer, the width of the state.
        recurrent_activation: Activation of the gates.
        reset_after: Whether the reset gate acts after the recurrent product, which makes a step one
            matrix product and gives the recurrent product a bias of its own.
        **kwargs: The other arguments of `KernelCell`.

    Example:

    >>> import numpy as np
    >>> cell = GRUCell(4, reset_after=False)
    >>> output, state = cell(np.ones((2, 3), "float32"), [np.zeros((2, 4), "float32")])
    >>> tuple(output.shape)
    (2, 4)
    """

    gates = 3

    def __init__(self, units, recurrent_activation="sigmoid", reset_after=True, **kwargs):
        super().__init__(units, **kwargs)
        self.recurrent_activation = keras.activations.get(recurrent_activation)
        self.reset_after = reset_after

    def bias_shape(self):
        """Returns `(2, 3 * units)` for input and recurrent bias, or `(3 * units,)`."""
        return (2, 3 * self.units) if self.reset_after else (3 * self.units,)

    def project(self, inputs):
        """Returns `W x + b` for all gates."""
        projected = ops.matmul(inputs, self.kernel)
        if not self.use_bias:
            return projected
        return projected + (self.bias[0] if self.reset_after else self.bias)

    def step(self, projected, state, recurrent_mask=None):
        """Advances one time step by `gru_step` or `gru_reset_before_step`."""
        hidden = state[0]
        masked_hidden = dropped(hidden, recurrent_mask)
        activations = self.activation, self.recurrent_activation
        if self.reset_after:
            recurrent = ops.matmul(masked_hidden, self.recurrent_kernel)
            if self.use_bias:
                recurrent = recurrent + self.bias[1]
            hidden = gru_step(projected, recurrent, hidden, *activations)
        else:
            hidden = gru_reset_before_step(
                projected, masked_hidden, hidden, self.recurrent_kernel, *activations
            )
        return hidden, [hidden]

    def get_config(self):
        """Returns the constructor arguments."""
        return {
            **super().get_config(),
            "recurrent_activation": keras.activations.serialize(self.recurrent_activation),
            "reset_after": self.reset_after,
        }
