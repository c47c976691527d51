"""Standardizing inside a model, so that its file takes and gives raw numbers."""

import keras


def check_statistics(statistics, num_features):
    """Returns `(mean, variance)` as lists of floats: zeros and ones where there are none.

    Example:

    >>> check_statistics(None, 2)
    ([0.0, 0.0], [1.0, 1.0])
    """
    if statistics is None:
        return [0.0] * num_features, [1.0] * num_features
    mean, variance = ([float(value) for value in values] for values in statistics)
    if not len(mean) == len(variance) == num_features or min(variance) < 0:
        raise ValueError(
            f"`statistics` must be the mean and the variance of {num_features} features. "
            f"Received: statistics={statistics}"
        )
    return mean, variance


def standardization(mean, variance, *, axis=-1, invert=False, name="scaling"):
    """Makes the layer that standardizes features, or scales them back.

        y = (x - mean) / sqrt(variance),    and with `invert`    y = x sqrt(variance) + mean

    A feature that never varies passes unscaled.

    Args:
        mean: List of numbers, one for each feature.
        variance: List of numbers.
        axis: The axis of the features.
        invert: Whether to scale back.
        name: Name of the layer.

    Returns:
        A `keras.layers.Normalization`.

    Example:

    >>> import numpy as np
    >>> layer = standardization([1.0, 0.0], [4.0, 0.0])
    >>> np.array(layer(np.array([[3.0, 5.0]], "float32"))).tolist()
    [[1.0, 5.0]]
    """
    variance = [value or 1.0 for value in variance]
    return keras.layers.Normalization(axis, mean=mean, variance=variance, invert=invert, name=name)
