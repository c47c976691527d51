"""The losses of forecasts, which know that some targets are missing."""

import keras
from keras import ops

ERRORS = {"absolute": ops.abs, "squared": ops.square}


@keras.saving.register_keras_serializable(package="kzoo")
class ForecastLoss(keras.losses.Loss):
    """The mean error of forecasts, over the targets that are known.

        squared (y - x)^2,    absolute |y - x|,    pinball max(q (y - x), (q - 1) (y - x))

    The least pinball loss for `q` is at the quantile `q` of what may come (Koenker and Bassett
    1978, "Regression Quantiles").

    Args:
        error: "squared" or "absolute", for a point forecast.
        quantiles: The quantiles that the model forecasts, which take the pinball loss, or None.
        name: Name of the loss.

    Call arguments:
        y_true: Targets, of any shape, NaN where they are not known.
        y_pred: Forecasts of that shape; of quantiles, with one axis more.

    Example:

    >>> import numpy as np
    >>> y_true = np.array([[1.0], [np.nan]])
    >>> float(ForecastLoss()(y_true, np.array([[3.0], [0.0]])))
    4.0
    >>> loss = ForecastLoss(quantiles=[0.5, 0.9])
    >>> round(float(loss(y_true, np.array([[[3.0, 3.0]], [[0.0, 0.0]]]))), 4)
    0.6
    """

    def __init__(self, error="squared", quantiles=None, name="forecast_loss"):
        # The mean is over what is known, not over rows.
        super().__init__(name=name, reduction=None)
        if error not in ERRORS:
            raise ValueError(f"`error` must be one of {list(ERRORS)}. Received: error={error!r}")
        self.error = error
        self.quantiles = None if quantiles is None else list(quantiles)

    def call(self, y_true, y_pred):
        """Returns the mean error."""
        known = ops.logical_not(ops.isnan(y_true))
        target = ops.where(known, y_true, 0.0)
        if self.quantiles is None:
            errors = ERRORS[self.error](target - y_pred)
        else:
            gap = ops.expand_dims(target, -1) - y_pred
            quantiles = ops.convert_to_tensor(self.quantiles, gap.dtype)
            errors = ops.mean(ops.maximum(quantiles * gap, (quantiles - 1) * gap), axis=-1)
        total = ops.sum(ops.where(known, errors, 0.0))
        return total / ops.maximum(ops.sum(ops.cast(known, errors.dtype)), 1.0)

    def get_config(self):
        """Returns the constructor arguments."""
        return {"error": self.error, "quantiles": self.quantiles, "name": self.name}
