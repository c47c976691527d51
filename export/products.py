"""Products with a matrix of weights as one operator on device."""

import contextlib


@contextlib.contextmanager
def whole_products():
    """Trace a product of a sequence and a matrix as `tf.matmul`, where Keras has `tf.tensordot`.

    Of `tf.matmul` with weights the converter makes one FULLY_CONNECTED, bias and activation
    included. `tf.tensordot` becomes seven operators more where a length is dynamic, and XNNPACK,
    which takes no tensor whose shape is computed, ends before each of them and begins anew.

    Example:

    >>> import tensorflow as tf
    >>> product = tf.function(lambda x: tf.tensordot(x, tf.ones((4, 2)), [[-1], [0]]))
    >>> with whole_products():
    ...     graph = product.get_concrete_function(tf.TensorSpec((None, None, 4))).graph
    >>> "Shape" in [operation.type for operation in graph.get_operations()]
    False
    """
    import tensorflow as tf

    tensordot = tf.tensordot

    def product(a, b, axes, name=None):
        a, b = tf.convert_to_tensor(a), tf.convert_to_tensor(b)
        # `tf.matmul` takes no single vector.
        if axes == [[-1], [0]] and b.shape.rank == 2 and (a.shape.rank or 0) > 1:
            return tf.matmul(a, b, name=name)
        return tensordot(a, b, axes, name)

    tf.tensordot = product
    try:
        yield
    finally:
        tf.tensordot = tensordot
