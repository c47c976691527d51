"""Attention with linear biases: the farther a key, the lower its score."""

import math

import numpy as np
from keras import ops


def alibi_slopes(num_heads):
    """Returns the slope of each head.

    For a power of two, `2^{-8 / n}, 2^{-16 / n}, ..., 2^{-8}`; for another number, those of the
    power of two below, then every other one of those of the power of two above.

    Source: Press, Smith and Lewis 2022, "Train Short, Test Long" (arXiv 2108.12409), section 3,
    and its code for other numbers.

    Example:

    >>> alibi_slopes(3)
    [0.0625, 0.00390625, 0.25]
    """
    power = 2 ** math.floor(math.log2(num_heads))
    slopes = [2.0 ** (-8 * (head + 1) / power) for head in range(power)]
    if power == num_heads:
        return slopes
    return slopes + alibi_slopes(2 * power)[::2][: num_heads - power]


def alibi_bias(query_positions, key_positions, num_heads, dtype):
    """Returns what is added to the scores.

        bias_h(q, k) = -slope_h * |position of q - position of k|

    Args:
        query_positions: int32 `(batch or 1, time)`.
        key_positions: int32 `(batch or 1, source)`.
        num_heads: Number of heads.
        dtype: Type of the result.

    Returns:
        `(batch or 1, num_heads, time, source)`.

    Example:

    >>> ops.convert_to_numpy(alibi_bias(np.array([[2]]), np.array([[0, 1]]), 1, "float32")).tolist()
    [[[[-0.0078125, -0.00390625]]]]
    """
    distances = ops.abs(ops.expand_dims(query_positions, 2) - ops.expand_dims(key_positions, 1))
    distances = ops.expand_dims(ops.cast(distances, dtype), 1)
    slopes = np.array(alibi_slopes(num_heads), "float32").reshape(1, num_heads, 1, 1)
    return distances * ops.cast(-slopes, dtype)
