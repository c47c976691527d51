"""Length penalties: the divisor that makes hypotheses of different lengths comparable."""

from keras import ops

from kzoo.decoding.checks import check_number


def gnmt_length_penalty(alpha):
    """Returns the length penalty of GNMT.

        lp(Y) = ((5 + |Y|) / 6) ** alpha

    Source: Wu et al. 2016, "Google's Neural Machine Translation System", Eq. 14.

    Args:
        alpha: Non-negative number; 0 compares by log-probability alone.

    Returns:
        Function from a float32 tensor of lengths to a tensor of penalties.

    Raises:
        ValueError: `alpha` is negative.

    Example:

    >>> float(gnmt_length_penalty(2)(7.0))
    4.0
    """
    _check(alpha)
    return lambda length: ops.power((5.0 + length) / 6.0, float(alpha))


def simple_length_penalty(alpha):
    """Returns the length penalty that is a power of the length.

        lp(Y) = |Y| ** alpha

    By definition: with `alpha` 1, a score is the mean log-probability of an id.

    Args:
        alpha: Non-negative number; 0 compares by log-probability alone.

    Returns:
        Function from a float32 tensor of lengths to a tensor of penalties.

    Raises:
        ValueError: `alpha` is negative.

    Example:

    >>> float(simple_length_penalty(2)(3.0))
    9.0
    """
    _check(alpha)
    return lambda length: ops.power(ops.convert_to_tensor(length, "float32"), float(alpha))


def _check(alpha):
    # A penalty that falls with length would break the early finish of beam search.
    check_number("alpha", alpha, "of at least 0", lambda x: x >= 0)
