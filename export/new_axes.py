"""New axes as operators of their own, where indexing has them in a slice."""

import contextlib


@contextlib.contextmanager
def expanded_axes():
    """Trace `x[:, None]` as `tf.expand_dims` behind the slice, which then has old axes alone.

    LiteRT's STRIDED_SLICE makes no new axes where a size is dynamic, nor of booleans, nor after an
    ellipsis.

    Example:

    >>> import tensorflow as tf
    >>> take = tf.function(lambda x: x[..., None])
    >>> with expanded_axes():
    ...     graph = take.get_concrete_function(tf.TensorSpec((None, None))).graph
    >>> "ExpandDims" in [operation.type for operation in graph.get_operations()]
    True
    """
    import tensorflow as tf

    index = tf.Tensor.__getitem__

    def expand(x, key):
        keys = list(key) if isinstance(key, tuple) else [key]
        if not any(part is None for part in keys) or x.shape.rank is None:
            return index(x, key)
        old = tuple(part for part in keys if part is not None)
        axes, place = [], 0
        for part in keys:
            if part is None:
                axes.append(place)
            if part is Ellipsis:
                place += x.shape.rank - (len(old) - 1)
            elif part is None or isinstance(part, slice):
                place += 1
        y = index(x, old) if old else x
        for axis in axes:
            y = tf.expand_dims(y, axis)
        return y

    tf.Tensor.__getitem__ = expand
    try:
        yield
    finally:
        tf.Tensor.__getitem__ = index
