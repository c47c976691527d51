"""The Jordan network: what comes back is the output."""

import keras
from keras import ops

from kzoo.layers.cell import KernelCell, dropped
from kzoo.layers.checks import check_sizes


@keras.saving.register_keras_serializable(package="kzoo")
class JordanCell(KernelCell):
    """Jordan's recurrent cell: a hidden layer that sees the previous output.

        n_t = activation(W x_t + b + U y_{t-1})
        y_t = output_activation(V n_t + b_y)

    Source: Jordan 1986, "Serial order: a parallel distributed processing approach", in the form
    that stands beside Elman's in textbooks (a decay of the fed back outputs is left out). `V`
    starts as Glorot's, `b_y` at zero. The state is `[y]`.

    Args:
        units: Positive integer, the width of the output.
        hidden_dim: Width of the hidden layer; `units` by default.
        output_activation: Activation of the output; bounded ones keep long walks stable.
        **kwargs: The other arguments of `KernelCell`.

    Example:

    >>> import numpy as np
    >>> cell = JordanCell(4, hidden_dim=16)
    >>> output, state = cell(np.ones((2, 3), "float32"), [np.zeros((2, 4), "float32")])
    >>> tuple(output.shape)
    (2, 4)
    """

    def __init__(self, units, hidden_dim=None, output_activation="tanh", **kwargs):
        super().__init__(units, **kwargs)
        hidden_dim = units if hidden_dim is None else hidden_dim
        check_sizes(hidden_dim=hidden_dim)
        self.hidden_dim = hidden_dim
        self.output_activation = keras.activations.get(output_activation)

    def build(self, input_shape):
        """Creates `kernel`, `recurrent_kernel`, `bias`, `output_kernel` and `output_bias`."""
        self.kernel = self.add_weight(
            name="kernel",
            shape=(input_shape[-1], self.hidden_dim),
            initializer=self.kernel_initializer,
        )
        self.recurrent_kernel = self.add_weight(
            name="recurrent_kernel",
            shape=(self.units, self.hidden_dim),
            initializer=self.recurrent_initializer,
        )
        if self.use_bias:
            self.bias = self.add_weight(
                name="bias", shape=(self.hidden_dim,), initializer=self.bias_initializer
            )
        self.output_kernel = self.add_weight(
            name="output_kernel",
            shape=(self.hidden_dim, self.units),
            initializer="glorot_uniform",
        )
        if self.use_bias:
            self.output_bias = self.add_weight(
                name="output_bias", shape=(self.units,), initializer="zeros"
            )

    def step(self, projected, state, recurrent_mask=None):
        """Advances one time step."""
        output = dropped(state[0], recurrent_mask)
        hidden = self.activation(projected + ops.matmul(output, self.recurrent_kernel))
        output = ops.matmul(hidden, self.output_kernel)
        output = self.output_activation(output + self.output_bias if self.use_bias else output)
        return output, [output]

    def get_config(self):
        """Returns the constructor arguments."""
        return {
            **super().get_config(),
            "hidden_dim": self.hidden_dim,
            "output_activation": keras.activations.serialize(self.output_activation),
        }
