"""The loss of negative sampling: pairs of words that stand together against drawn ones."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="kzoo")
class NegativeSamplingLoss(keras.losses.Loss):
    """Logistic loss of scores whose targets say how often each was seen, and how often drawn.

        L = sum_i |y_i| log(1 + exp(-sign(y_i) s_i))

    A pair that was seen has `y = 1`. One that `k` noise words stand for has `y = -k / n`, where
    `n` noise words were drawn for all pairs of a stretch of text together: the expectation is that
    of `k` words drawn for each pair. A score with `y = 0` is no pair at all.

    The loss is a sum over pairs, so that plain gradient descent moves a row by the learning rate of
    word2vec, whatever the size of a batch.

    Source: Mikolov et al. 2013, "Distributed Representations of Words and Phrases and their
    Compositionality" (arXiv 1310.4546), Eq. 4.

    Call arguments:
        y_true: Signed weights, of any shape with a batch axis.
        y_pred: Scores of that shape.

    Example:

    >>> import numpy as np
    >>> loss = NegativeSamplingLoss()(np.array([[1.0, 0.0, -2.5]]), np.zeros((1, 3), "float32"))
    >>> round(float(loss), 4)  # 3.5 log 2
    2.426
    """

    def __init__(self, reduction="sum", name="negative_sampling_loss", dtype=None):
        super().__init__(name=name, reduction=reduction, dtype=dtype)

    def call(self, y_true, y_pred):
        """Returns `(batch,)`."""
        losses = ops.abs(y_true) * ops.softplus(-ops.sign(y_true) * y_pred)
        return ops.sum(losses, axis=tuple(range(1, len(losses.shape))))
