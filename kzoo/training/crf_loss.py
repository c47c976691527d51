"""The loss of a conditional random field."""

import keras

from kzoo.layers.chain import log_likelihood


@keras.saving.register_keras_serializable(package="kzoo")
class CRFLoss(keras.losses.Loss):
    """Negative log-likelihood of a sequence of tags, one number a sequence.

        -log p(y|x) = log sum_y' exp s(y') - s(y)

    where the sum is over all sequences of tags and `s` is the score of `kzoo.layers.CRF`. Where a
    tag is not known, the sequences count that agree with those that are.

    Source: Collobert et al. 2011, "Natural Language Processing (Almost) from Scratch", Eq. 13.

    Call arguments:
        y_true: Tags, `(batch, time)`; -1 at padding, and where a tag is not known.
        y_pred: Potentials of a `kzoo.layers.CRF`, `(batch, time, num_tags, num_tags)`.

    Example:

    >>> import numpy as np
    >>> loss = CRFLoss()(np.array([[1, 0, -1]]), np.zeros((1, 3, 2, 2), "float32"))
    >>> round(float(loss), 4)
    1.3863
    """

    def __init__(self, reduction="sum_over_batch_size", name="crf_loss", dtype=None):
        super().__init__(name=name, reduction=reduction, dtype=dtype)

    def call(self, y_true, y_pred):
        """Returns `(batch,)`."""
        return -log_likelihood(y_pred, y_true)
