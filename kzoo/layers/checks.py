"""Checks of arguments that layers and the factories of models share."""


def check_sizes(**sizes):
    """Raises a ValueError unless every size is a positive integer.

    Example:

    >>> check_sizes(units=0)
    Traceback (most recent call last):
    ValueError: `units` must be a positive integer. Received: units=0
    """
    for name, size in sizes.items():
        if isinstance(size, bool) or not isinstance(size, int) or size <= 0:
            raise ValueError(f"`{name}` must be a positive integer. Received: {name}={size!r}")
