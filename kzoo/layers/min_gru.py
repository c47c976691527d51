"""minGRU and minLSTM: the GRU and the LSTM without the past in their gates."""

import keras
from keras import ops

from kzoo.layers.cell import LinearCell, biased_products


class MinimalCell(LinearCell):
    """Base of linear cells with one kernel and one bias, whose output is the state.

    Args:
        units: Positive integer, the width of the state.
        kernel_initializer: Initializer of the `(features, gates * units)` kernel.
        bias_initializer: Initializer of the `(gates * units,)` bias.
    """

    gates = 2

    def __init__(
        self, units, kernel_initializer="glorot_uniform", bias_initializer="zeros", **kwargs
    ):
        super().__init__(units, **kwargs)
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.bias_initializer = keras.initializers.get(bias_initializer)

    def build(self, input_shape):
        """Creates `kernel` and `bias`."""
        width = self.gates * self.units
        self.kernel = self.add_weight(
            name="kernel", shape=(input_shape[-1], width), initializer=self.kernel_initializer
        )
        self.bias = self.add_weight(name="bias", shape=(width,), initializer=self.bias_initializer)

    def get_config(self):
        """Returns the constructor arguments."""
        return {
            **super().get_config(),
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "bias_initializer": keras.initializers.serialize(self.bias_initializer),
        }


@keras.saving.register_keras_serializable(package="kzoo")
class MinGRUCell(MinimalCell):
    """Minimal GRU, parallel over time.

        z_t = sigmoid(W_z x_t + b_z)
        n_t = W_n x_t + b_n
        h_t = (1 - z_t) * h_{t-1} + z_t * n_t

    The update gate weighs the candidate, where the GRU's weighs the past.

    Source: Feng, Tung, Ahmed, Bengio and Hajimirsadeghi 2024, "Were RNNs all we needed?"
    (arXiv 2410.01201), section 3.1. Kernel and bias hold z, then n.

    Args:
        units: Positive integer, the width of the state.
        **kwargs: `kernel_initializer` and `bias_initializer`, as in `KernelCell`.

    Example:

    >>> import numpy as np
    >>> cell = MinGRUCell(4)
    >>> output, state = cell(np.ones((2, 3), "float32"), [np.zeros((2, 4), "float32")])
    >>> tuple(output.shape)
    (2, 4)
    """

    def project(self, inputs):
        """Returns `(1 - z, z * n)`."""
        update, candidate = biased_products(inputs, self.kernel, self.bias, self.gates)
        return ops.sigmoid(-update), ops.sigmoid(update) * candidate


@keras.saving.register_keras_serializable(package="kzoo")
class MinLSTMCell(MinimalCell):
    """Minimal LSTM with normalised gates, parallel over time.

        f_t = sigmoid(W_f x_t + b_f);    i_t = sigmoid(W_i x_t + b_i)
        n_t = W_n x_t + b_n
        h_t = f_t / (f_t + i_t) * h_{t-1} + i_t / (f_t + i_t) * n_t

    Normalised gates add up to one, so the state's size does not depend on the length.

    Source: Feng, Tung, Ahmed, Bengio and Hajimirsadeghi 2024, "Were RNNs all we needed?"
    (arXiv 2410.01201), section 3.2. Kernel and bias hold f, i, then n.

    Args:
        units: Positive integer, the width of the state.
        **kwargs: `kernel_initializer` and `bias_initializer`, as in `KernelCell`.

    Example:

    >>> import numpy as np
    >>> cell = MinLSTMCell(4)
    >>> output, state = cell(np.ones((2, 3), "float32"), [np.zeros((2, 4), "float32")])
    >>> tuple(output.shape)
    (2, 4)
    """

    gates = 3

    def project(self, inputs):
        """Returns the normalised forget gate, and the normalised input gate times `n`."""
        projected = biased_products(inputs, self.kernel, self.bias, self.gates)
        forget_gate, input_gate, candidate = projected
        # f / (f + i) as a sigmoid of log f - log i, which no half precision can divide by zero.
        log_ratio = ops.log_sigmoid(forget_gate) - ops.log_sigmoid(input_gate)
        return ops.sigmoid(log_ratio), ops.sigmoid(-log_ratio) * candidate
