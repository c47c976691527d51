"""Accuracy of what is guessed, where some guesses have no weight."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="kzoo")
class GuessAccuracy(keras.metrics.Mean):
    """Share of ids that are guessed.

        sum_t w_t [argmax_v logits_tv = y_t] / sum_t w_t

    Exact over an epoch however many steps a batch has: pass it to `compile` in `weighted_metrics`.

    Args:
        name: Name of the metric.
        dtype: Type of the result.

    Call arguments of `update_state`:
        y_true: Ids `(..., time)`.
        y_pred: Logits `(..., time, vocabulary)`.
        sample_weight: Weights w `(..., time)`, or None.

    Example:

    >>> import numpy as np
    >>> metric = GuessAccuracy()
    >>> metric.update_state([[1, 0, 1]], np.eye(2)[[[1, 1, 0]]], [[1, 1, 0]])
    >>> float(metric.result())
    0.5
    """

    def __init__(self, name="accuracy", dtype=None):
        super().__init__(name=name, dtype=dtype)

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Adds the guesses of a batch."""
        found = ops.argmax(y_pred, axis=-1)
        right = ops.cast(ops.equal(found, ops.cast(y_true, found.dtype)), "float32")
        if sample_weight is None:
            sample_weight = ops.ones_like(right)
        # Flat, for Keras takes the mean of a row: an id of a short batch would count for more.
        super().update_state(ops.reshape(right, (-1,)), ops.reshape(sample_weight, (-1,)))

    def get_config(self):
        """Returns the constructor arguments."""
        return {"name": self.name, "dtype": self.dtype}
