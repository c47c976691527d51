"""JANET: an LSTM that is nothing but its forget gate."""

import keras
from keras import ops

from kzoo.layers.cell import KernelCell, dropped


def janet_step(projected, masked_hidden, hidden, recurrent_kernel, activation, beta):
    """One step of JANET; the equation is in `JANETCell`.

    Args:
        projected: `W x_t + b`, `(batch, 2 * units)`.
        masked_hidden: `h_{t-1}` as the recurrent kernel sees it (after recurrent dropout).
        hidden: `h_{t-1}`, `(batch, units)`.
        recurrent_kernel: `U`, `(units, 2 * units)`.
        activation: Activation of the candidate.
        beta: How much more is written than the forget gate lets go of.

    Returns:
        `h_t`, `(batch, units)`.
    """
    gates = projected + ops.matmul(masked_hidden, recurrent_kernel)
    forget_gate, candidate = ops.split(gates, 2, axis=-1)
    written = ops.sigmoid(beta - forget_gate) * activation(candidate)
    return ops.sigmoid(forget_gate) * hidden + written


@keras.saving.register_keras_serializable(package="kzoo")
class JANETCell(KernelCell):
    """JANET cell: half of the LSTM's weights, and one state.

        s, g = split(W x_t + b + U h_{t-1}, 2)
        h_t = sigmoid(s) * h_{t-1} + (1 - sigmoid(s - beta)) * activation(g)

    `x_t` is `(batch, features)`, `h_t` is `(batch, units)` and the output; the state is `[h]`, the
    gate order f, c.

    Source: van der Westhuizen and Lasenby 2018, "The unreasonable effectiveness of the forget gate"
    (arXiv 1804.04849), section 3, where `beta` is one. It starts the biases of the forget gate as
    `log(uniform(1, T - 1))` for dependencies of up to `T` steps, the chrono initialisation (Tallec
    and Ollivier 2018, arXiv 1804.11188): pass `max_time=T`.

    Args:
        units: Positive integer, the width of the state.
        beta: How much more is written than the forget gate lets go of.
        max_time: Number of time steps of the longest dependency, more than two; None starts the
            biases of the forget gate at one.
        **kwargs: The other arguments of `KernelCell`; `bias_initializer` is the candidate's.

    Example:

    >>> import numpy as np
    >>> cell = JANETCell(4, max_time=100)
    >>> output, state = cell(np.ones((2, 3), "float32"), [np.zeros((2, 4), "float32")])
    >>> tuple(output.shape)
    (2, 4)
    """

    gates = 2

    def __init__(self, units, beta=1.0, max_time=None, **kwargs):
        if max_time is not None and not max_time > 2:
            raise ValueError(f"`max_time` must be more than 2, or None. Received: {max_time!r}")
        super().__init__(units, **kwargs)
        self.beta = beta
        self.max_time = max_time

    def build(self, input_shape):
        """Creates the weights; see `KernelCell.build`."""
        super().build(input_shape)
        if self.use_bias:
            forget = ops.ones((self.units,), self.bias.dtype)
            if self.max_time is not None:
                steps = keras.random.uniform((self.units,), 1.0, self.max_time - 1.0)
                forget = ops.cast(ops.log(steps), self.bias.dtype)
            others = ops.convert_to_tensor(self.bias)[self.units :]
            self.bias.assign(ops.concatenate([forget, others]))

    def step(self, projected, state, recurrent_mask=None):
        """Advances one time step by `janet_step`."""
        hidden = state[0]
        masked_hidden = dropped(hidden, recurrent_mask)
        hidden = janet_step(
            projected, masked_hidden, hidden, self.recurrent_kernel, self.activation, self.beta
        )
        return hidden, [hidden]

    def get_config(self):
        """Returns the constructor arguments."""
        return {**super().get_config(), "beta": self.beta, "max_time": self.max_time}
