"""The highest entries of wide rows."""

import numpy as np
from keras import ops

from kzoo.decoding.rows import take_per_row

GROUP = 64


def wide_top_k(x, k):
    """Returns what `keras.ops.top_k` returns; of equals, the lowest index comes first.

    Runtimes go through a row entry by entry, which takes longer than all else of a vocabulary. So
    the maxima of groups of 64 entries are found first, and then only the `k` best groups are gone
    through. They hold the `k` best entries: each of these groups has one entry as good as any
    outside of them, and where entries are equal, the groups before come first.

    Args:
        x: float32 `(batch, n)`, `n` static.
        k: Integer, `n` at most.

    Returns:
        `(values, indices)`, both `(batch, k)`, the indices int32.

    Example:

    >>> values, indices = wide_top_k(ops.reshape(ops.arange(1000.0), (1, -1)) % 700, 3)
    >>> ops.convert_to_numpy(values).tolist(), ops.convert_to_numpy(indices).tolist()
    ([[699.0, 698.0, 697.0]], [[699, 698, 697]])
    """
    n = x.shape[1]
    num_groups = -(-n // GROUP)
    if 2 * (num_groups + k * GROUP) > n:
        values, indices = ops.top_k(x, k)
        return values, ops.cast(indices, "int32")
    if n % GROUP:
        x = ops.pad(x, ((0, 0), (0, num_groups * GROUP - n)), constant_values=-np.inf)
    groups = ops.reshape(x, (-1, num_groups, GROUP))
    _, best = ops.top_k(ops.max(groups, axis=-1), k)
    best = ops.cast(best, "int32")
    if k > 1:
        # In the order in which they stand, which is that of equals.
        best = -ops.top_k(-best, k)[0]
    (groups,) = take_per_row([groups], best)
    values, places = ops.top_k(ops.reshape(groups, (-1, k * GROUP)), k)
    places = ops.cast(places, "int32")
    (group,) = take_per_row([best], ops.floor_divide(places, GROUP))
    return values, group * GROUP + ops.mod(places, GROUP)
