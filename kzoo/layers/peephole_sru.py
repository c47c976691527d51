"""The simple recurrent unit whose gates see the state."""

import math

import keras
from keras import ops

from kzoo.layers.cell import Cell, dropped


def peephole_sru_step(projected, masked_carry, carry, peephole, highway_scale):
    """One step of the SRU in its published form; the equation is in `PeepholeSRUCell`.

    Args:
        projected: `W x_t, W_f x_t + b_f, W_r x_t + b_r, x_t`, `(batch, 4 * units)`.
        masked_carry: `c_{t-1}` as the gates see it (after recurrent dropout).
        carry: `c_{t-1}`, `(batch, units)`.
        peephole: `v_f, v_r`, `(2, units)`.
        highway_scale: `alpha`.

    Returns:
        `(h_t, c_t)`, each `(batch, units)`.
    """
    candidate, forget_gate, reset_gate, highway = ops.split(projected, 4, axis=-1)
    forget = ops.sigmoid(forget_gate + peephole[0] * masked_carry)
    reset = ops.sigmoid(reset_gate + peephole[1] * masked_carry)
    carry = forget * carry + (1 - forget) * candidate
    return reset * carry + (1 - reset) * highway_scale * highway, carry


@keras.saving.register_keras_serializable(package="kzoo")
class PeepholeSRUCell(Cell):
    """Simple recurrent unit with the vectors `v` in its gates.

        f_t = sigmoid(W_f x_t + b_f + v_f * c_{t-1})
        r_t = sigmoid(W_r x_t + b_r + v_r * c_{t-1})
        c_t = f_t * c_{t-1} + (1 - f_t) * W x_t
        h_t = r_t * c_t + (1 - r_t) * alpha * x_t

    `x_t` is `(batch, features)`, `c_t` and the output `h_t` are `(batch, units)`; the state is
    `[c]`. A step has no product with a matrix, but its gates wait for the past, so that it walks
    step by step where `SRUCell` is parallel over time. Where input and output differ in width,
    `x_t` of the highway is `W_h x_t`.

    Initialisation follows section 3.2 of the paper, and its authors' program for `v`: `alpha` as in
    `SRUCell`; `W` uniform with variance `1 / features`, the gates' kernels with half of that, and
    `v` uniform with variance one half, so that both terms of a gate have equal shares.

    Source: Lei, Zhang, Wang, Dai and Artzi, "Simple Recurrent Units for Highly Parallelizable
    Recurrence", EMNLP 2018 (arXiv 1709.02755), Eq. 1 to 4.

    Args:
        units: Positive integer, the width of the state.
        highway_bias: Initial value of `b_r`; negative values favour the highway.

    Example:

    >>> import numpy as np
    >>> cell = PeepholeSRUCell(4)
    >>> output, state = cell(np.ones((2, 3), "float32"), [np.zeros((2, 4), "float32")])
    >>> tuple(output.shape)
    (2, 4)
    """

    def __init__(self, units, highway_bias=0.0, **kwargs):
        super().__init__(units, **kwargs)
        self.highway_bias = highway_bias
        self.highway_scale = math.sqrt(1 + 2 * math.exp(highway_bias))

    def build(self, input_shape):
        """Creates `kernel`, `[W, W_f, W_r]` or `[W, W_f, W_r, W_h]`, then `[b_f, b_r]` and `v`."""
        self.kernel = self.add_weight(
            name="kernel",
            shape=(input_shape[-1], (3 if input_shape[-1] == self.units else 4) * self.units),
            initializer=self._initial_kernel,
        )
        self.bias = self.add_weight(
            name="bias", shape=(2 * self.units,), initializer=self._initial_bias
        )
        limit = math.sqrt(3 / 2)
        self.peephole = self.add_weight(
            name="peephole",
            shape=(2, self.units),
            initializer=keras.initializers.RandomUniform(-limit, limit),
        )

    def _initial_kernel(self, shape, dtype):
        column = ops.arange(shape[1]) // self.units
        gate = ops.logical_or(column == 1, column == 2)
        limit = math.sqrt(3 / shape[0])
        kernel = keras.random.uniform(shape, -limit, limit, dtype)
        return ops.where(gate, math.sqrt(1 / 2) * kernel, kernel)

    def _initial_bias(self, shape, dtype):
        return ops.repeat(ops.convert_to_tensor([0.0, self.highway_bias], dtype), self.units)

    def project(self, inputs):
        """Returns `W x, W_f x + b_f, W_r x + b_r` and the highway, side by side."""
        units = self.units
        same_width = self.kernel.shape[1] == 3 * units
        bias = ops.pad(self.bias, [[units, 0 if same_width else units]])
        projected = ops.matmul(inputs, self.kernel) + bias
        return ops.concatenate([projected, inputs], axis=-1) if same_width else projected

    def step(self, projected, state, recurrent_mask=None):
        """Advances one time step by `peephole_sru_step`."""
        carry = state[0]
        masked_carry = dropped(carry, recurrent_mask)
        output, carry = peephole_sru_step(
            projected, masked_carry, carry, self.peephole, self.highway_scale
        )
        return output, [carry]

    def get_config(self):
        """Returns the constructor arguments."""
        return {**super().get_config(), "highway_bias": self.highway_bias}
