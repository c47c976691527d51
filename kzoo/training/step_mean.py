"""The mean over all steps of an epoch, the base of metrics of ids."""

import keras
from keras import ops


class StepMean(keras.metrics.Mean):
    """Mean of what `measure(y_true, y_pred)` gives for each step, weighted.

    Exact over an epoch however many steps a batch has: pass it to `compile` in `weighted_metrics`.

    Args:
        name: Name of the metric.
        dtype: Type of the result.
    """

    def __init__(self, name, dtype=None):
        super().__init__(name=name, dtype=dtype)

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Adds the steps of a batch."""
        found = self.measure(y_true, y_pred)
        if sample_weight is None:
            sample_weight = ops.ones_like(found)
        # Flat, for Keras takes the mean of a row: an id of a short batch would count for more.
        super().update_state(ops.reshape(found, (-1,)), ops.reshape(sample_weight, (-1,)))

    def get_config(self):
        """Returns the constructor arguments."""
        return {"name": self.name, "dtype": self.dtype}
