"""Embeddings of which a batch reads, and changes, a few rows."""

import keras
from keras import ops


def table_rows(table, ids, training=False):
    """Takes rows of a weight: `y[k] = table[ids[k]]`.

    Once an optimizer has changed single rows of a weight, TensorFlow copies all of it whenever it
    is read as a whole, as `keras.ops.take` does. In training its rows are read instead, where the
    backend can.

    Args:
        table: Weight `(rows, size)`.
        ids: int32 ids of rows, of any shape; none may be negative.
        training: Whether the rows are read to be trained.

    Returns:
        `(*ids.shape, size)`.

    Example:

    >>> table = keras.Variable([[1.0, 2.0], [3.0, 4.0]])
    >>> ops.convert_to_numpy(table_rows(table, ops.array([1, 1]), training=True)).tolist()
    [[3.0, 4.0], [3.0, 4.0]]
    """
    read = getattr(table.value, "sparse_read", None) if training else None
    return read(ids) if read else ops.take(table, ids, axis=0)


@keras.saving.register_keras_serializable(package="kzoo")
class SparseEmbedding(keras.layers.Embedding):
    """`keras.layers.Embedding` that trains as fast with a large table as with a small one.

        y = E[x]

    So it does with an optimizer that changes the rows of a batch only, as `keras.optimizers.SGD`
    without momentum does on TensorFlow without XLA.

    Args:
        input_dim: Number of ids.
        output_dim: Width of a vector.
        **kwargs: As of `keras.layers.Embedding`.

    Call arguments:
        inputs: Integer ids of any shape.

    Returns:
        `(*inputs.shape, output_dim)`.

    Example:

    >>> import numpy as np
    >>> tuple(SparseEmbedding(20, 8)(np.array([[7, 5, 9]])).shape)
    (1, 3, 8)
    """

    def call(self, inputs, training=False):
        """Takes the rows; see the class."""
        rows = table_rows(self.embeddings, ops.cast(inputs, "int32"), training)
        return ops.cast(rows, self.compute_dtype)

    def compute_output_spec(self, inputs, training=False):
        """Returns what `keras.layers.Embedding` does."""
        return super().compute_output_spec(inputs)
