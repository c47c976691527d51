"""Rows of tensors: taken, and repeated.

New axes come by `expand_dims`, here and wherever tensors meet in a step. Indexing with None becomes
a StridedSlice, which LiteRT lacks for booleans and after an ellipsis.
"""

import contextlib
import contextvars

from keras import ops

_gather = contextvars.ContextVar("gather", default=None)


@contextlib.contextmanager
def gather_scope(gather):
    """Makes decoding take entries by `gather` inside.

    `keras.ops.take` allows for negative indices, which decoding has none of, and takes from all
    rows at the same places: to a runtime, twelve operators more.

    Args:
        gather: Function `(x, indices, batch_dims=0)` that does what `tf.gather` does.

    Example:

    >>> import numpy as np
    >>> with gather_scope(lambda x, indices, batch_dims=0: np.take_along_axis(x, indices, 1)):
    ...     take_per_row([np.array([[1, 2, 3]])], np.array([[2, 0]]))[0].tolist()
    [[3, 1]]
    """
    token = _gather.set(gather)
    try:
        yield
    finally:
        _gather.reset(token)


def take_rows(x, indices):
    """Takes rows: `y[k] = x[indices[k]]`; no index may be negative.

    Example:

    >>> ops.convert_to_numpy(take_rows(ops.array([5, 6]), [1, 1, 0])).tolist()
    [6, 6, 5]
    """
    gather = _gather.get()
    return gather(x, indices) if gather else ops.take(x, indices, axis=0)


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
    gather = _gather.get()
    if gather:
        return [gather(x, indices, batch_dims=1) for x in tensors]
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
        return take_rows(x, ops.floor_divide(rows, count))

    return [repeat(x) for x in tensors]
