"""Rotary positions: queries and keys turn by an angle that grows with their position."""

from keras import ops

BASE = 10000.0


def rotate(x, positions):
    """Turns pairs of features by the position times a frequency.

        theta_i = 10000^{-2i / head_dim},   a = position * theta_i
        y_i = x_i cos a - x_j sin a,   y_j = x_j cos a + x_i sin a,   j = i + head_dim / 2

    The product of a turned query and a turned key depends on the distance of their positions alone.
    The paper pairs neighbouring features; here as in most implementations the halves are paired,
    which is the same but for the order of the columns of two learned kernels.

    Source: Su et al. 2021, "RoFormer: Enhanced Transformer with Rotary Position Embedding" (arXiv
    2104.09864), Eq. 34.

    Args:
        x: `(batch, time, heads, head_dim)`, `head_dim` even.
        positions: int32, broadcastable to `(batch, time)`.

    Returns:
        Like `x`.

    Example, a quarter of a turn:

    >>> import numpy as np
    >>> x = np.array([[[[1.0, 0.0]]]], "float32")
    >>> [round(float(y), 3) for y in rotate(x, np.array([[np.pi / 2]]))[0, 0, 0]]
    [-0.0, 1.0]
    """
    half = x.shape[-1] // 2
    frequencies = BASE ** (-ops.arange(half, dtype="float32") / half)
    angles = ops.expand_dims(ops.cast(positions, "float32"), -1) * frequencies
    angles = ops.expand_dims(angles, 2)
    cosine, sine = ops.cast(ops.cos(angles), x.dtype), ops.cast(ops.sin(angles), x.dtype)
    first, second = x[:, :, :, :half], x[:, :, :, half:]
    return ops.concatenate(
        [first * cosine - second * sine, second * cosine + first * sine], axis=-1
    )
