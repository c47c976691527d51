"""Sinusoidal positions."""

import keras
from keras import ops

from kzoo.layers.positions import Positions

BASE = 10000.0


def sinusoids(positions, size):
    """Returns the encodings of positions; the equation is in `SinusoidalPositions`.

    Args:
        positions: Integers of any shape.
        size: Even integer, the width of an encoding.

    Returns:
        Float32 of shape `(*positions.shape, size)`.

    Example:

    >>> import numpy as np
    >>> [round(float(x), 3) for x in sinusoids(np.array([1]), 4)[0]]
    [0.841, 0.54, 0.01, 1.0]
    """
    frequencies = BASE ** (-2.0 / size * ops.arange(size // 2, dtype="float32"))
    angles = ops.expand_dims(ops.cast(positions, "float32"), -1) * frequencies
    pairs = ops.stack([ops.sin(angles), ops.cos(angles)], axis=-1)
    return ops.reshape(pairs, (*ops.shape(angles)[:-1], size))


@keras.saving.register_keras_serializable(package="kzoo")
class SinusoidalPositions(Positions):
    """Adds sinusoids of the position. It has no weights and any length.

        y_t = x_t + PE(t)
        PE(t)_{2i} = sin(t / 10000^{2i / features})
        PE(t)_{2i + 1} = cos(t / 10000^{2i / features})

    Source: Vaswani et al. 2017, "Attention Is All You Need" (arXiv 1706.03762), section 3.5.

    Call arguments:
        inputs: `(batch, time, features)`, the number of features even.
        positions: Optional int32 `(batch or 1, time)`; 0, 1, 2, ... by default.

    Returns:
        Like `inputs`.

    Example:

    >>> import numpy as np
    >>> outputs = SinusoidalPositions()(np.zeros((1, 2, 4), "float32"))
    >>> ops.convert_to_numpy(outputs[0, 0]).tolist()
    [0.0, 1.0, 0.0, 1.0]
    """

    def build(self, inputs_shape, positions_shape=None):
        """Checks the width."""
        if inputs_shape[-1] % 2:
            raise ValueError(
                f"`inputs` must have an even number of features. Received: shape={inputs_shape}"
            )

    def encode(self, positions, size):
        """Returns the encodings of positions."""
        return sinusoids(positions, size)
