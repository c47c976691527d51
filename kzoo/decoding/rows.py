"""Rows of tensors: taken, and repeated.

New axes come by `expand_dims`, here and wherever tensors meet in a step. Indexing with None becomes
a StridedSlice, which LiteRT lacks for booleans and after an ellipsis.
"""

from keras import ops


def take_per_row(tensors, indices):
    """Takes for every row its own entries of each tensor: `y[b, k] = x[b, indices[b, k]]`.

    Args:
        tensors: List of `(batch, n, ...)`, `n` static and the same for all; may be empty.
        indices: int32 `(batch, k)`, `0 <= indices < n`.

    Returns:
        List of `(batch, k, ...)`.

    Example:

    >>> import numpy as np
    >>> x, indices = np.array([[1, 2, 3], [4, 5, 6]]), np.array([[2, 2], [0, 1]], "int32")
    >>> ops.convert_to_numpy(take_per_row([x], indices)[0]).tolist()
    [[3, 3], [4, 5]]
    """
    if not tensors:
        return []
    # Once for all of them: to runtimes a small operator is as dear as a large one.
    starts = ops.arange(ops.shape(indices)[0], dtype="int32") * tensors[0].shape[1]
    rows = indices + ops.expand_dims(starts, 1)
    return [ops.take(ops.reshape(x, (-1, *ops.shape(x)[2:])), rows, axis=0) for x in tensors]


def repeat_rows(tensors, count):
    """Repeats every row of every tensor `count` times.

    Example:

    >>> ops.convert_to_numpy(repeat_rows([ops.array([5, 6])], 2)[0]).tolist()
    [5, 5, 6, 6]
    """

    def repeat(x):
        rows = ops.arange(ops.shape(x)[0] * count, dtype="int32")
        return ops.take(x, ops.floor_divide(rows, count), axis=0)

    return [repeat(x) for x in tensors]
