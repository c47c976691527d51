"""Perplexity, the measure of language models."""

import keras
from keras import ops

from kzoo.training.step_mean import StepMean


@keras.saving.register_keras_serializable(package="kzoo")
class Perplexity(StepMean):
    """How many ids the model is torn between at a step, on average.

        exp(-(sum_t w_t log p(y_t)) / sum_t w_t)

    With weights of 0 on padding it is exact over an epoch, however long the batches: pass it to
    `compile` in `weighted_metrics`.

    Source: Jelinek, Mercer, Bahl and Baker 1977, "Perplexity, a measure of the difficulty of speech
    recognition tasks".

    Args:
        name: Name of the metric.
        dtype: Type of the result.

    Call arguments:
        y_true: Ids `(..., time)`.
        y_pred: Logits `(..., time, vocabulary)`.
        sample_weight: Weights w `(..., time)`, or None.

    Example:

    >>> import numpy as np
    >>> metric = Perplexity()
    >>> metric.update_state([[1, 2]], np.zeros((1, 2, 5)))
    >>> round(float(metric.result()), 4)
    5.0
    """

    def __init__(self, name="perplexity", dtype=None):
        super().__init__(name=name, dtype=dtype)

    def measure(self, y_true, y_pred):
        """Returns the loss of each step."""
        logits = ops.cast(y_pred, "float32")
        return ops.sparse_categorical_crossentropy(y_true, logits, from_logits=True)

    def result(self):
        """Returns the perplexity so far."""
        return ops.exp(super().result())
