"""The rows of a table that are most similar to a vector."""

import keras
import numpy as np
from keras import ops

# Shorter vectors have no direction. A number that is not zero in float16 either.
EPSILON = 1e-6


@keras.saving.register_keras_serializable(package="kzoo")
class NearestRows(keras.layers.Layer):
    """Finds the rows of a table with the largest cosine to a vector.

        cos(v, e_i) = (v / |v|) . e_i / |e_i|

    A row of zeros has the cosine 0 to all, and comes behind all others.

    Args:
        num_rows: Number of rows.
        count: Number of rows to find, at most `num_rows`.

    Call arguments:
        vectors: `(..., dim)`.

    Returns:
        `(cosines, rows)`: `(..., count)`, the largest first, and int32 `(..., count)`.

    Example:

    >>> import numpy as np
    >>> layer = NearestRows(3, 2)
    >>> layer.build((None, 2))
    >>> layer.set_table([[2, 0], [0, 3], [1, 1]])
    >>> cosines, rows = layer(np.array([[5.0, 0.0]]))
    >>> ops.convert_to_numpy(rows).tolist()
    [[0, 2]]
    """

    def __init__(self, num_rows, count=10, **kwargs):
        if not 1 <= count <= num_rows:
            raise ValueError(f"`count` must be in [1, {num_rows}]. Received: count={count}")
        super().__init__(**kwargs)
        self.num_rows = num_rows
        self.count = count

    def build(self, input_shape):
        """Creates the table, of zeros."""
        options = dict(initializer="zeros", trainable=False)
        shape = (self.num_rows, input_shape[-1])
        self.table = self.add_weight(name="table", shape=shape, **options)
        self.scales = self.add_weight(name="scales", shape=(self.num_rows,), **options)

    def set_table(self, table):
        """Sets the rows.

        Args:
            table: `(num_rows, dim)`.
        """
        table = np.asarray(table, "float32")
        self.table.assign(table)
        norms = np.linalg.norm(table, axis=1)
        self.scales.assign(np.where(norms > EPSILON, 1 / np.maximum(norms, EPSILON), 0))

    def call(self, vectors):
        """Finds the rows."""
        norms = ops.sqrt(ops.sum(ops.square(vectors), axis=-1, keepdims=True))
        directions = vectors / ops.maximum(norms, EPSILON)
        cosines = ops.matmul(directions, ops.transpose(self.table)) * self.scales
        # By as much as no two cosines differ.
        behind = 3 * ops.cast(ops.equal(self.scales, 0), cosines.dtype)
        cosines, rows = ops.top_k(cosines - behind, self.count)
        return ops.where(cosines < -2, 0, cosines), ops.cast(rows, "int32")

    def compute_output_spec(self, vectors):
        """Returns shapes and types of the cosines and the rows."""
        shape = (*vectors.shape[:-1], self.count)
        return (
            keras.KerasTensor(shape, dtype=self.compute_dtype),
            keras.KerasTensor(shape, dtype="int32"),
        )

    def get_config(self):
        """Returns the constructor arguments."""
        return {**super().get_config(), "num_rows": self.num_rows, "count": self.count}
