"""Checks of arguments. A tensor passes: its value may be unknown while a graph is traced."""

import numbers

import numpy as np


def check_integer(name, value, low, high=2**31 - 1):
    """Raises ValueError unless `value` is an integer in `[low, high]`, or a scalar tensor.

    Example:

    >>> check_integer("max_length", 0, 1)
    Traceback (most recent call last):
    ValueError: `max_length` must be an integer of at least 1. Received: max_length=0
    """
    if not _is_scalar_tensor(value) and not (is_integer(value) and low <= value <= high):
        limits = f"of at least {low}" if high == 2**31 - 1 else f"from {low} to {high}"
        raise ValueError(f"`{name}` must be an integer {limits}. Received: {name}={value!r}")


def check_number(name, value, limits, holds):
    """Raises ValueError unless `holds(value)`, or `value` is a scalar tensor.

    Example:

    >>> check_number("top_p", 2.0, "in (0, 1]", lambda x: 0 < x <= 1)
    Traceback (most recent call last):
    ValueError: `top_p` must be a number in (0, 1]. Received: top_p=2.0
    """
    is_number = isinstance(value, numbers.Real) and not isinstance(value, bool)
    if not _is_scalar_tensor(value) and not (is_number and np.isfinite(value) and holds(value)):
        raise ValueError(f"`{name}` must be a number {limits}. Received: {name}={value!r}")


def check_ids(name, ids):
    """Raises ValueError unless `ids` is a sequence of different integers from 0."""
    if (
        not isinstance(ids, list | tuple | set | frozenset | range | np.ndarray)
        or not all(is_integer(i) and i >= 0 for i in ids)
        or len(set(ids)) < len(ids)
    ):
        raise ValueError(f"`{name}` must hold different ids from 0. Received: {name}={ids!r}")


def check_tensor(name, tensor, kind, shape):
    """Raises ValueError unless a tensor has this kind of type and, where known, these sizes.

    Args:
        name: Name of the argument.
        tensor: A tensor.
        kind: Beginning of the name of the data type, as "int".
        shape: Tuple with a size, None, or the name of a size that may be anything.
    """
    dtype = str(getattr(tensor.dtype, "name", tensor.dtype))
    sizes = tuple(tensor.shape)
    fits = len(sizes) == len(shape) and all(
        got is None or not isinstance(expected, int) or got == expected
        for got, expected in zip(sizes, shape, strict=True)
    )
    # What begins with "b" is bfloat16.
    if not fits or not dtype.startswith((kind, f"b{kind}")):
        expected = ", ".join(str(size) for size in shape)
        raise ValueError(
            f"`{name}` must be {kind} of shape ({expected}). Received: shape={sizes}, dtype={dtype}"
        )


def is_integer(value):
    """Says whether a value is an integer of Python or NumPy.

    Example:

    >>> is_integer(3), is_integer(True), is_integer(3.0)
    (True, False, False)
    """
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def _is_scalar_tensor(value):
    return not isinstance(value, np.generic) and getattr(value, "shape", None) == ()
