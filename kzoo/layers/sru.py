"""The simple recurrent unit: a gated recurrence without a recurrent kernel."""

import math

import keras
from keras import ops

from kzoo.layers.cell import LinearCell, products


@keras.saving.register_keras_serializable(package="kzoo")
class SRUCell(LinearCell):
    """Simple recurrent unit with highway connection and scaled initialisation.

        f_t = sigmoid(W_f x_t + b_f)
        r_t = sigmoid(W_r x_t + b_r)
        c_t = f_t * c_{t-1} + (1 - f_t) * W x_t
        h_t = r_t * c_t + (1 - r_t) * alpha * x_t

    No product with a matrix depends on the past, so a step costs a few operations a unit where an
    LSTM's costs `8 * units`, and the states of all time steps come from one scan. Where input and
    output differ in width, `x_t` of the highway is `W_h x_t`.

    Initialisation follows Lei et al. 2018, section 3.2: kernels are uniform with variance
    `1 / features`, and `alpha = sqrt(1 + 2 * exp(highway_bias))` keeps the variance of the
    highway's output at that of its input.

    Source: Lei, Zhang, Wang, Dai and Artzi, "Simple Recurrent Units for Highly Parallelizable
    Recurrence", EMNLP 2018 (arXiv 1709.02755), Eq. 1 to 4. The paper's last version adds
    `v * c_{t-1}` inside both gates, which makes the recurrence nonlinear; this is its linear form
    (v = 0, arXiv version 1, with the identity in place of tanh).

    Args:
        units: Positive integer, the width of the state.
        highway_bias: Initial value of `b_r`; negative values favour the highway.
        kernel_initializer: Initializer of the kernel `[W, W_f, W_r]` or `[W, W_f, W_r, W_h]`; the
            default is the paper's.

    Example:

    >>> import numpy as np
    >>> cell = SRUCell(4)
    >>> output, state = cell(np.ones((2, 3), "float32"), [np.zeros((2, 4), "float32")])
    >>> tuple(output.shape)
    (2, 4)
    """

    def __init__(self, units, highway_bias=0.0, kernel_initializer="lecun_uniform", **kwargs):
        super().__init__(units, **kwargs)
        self.highway_bias = highway_bias
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.highway_scale = math.sqrt(1 + 2 * math.exp(highway_bias))

    def build(self, input_shape):
        """Creates `kernel` and the bias `[b_f, b_r]`."""
        self.add_matrices(input_shape[-1], 3 if input_shape[-1] == self.units else 4)

    def add_matrices(self, features, matrices):
        """Creates a kernel of that many matrices, and the bias."""
        self.kernel = self.add_weight(
            name="kernel",
            shape=(features, matrices * self.units),
            initializer=self.kernel_initializer,
        )
        self.bias = self.add_weight(name="bias", shape=(2 * self.units,), initializer="zeros")
        self.bias.assign(
            ops.repeat(ops.convert_to_tensor([0.0, self.highway_bias], self.bias.dtype), self.units)
        )

    def project(self, inputs):
        """Returns `(decay, update, reset, highway)`, each `(..., units)`."""
        return self.gate(inputs, inputs)

    def gate(self, inputs, around):
        """Returns what `project` does, where the highway has an input of its own."""
        count = self.kernel.shape[1] // self.units
        candidate, forget, reset, *highway = products(inputs, self.kernel, count)
        forget_bias, reset_bias = ops.split(self.bias, 2)
        forget, reset = ops.sigmoid(forget + forget_bias), ops.sigmoid(reset + reset_bias)
        highway = highway[0] if highway else around
        highway = (1 - reset) * highway * self.highway_scale
        return forget, (1 - forget) * candidate, reset, highway

    def readout(self, projected, state):
        """Returns `h_t` from `c_t`."""
        _, _, reset, highway = projected
        return reset * state + highway

    def get_config(self):
        """Returns the constructor arguments."""
        return {
            **super().get_config(),
            "highway_bias": self.highway_bias,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
        }
