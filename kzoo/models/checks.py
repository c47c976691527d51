"""Checks of arguments that the factories share."""


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
