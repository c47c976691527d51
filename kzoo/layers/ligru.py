"""The light GRU: no reset gate, rectified candidates, batch normalization."""

import keras
from keras import ops

from kzoo.layers.cell import KernelCell, dropped


@keras.saving.register_keras_serializable(package="kzoo")
class LiGRUCell(KernelCell):
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
        activation: Activation of the candidate.
        **kwargs: The other arguments of `KernelCell`, but those of the bias.

    Example:

    >>> import numpy as np
    >>> cell = LiGRUCell(4)
    >>> output, state = cell(np.ones((2, 3), "float32"), [np.zeros((2, 4), "float32")])
    >>> tuple(output.shape)
    (2, 4)
    """

    gates = 2

    def __init__(self, units, activation="relu", **kwargs):
        super().__init__(units, activation, use_bias=False, **kwargs)
        self.normalization = keras.layers.BatchNormalization(dtype=self.dtype_policy)

    def build(self, input_shape):
        """Creates both kernels, and the weights of the normalization."""
        super().build(input_shape)
        self.normalization.build((None, self.kernel_width()))

    def project(self, inputs):
        """Returns `BN(W x)` for both gates."""
        projected = super().project(inputs)
        # Keras's layer takes the rank it was built for, and a cell takes any leading axes.
        rows = self.normalization(ops.reshape(projected, (-1, 2 * self.units)))
        return ops.cast(ops.reshape(rows, ops.shape(projected)), projected.dtype)

    def step(self, projected, state, recurrent_mask=None):
        """Advances one time step."""
        (hidden,) = state
        past = ops.matmul(dropped(hidden, recurrent_mask), self.recurrent_kernel)
        update_gate, candidate = ops.split(projected + past, 2, axis=-1)
        update = ops.sigmoid(update_gate)
        hidden = update * hidden + (1 - update) * self.activation(candidate)
        return hidden, [hidden]

    def get_config(self):
        """Returns the constructor arguments."""
        config = super().get_config()
        del config["use_bias"], config["bias_initializer"]
        return config
