"""Adagrad that reads and changes the rows of a batch alone."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="kzoo")
class SparseAdagrad(keras.optimizers.Adagrad):
    """`keras.optimizers.Adagrad` that is as fast with large tables as with small ones.

        a_i <- a_i + sum_k g_ik^2,    w_i <- w_i - learning_rate * sum_k g_ik / sqrt(a_i + epsilon)

    `g_ik` is the gradient of the k-th time that a batch reads row `i` of a table. Where a gradient
    comes row by row, as those of `kzoo.layers.SparseEmbedding` do on TensorFlow, all other rows are
    left alone (which XLA does not make faster). Any other gradient is summed before it is squared,
    as Keras does.

    Source: Duchi, Hazan and Singer 2011, "Adaptive Subgradient Methods for Online Learning and
    Stochastic Optimization" (JMLR 12), with the diagonal matrix, a row's readings one by one.

    Args:
        learning_rate: Number, or a schedule.
        **kwargs: As of `keras.optimizers.Adagrad`.

    Example:

    >>> import numpy as np
    >>> from kzoo.layers import SparseEmbedding
    >>> model = keras.Sequential([keras.Input(()), SparseEmbedding(9, 2, name="table")])
    >>> (before,) = model.get_weights()
    >>> model.compile(SparseAdagrad(0.1), "mse", jit_compile=False)
    >>> _ = model.train_on_batch(np.array([3, 5, 3]), np.ones((3, 2)))
    >>> np.flatnonzero((model.get_weights()[0] != before).any(axis=1)).tolist()
    [3, 5]
    """

    def update_step(self, gradient, variable, learning_rate):
        """Moves the rows of a gradient that has rows, and otherwise the whole variable."""
        accumulator = self._accumulators[self._get_variable_index(variable)].value
        if not hasattr(gradient, "indices") or not hasattr(accumulator, "sparse_read"):
            super().update_step(gradient, variable, learning_rate)
            return

        def rows(values):
            return type(gradient)(values, gradient.indices, gradient.dense_shape)

        values = gradient.values
        accumulator.scatter_add(rows(ops.square(values)))
        sums = accumulator.sparse_read(gradient.indices)
        rate = ops.cast(learning_rate, values.dtype)
        variable.scatter_sub(rows(rate * values * ops.rsqrt(sums + self.epsilon)))
