"""Cross-entropy with label smoothing."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="kzoo")
class SmoothedCrossentropy(keras.losses.Loss):
    """Cross-entropy with a target that leaves some probability to every id.

        loss = -(1 - s) log p(y) - s / V sum_v log p(v),   p = softmax(logits)

    which equals `-log p(y) + s (logit_y - mean_v logit_v)`: no table of targets is made. Source:
    Szegedy et al. 2016, arXiv 1512.00567, section 7.

    Args:
        smoothing: The share s of all ids together, in [0, 1).
        reduction: As in `keras.losses.Loss`; by default the mean over what has weight.
        name: Name of the loss.
        dtype: Type in which the loss is computed.

    Call arguments:
        y_true: Ids `(..., time)`.
        y_pred: Logits `(..., time, vocabulary)`.
        sample_weight: Weights `(..., time)`, or None.

    Example:

    >>> import numpy as np
    >>> loss = SmoothedCrossentropy(smoothing=0.1)
    >>> round(float(loss(np.array([[1]]), np.log([[[0.1, 0.8, 0.1]]]))), 4)
    0.3618
    """

    def __init__(
        self,
        smoothing=0.1,
        reduction="mean_with_sample_weight",
        name="smoothed_crossentropy",
        dtype=None,
    ):
        if not 0 <= smoothing < 1:
            raise ValueError(f"`smoothing` must be in [0, 1). Received: smoothing={smoothing}")
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self.smoothing = smoothing

    def call(self, y_true, y_pred):
        """Returns the loss of each id."""
        y_true = ops.cast(y_true, "int32")
        losses = ops.sparse_categorical_crossentropy(y_true, y_pred, from_logits=True)
        if not self.smoothing:
            return losses
        chosen = ops.take_along_axis(y_pred, ops.expand_dims(y_true, -1), axis=-1)[..., 0]
        return losses + self.smoothing * (chosen - ops.mean(y_pred, axis=-1))

    def get_config(self):
        """Returns the constructor arguments."""
        return {**super().get_config(), "smoothing": self.smoothing}
