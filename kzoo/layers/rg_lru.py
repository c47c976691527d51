"""The real-gated linear recurrent unit of Griffin and RecurrentGemma."""

import keras
from keras import ops

from kzoo.layers.cell import LinearCell, products

# The paper's constant: how much stronger than `a` the gate can make the decay.
GATE_POWER = 8.0
# The smallest 1 - a^2 whose root is taken: the root's slope is infinite at zero.
SMALLEST_GAIN = 1e-6


@keras.saving.register_keras_serializable(package="kzoo")
class RGLRUCell(LinearCell):
    """Real-gated linear recurrent unit (RG-LRU), parallel over time.

        r_t = sigmoid(W_a x_t + b_a)
        i_t = sigmoid(W_x x_t + b_x)
        a_t = sigmoid(L) ** (8 * r_t)
        h_t = a_t * h_{t-1} + sqrt(1 - a_t^2) * (i_t * x_t)

    The decay `a_t` is computed as `exp(8 * r_t * log_sigmoid(L))` in float32. Where input and
    state differ in width, the `x_t` of the last line is `W x_t`.

    Source: De et al. 2024, "Griffin: mixing gated linear recurrences with local attention for
    efficient language models" (arXiv 2402.19427), Eq. 1 to 4. As in its section 2.4, kernels start
    as LeCun's and `sigmoid(L) ** 8` uniform between `min_decay` and `max_decay`.

    Args:
        units: Positive integer, the width of the state.
        min_decay: Smallest decay of the start, where the gate is fully open.
        max_decay: Largest decay of the start.
        kernel_initializer: Initializer of the kernel `[W_a, W_x]` or `[W_a, W_x, W]`.

    Example:

    >>> import numpy as np
    >>> cell = RGLRUCell(4)
    >>> output, state = cell(np.ones((2, 3), "float32"), [np.zeros((2, 4), "float32")])
    >>> tuple(output.shape)
    (2, 4)
    """

    def __init__(
        self,
        units,
        min_decay=0.9,
        max_decay=0.999,
        kernel_initializer="lecun_normal",
        **kwargs,
    ):
        if not 0 < min_decay <= max_decay < 1:
            raise ValueError(
                "`min_decay` and `max_decay` must hold 0 < min_decay <= max_decay < 1. "
                f"Received: min_decay={min_decay}, max_decay={max_decay}"
            )
        super().__init__(units, **kwargs)
        self.min_decay = min_decay
        self.max_decay = max_decay
        self.kernel_initializer = keras.initializers.get(kernel_initializer)

    def build(self, input_shape):
        """Creates `kernel`, the bias `[b_a, b_x]` and the decay's logit `L`."""
        features = input_shape[-1]
        matrices = 2 if features == self.units else 3
        self.kernel = self.add_weight(
            name="kernel",
            shape=(features, matrices * self.units),
            initializer=self.kernel_initializer,
        )
        self.bias = self.add_weight(name="bias", shape=(2 * self.units,), initializer="zeros")
        self.decay_logit = self.add_weight(
            name="decay_logit", shape=(self.units,), initializer=self._initial_decay_logit
        )

    def _initial_decay_logit(self, shape, dtype):
        decay = keras.random.uniform(shape, self.min_decay, self.max_decay, dtype)
        root = decay ** (1 / GATE_POWER)
        return ops.log(root) - ops.log(1 - root)

    def project(self, inputs):
        """Returns `(a_t, sqrt(1 - a_t^2) * i_t * x_t)`."""
        count = self.kernel.shape[1] // self.units
        recurrence_gate, input_gate, *values = products(inputs, self.kernel, count)
        recurrence_bias, input_bias = ops.split(self.bias, 2)
        recurrence_gate = ops.sigmoid(recurrence_gate + recurrence_bias)
        input_gate = ops.sigmoid(input_gate + input_bias)
        values = values[0] if values else inputs
        log_sigmoid = ops.log_sigmoid(ops.cast(self.decay_logit, "float32"))
        log_decay = GATE_POWER * ops.cast(recurrence_gate, "float32") * log_sigmoid
        gain = ops.sqrt(ops.maximum(1 - ops.exp(2 * log_decay), SMALLEST_GAIN))
        dtype = input_gate.dtype
        return ops.cast(ops.exp(log_decay), dtype), ops.cast(gain, dtype) * input_gate * values

    def get_config(self):
        """Returns the constructor arguments."""
        return {
            **super().get_config(),
            "min_decay": self.min_decay,
            "max_decay": self.max_decay,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
        }
