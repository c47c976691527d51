"""The quasi-recurrent network: convolutions over time, then a pooling that remembers."""

import keras
from keras import ops

from kzoo.layers.cell import Cell, LinearCell, biased_products, dropped

# Blocks of columns: the candidate z and the gates that the name lists.
POOLINGS = {"f": 2, "fo": 3, "ifo": 4}


def qrnn_gates(convolved, pooling):
    """Computes what the pooling of a QRNN needs; the equation is in `QRNNCell`.

    Args:
        convolved: List of `z', f', o', i'`, the last ones where the pooling has them, each
            `(..., units)`.
        pooling: "f", "fo" or "ifo".

    Returns:
        `(decay, update, output_gate)`, each `(..., units)`; `output_gate` only with "fo" and "ifo".
    """
    candidate, *gates = convolved
    candidate, gates = ops.tanh(candidate), [ops.sigmoid(gate) for gate in gates]
    forget, *others = gates
    input_gate = others.pop() if pooling == "ifo" else 1 - forget
    return forget, input_gate * candidate, *others


def _check_pooling(pooling):
    if pooling not in POOLINGS:
        raise ValueError(f"`pooling` must be one of {list(POOLINGS)}. Received: {pooling!r}")


@keras.saving.register_keras_serializable(package="kzoo")
class QRNNCell(LinearCell):
    """Quasi-recurrent cell with a convolution of width one, parallel over time.

        z', f', o', i' = split(W x_t + b)
        z, f, o, i = tanh(z'), sigmoid(f'), sigmoid(o'), sigmoid(i')
        c_t = f * c_{t-1} + (1 - f) * z      ("f", "fo")
        c_t = f * c_{t-1} + i * z            ("ifo")
        h_t = c_t ("f"), or o * c_t ("fo", "ifo")

    `x_t` is `(batch, features)`, `c_t` and the output `h_t` are `(batch, units)`; the state is
    `[c]`. There are only the blocks of columns that the pooling names, and the candidate `z'`.
    `WindowedQRNNCell` sees earlier inputs too.

    Source: Bradbury, Merity, Xiong and Socher 2016, "Quasi-recurrent neural networks"
    (arXiv 1611.01576), Eq. 1 to 5.

    Args:
        units: Positive integer, the width of the state.
        pooling: "f", "fo" or "ifo": the gates there are.
        kernel_initializer: Initializer of the `(features, gates * units)` kernel.

    Example:

    >>> import numpy as np
    >>> cell = QRNNCell(4, pooling="ifo")
    >>> output, state = cell(np.ones((2, 3), "float32"), [np.zeros((2, 4), "float32")])
    >>> tuple(output.shape)
    (2, 4)
    """

    def __init__(self, units, pooling="fo", kernel_initializer="glorot_uniform", **kwargs):
        _check_pooling(pooling)
        super().__init__(units, **kwargs)
        self.pooling = pooling
        self.kernel_initializer = keras.initializers.get(kernel_initializer)

    def build(self, input_shape):
        """Creates `kernel` and `bias`."""
        width = POOLINGS[self.pooling] * self.units
        self.kernel = self.add_weight(
            name="kernel", shape=(input_shape[-1], width), initializer=self.kernel_initializer
        )
        self.bias = self.add_weight(name="bias", shape=(width,), initializer="zeros")

    def project(self, inputs):
        """Returns `(decay, update)`, and the output gate with "fo" and "ifo"."""
        convolved = biased_products(inputs, self.kernel, self.bias, POOLINGS[self.pooling])
        return qrnn_gates(convolved, self.pooling)

    def readout(self, projected, state):
        """Returns `h_t` from `c_t`."""
        return state if self.pooling == "f" else projected[2] * state

    def get_config(self):
        """Returns the constructor arguments."""
        return {
            **super().get_config(),
            "pooling": self.pooling,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
        }


@keras.saving.register_keras_serializable(package="kzoo")
class WindowedQRNNCell(Cell):
    """Quasi-recurrent cell whose gates see the last `window` inputs.

        z'_t, f'_t, o'_t, i'_t = W_0 x_t + W_1 x_{t-1} + ... + W_{window-1} x_{t-window+1} + b

    and from there as in `QRNNCell`. Inputs before the first are zero, and masked ones are as if
    they were not there. All products with matrices are made at once, for all time steps; a step
    adds them up and pools, which is a few operations a unit. What earlier inputs will add to the
    gates of the coming steps is a state, so the cell streams as any other:
    `[c, sums of shape (batch, (window - 1) * gates * units)]`.

    Unlike `QRNNCell` it walks step by step: which inputs a window holds depends on the mask and,
    in a stream, on the state, so that its gates are not a function of the inputs of one step.

    Source: Bradbury, Merity, Xiong and Socher 2016 (arXiv 1611.01576), section 2.

    Args:
        units: Positive integer, the width of the output.
        window: Integer of at least two, the width of the convolution.
        pooling: "f", "fo" or "ifo".
        kernel_initializer: Initializer of the `(window, features, gates * units)` kernel.

    Example:

    >>> import numpy as np
    >>> cell = WindowedQRNNCell(4, window=3)
    >>> output, (carry, sums) = cell(np.ones((2, 3), "float32"), cell.get_initial_state(2))
    >>> tuple(output.shape), tuple(sums.shape)
    ((2, 4), (2, 24))
    """

    def __init__(
        self, units, window=2, pooling="fo", kernel_initializer="glorot_uniform", **kwargs
    ):
        _check_pooling(pooling)
        if isinstance(window, bool) or not isinstance(window, int) or window < 2:
            raise ValueError(
                f"`window` must be an integer of at least 2. Received: window={window!r}"
            )
        super().__init__(units, **kwargs)
        self.window = window
        self.pooling = pooling
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.width = POOLINGS[pooling] * units
        self.state_size = [units, (window - 1) * self.width]

    def build(self, input_shape):
        """Creates `kernel` and `bias`; the kernel's first axis counts steps into the past."""
        self.kernel = self.add_weight(
            name="kernel",
            shape=(self.window, input_shape[-1], self.width),
            initializer=self.kernel_initializer,
        )
        self.bias = self.add_weight(name="bias", shape=(self.width,), initializer="zeros")

    def project(self, inputs):
        """Returns `[W_0 x + b, W_1 x, ...]` side by side."""
        kernel = ops.transpose(self.kernel, (1, 0, 2))
        kernel = ops.reshape(kernel, (kernel.shape[0], self.window * self.width))
        bias = ops.pad(self.bias, [[0, (self.window - 1) * self.width]])
        return ops.matmul(inputs, kernel) + bias

    def step(self, projected, state, recurrent_mask=None):
        """Advances one time step; a mask drops units of `c` where they enter the pooling."""
        carry, sums = state
        carry = dropped(carry, recurrent_mask)
        # Each sum moves one step nearer to its use, and takes up its share of this input.
        sums = projected + ops.pad(sums, [[0, 0], [0, self.width]])
        convolved = ops.split(sums[:, : self.width], POOLINGS[self.pooling], axis=-1)
        decay, update, *output_gate = qrnn_gates(convolved, self.pooling)
        carry = decay * carry + update
        output = output_gate[0] * carry if output_gate else carry
        return output, [carry, sums[:, self.width :]]

    def get_config(self):
        """Returns the constructor arguments."""
        return {
            **super().get_config(),
            "window": self.window,
            "pooling": self.pooling,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
        }
