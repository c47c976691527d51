"""Plain recurrent cells that start from, or keep to, the identity: IRNN and IndRNN."""

import keras
from keras import ops

from kzoo.layers.cell import KernelCell, dropped
from kzoo.layers.simple_rnn import SimpleRNNCell


@keras.saving.register_keras_serializable(package="kzoo")
class IRNNCell(SimpleRNNCell):
    """Elman's cell with rectified units and an identity for its recurrent kernel.

        h_t = relu(W x_t + b + U h_{t-1}),    U = identity at the start

    Untrained, the cell adds its inputs up, and errors travel back in time unchanged. The input
    kernel starts normal with standard deviation 0.001, as in the paper.

    Source: Le, Jaitly and Hinton 2015, "A simple way to initialize recurrent networks of rectified
    linear units" (arXiv 1504.00941). For long inputs it scales the identity down: pass
    `keras.initializers.Identity(gain=0.01)`.

    Args:
        units: Positive integer, the width of the state.
        **kwargs: The other arguments of `KernelCell`, with the defaults above.

    Example:

    >>> import numpy as np
    >>> cell = IRNNCell(2, kernel_initializer="ones")
    >>> output, state = cell(np.ones((1, 3), "float32"), [np.ones((1, 2), "float32")])
    >>> np.array(output).tolist()
    [[4.0, 4.0]]
    """

    def __init__(
        self,
        units,
        activation="relu",
        kernel_initializer=None,
        recurrent_initializer="identity",
        **kwargs,
    ):
        if kernel_initializer is None:
            kernel_initializer = keras.initializers.RandomNormal(stddev=0.001)
        super().__init__(
            units,
            activation=activation,
            kernel_initializer=kernel_initializer,
            recurrent_initializer=recurrent_initializer,
            **kwargs,
        )


@keras.saving.register_keras_serializable(package="kzoo")
class KeepWithin(keras.constraints.Constraint):
    """Clips weights to `[-limit, limit]` after every update.

    Args:
        limit: Positive float.

    Example:

    >>> import numpy as np
    >>> np.array(KeepWithin(1.0)(np.array([-3.0, 0.5]))).tolist()
    [-1.0, 0.5]
    """

    def __init__(self, limit):
        self.limit = limit

    def __call__(self, w):
        """Returns the clipped weights."""
        return ops.clip(w, -self.limit, self.limit)

    def get_config(self):
        """Returns the constructor arguments."""
        return {"limit": self.limit}


@keras.saving.register_keras_serializable(package="kzoo")
class IndRNNCell(KernelCell):
    """Independently recurrent cell: every unit remembers itself alone.

        h_t = activation(W x_t + u * h_{t-1} + b)

    `u` is a vector, so a step costs one multiplication a unit, and the gradient through `t` steps
    is a power of one number, which `limit` keeps in bounds. For sequences of `T` steps the paper
    takes `limit = 2 ** (1 / T)`, which is barely above the one that is the default here, and starts
    `u` uniform in `[0, limit]`.

    Source: Li, Li, Cook, Zhu and Gao 2018 (arXiv 1803.04831), Eq. 2 and section 3.

    Args:
        units: Positive integer, the width of the state.
        activation: Activation of the new state.
        limit: Positive float: `u` stays within `[-limit, limit]`.
        recurrent_initializer: Initializer of `u`; None is the paper's.
        **kwargs: The other arguments of `KernelCell`.

    Example:

    >>> import numpy as np
    >>> cell = IndRNNCell(4)
    >>> output, state = cell(np.ones((2, 3), "float32"), [np.zeros((2, 4), "float32")])
    >>> tuple(output.shape)
    (2, 4)
    """

    def __init__(self, units, activation="relu", limit=1.0, recurrent_initializer=None, **kwargs):
        if not limit > 0:
            raise ValueError(f"`limit` must be positive. Received: limit={limit!r}")
        if recurrent_initializer is None:
            recurrent_initializer = keras.initializers.RandomUniform(0.0, limit)
        super().__init__(
            units, activation=activation, recurrent_initializer=recurrent_initializer, **kwargs
        )
        self.limit = limit

    def build(self, input_shape):
        """Creates `kernel`, the vector `recurrent_kernel` and `bias`."""
        self.kernel = self.add_weight(
            name="kernel",
            shape=(input_shape[-1], self.units),
            initializer=self.kernel_initializer,
        )
        self.recurrent_kernel = self.add_weight(
            name="recurrent_kernel",
            shape=(self.units,),
            initializer=self.recurrent_initializer,
            constraint=KeepWithin(self.limit),
        )
        if self.use_bias:
            self.bias = self.add_weight(
                name="bias", shape=(self.units,), initializer=self.bias_initializer
            )

    def step(self, projected, state, recurrent_mask=None):
        """Advances one time step."""
        hidden = dropped(state[0], recurrent_mask)
        hidden = self.activation(projected + self.recurrent_kernel * hidden)
        return hidden, [hidden]

    def get_config(self):
        """Returns the constructor arguments."""
        return {**super().get_config(), "limit": self.limit}
