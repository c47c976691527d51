"""Rows of tensors: taken, repeated, and searched for their highest entry.

New axes come by `expand_dims`, here and wherever tensors meet in a step. Indexing with None becomes
a StridedSlice, which LiteRT lacks for booleans and after an ellipsis.
"""

import contextlib
import contextvars

from keras import ops

_operators = contextvars.ContextVar("operators", default=(None, None))


@contextlib.contextmanager
def operators_scope(gather, argmax):
    """Makes decoding use these functions inside, each of which is one operator of a runtime.

    `keras.ops.take` allows for negative indices, which decoding has none of, and takes from all
    rows at the same places: twelve operators more. `keras.ops.argmax` of floats tells -0 from 0,
    for which runtimes have no operator.

    Args:
        gather: Function `(x, indices, batch_dims=0)` that does what `tf.gather` does.
        argmax: Function `(x, axis, output_type)` that does what `tf.argmax` does.

    Example:

    >>> import numpy as np
    >>> take = lambda x, indices, batch_dims=0: np.take_along_axis(x, indices, 1)
    >>> with operators_scope(take, argmax=None):
    ...     take_per_row([np.array([[1, 2, 3]])], np.array([[2, 0]]))[0].tolist()
    [[3, 1]]
    """
    token = _operators.set((gather, argmax))
    try:
        yield
    finally:
        _operators.reset(token)


def highest(x):
    """Returns the index of the highest entry of each row; of equals, the lowest.

    Args:
        x: float32 `(batch, n)`.

    Returns:
        int32 `(batch,)`.

    Example:

    >>> ops.convert_to_numpy(highest(ops.array([[1.0, 3.0, 3.0]]))).tolist()
    [1]
    """
    _, argmax = _operators.get()
    if argmax:
        return argmax(x, axis=-1, output_type="int32")
    return ops.cast(ops.top_k(x, 1)[1][:, 0], "int32")


def take_rows(x, indices):
    """Takes rows: `y[k] = x[indices[k]]`; no index may be negative.

    Example:

    >>> ops.convert_to_numpy(take_rows(ops.array([5, 6]), [1, 1, 0])).tolist()
    [6, 6, 5]
    """
    gather, _ = _operators.get()
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
    gather, _ = _operators.get()
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
