"""Accuracy of what is guessed, where some guesses have no weight."""

import keras
from keras import ops

from kzoo.training.step_mean import StepMean


@keras.saving.register_keras_serializable(package="kzoo")
class GuessAccuracy(StepMean):
    """Share of the weighted ids that are guessed right.

        sum_t w_t [argmax_v logits_tv = y_t] / sum_t w_t

    where [...] is 1 if what stands in it holds, and 0 if not.

    Exact over an epoch however many steps a batch has: pass it to `compile` in `weighted_metrics`.

    Args:
        name: Name of the metric.
        dtype: Type of the result.

    Call arguments:
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

    def measure(self, y_true, y_pred):
        """Returns 1 where the guess is right, and 0 elsewhere."""
        found = ops.argmax(y_pred, axis=-1)
        return ops.cast(ops.equal(found, ops.cast(y_true, found.dtype)), "float32")
