"""Quantiles around a point forecast, in order whatever the weights."""

import keras
import numpy as np
from keras import ops


@keras.saving.register_keras_serializable(package="kzoo")
class QuantileSpread(keras.layers.Layer):
    """Spreads quantiles around a median, so that none crosses another.

        q_m = x;    q_{i+1} = q_i + softplus(r_i) above m;    q_i = q_{i+1} - softplus(r_i) below

    where m is the place of 0.5.

    Args:
        quantiles: Increasing numbers in (0, 1), 0.5 among them.

    Call arguments:
        median: `x`, of any shape.
        spreads: `r`, `(*shape, len(quantiles) - 1)`.

    Returns:
        `(*shape, len(quantiles))`.

    Example:

    >>> layer = QuantileSpread([0.1, 0.5, 0.9])
    >>> values = layer(np.zeros((1, 2), "float32"), np.zeros((1, 2, 2), "float32"))
    >>> np.round(values[0, 0], 3).tolist()
    [-0.6930000185966492, 0.0, 0.6930000185966492]
    """

    def __init__(self, quantiles, **kwargs):
        check_quantiles(quantiles)
        super().__init__(**kwargs)
        self.quantiles = list(quantiles)

    def build(self, median_shape, spreads_shape):
        """Checks the shapes."""
        expected = (*median_shape, len(self.quantiles) - 1)
        if tuple(spreads_shape) != expected:
            raise ValueError(
                f"`spreads` must have shape {expected}. Received: shape={tuple(spreads_shape)}"
            )

    def call(self, median, spreads):
        """Adds up the spreads; see the class."""
        size, middle = len(self.quantiles), self.quantiles.index(0.5)
        if size == 1:
            return ops.expand_dims(median, -1)
        # signs[i, j]: what spread i adds to quantile j.
        quantile, spread = np.arange(size), np.arange(size - 1)[:, None]
        above = (quantile > middle) & (spread >= middle) & (spread < quantile)
        below = (quantile < middle) & (spread < middle) & (spread >= quantile)
        signs = ops.convert_to_tensor(above.astype("float32") - below, self.compute_dtype)
        return ops.expand_dims(median, -1) + ops.matmul(ops.softplus(spreads), signs)

    def compute_output_shape(self, median_shape, spreads_shape):
        """Returns the shape of the quantiles."""
        return (*median_shape, len(self.quantiles))

    def get_config(self):
        """Returns the constructor arguments."""
        return {**super().get_config(), "quantiles": self.quantiles}


def check_quantiles(quantiles):
    """Raises a ValueError unless these are increasing numbers in (0, 1), 0.5 among them.

    Example:

    >>> check_quantiles([0.9, 0.5])
    Traceback (most recent call last):
    ValueError: `quantiles` must be increasing numbers in (0, 1) with 0.5. Received: [0.9, 0.5]
    """
    quantiles = list(quantiles)
    inside = all(0 < quantile < 1 for quantile in quantiles)
    if not inside or 0.5 not in quantiles or sorted(set(quantiles)) != quantiles:
        raise ValueError(
            f"`quantiles` must be increasing numbers in (0, 1) with 0.5. Received: {quantiles}"
        )
