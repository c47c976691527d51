"""The light GRU: no reset gate, rectified candidates, batch normalization."""

import keras
from keras import ops

from kzoo.layers.cell import Cell


@keras.saving.register_keras_serializable(package="kzoo")
class LiGRUCell(Cell):
    """Light gated recurrent unit, made for speech.

        z_t = sigmoid(BN(W_z x_t) + U_z h_{t-1})
        n_t = relu(BN(W_n x_t) + U_n h_{t-1})
        h_t = z_t * h_{t-1} + (1 - z_t) * n_t

    Batch normalization, over all rows and time steps of a batch in training, keeps the rectified
    candidates in range and supplies the bias. It is applied to all time steps at once, padding
    included. On JAX, train with `kzoo.layers.Recurrent`: inside the loop of `keras.layers.RNN` its
    moving averages cannot be updated.

    Source: Ravanelli, Brakel, Omologo and Bengio 2018, "Light gated recurrent units for speech
    recognition" (arXiv 1803.10225), section III; gate order z, n.

    Args:
        units: Positive integer, the width of the state.
        kernel_initializer: Initializer of the `(features, 2 * units)` input kernel.
        recurrent_initializer: Initializer of the `(units, 2 * units)` recurrent kernel; the paper's
            is orthogonal.

    Example:

    >>> import numpy as np
    >>> cell = LiGRUCell(4)
    >>> output, state = cell(np.ones((2, 3), "float32"), [np.zeros((2, 4), "float32")])
    >>> tuple(output.shape)
    (2, 4)
    """

    def __init__(
        self,
        units,
        kernel_initializer="glorot_uniform",
        recurrent_initializer="orthogonal",
        **kwargs,
    ):
        super().__init__(units, **kwargs)
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.recurrent_initializer = keras.initializers.get(recurrent_initializer)
        self.normalization = keras.layers.BatchNormalization(dtype=self.dtype_policy)

    def build(self, input_shape):
        """Creates `kernel`, `recurrent_kernel` and the normalization's weights."""
        width = 2 * self.units
        self.kernel = self.add_weight(
            name="kernel", shape=(input_shape[-1], width), initializer=self.kernel_initializer
        )
        self.recurrent_kernel = self.add_weight(
            name="recurrent_kernel",
            shape=(self.units, width),
            initializer=self.recurrent_initializer,
        )
        self.normalization.build((None, width))

    def project(self, inputs):
        """Returns `BN(W x)` for both gates."""
        projected = ops.matmul(inputs, self.kernel)
        # Keras's layer takes the rank it was built for, and a cell takes any leading axes.
        rows = self.normalization(ops.reshape(projected, (-1, 2 * self.units)))
        return ops.cast(ops.reshape(rows, ops.shape(projected)), projected.dtype)

    def step(self, projected, state, recurrent_mask=None):
        """Advances one time step."""
        hidden = state[0]
        masked_hidden = hidden if recurrent_mask is None else hidden * recurrent_mask
        gates = projected + ops.matmul(masked_hidden, self.recurrent_kernel)
        update_gate, candidate = ops.split(gates, 2, axis=-1)
        update = ops.sigmoid(update_gate)
        hidden = update * hidden + (1 - update) * ops.relu(candidate)
        return hidden, [hidden]

    def get_config(self):
        """Returns the constructor arguments."""
        return {
            **super().get_config(),
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "recurrent_initializer": keras.initializers.serialize(self.recurrent_initializer),
        }
