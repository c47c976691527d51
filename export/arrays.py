"""Bring a user's arrays into the names, shapes and dtypes of a signature."""

import warnings

import numpy as np


def named_arrays(inputs, specs):
    """Check arrays against a signature's inputs.

    Args:
        inputs: an array, a list of arrays in the order of `specs`, or a dict of arrays by name.
        specs: list of {"name", "shape", "dtype"}; a size of None fits any size but zero.

    Returns:
        Dict of arrays by name, in the dtypes of `specs`. The batch axis may have size zero.

    Example:

    >>> specs = [{"name": "ids", "shape": [None, None], "dtype": "int32"}]
    >>> named_arrays([[[1, 2, 3]]], specs)
    {'ids': array([[1, 2, 3]], dtype=int32)}
    """
    names = [spec["name"] for spec in specs]
    if not isinstance(inputs, dict):
        inputs = inputs if isinstance(inputs, list | tuple) else [inputs]
        if len(inputs) != len(names):
            raise ValueError(f"inputs: expected {len(names)} arrays for {names}, got {len(inputs)}")
        inputs = dict(zip(names, inputs, strict=True))
    if set(inputs) != set(names):
        raise ValueError(f"inputs: expected the names {names}, got {list(inputs)}")
    return {spec["name"]: _checked(inputs[spec["name"]], spec) for spec in specs}


def check_rows(arrays):
    """Raise ValueError unless arrays by name have as many rows, each.

    Example:

    >>> check_rows({"ids": np.ones((2, 3)), "mask": np.ones((1, 3))})
    Traceback (most recent call last):
    ValueError: inputs: expected as many rows of each, got {'ids': 2, 'mask': 1}
    """
    counts = {name: len(array) for name, array in arrays.items()}
    if len(set(counts.values())) > 1:
        raise ValueError(f"inputs: expected as many rows of each, got {counts}")


def cut(arrays, specs, limit, stacklevel=3):
    """Cut sequences that are too long, with a warning that counts them.

    Args:
        arrays: dict of arrays by name.
        specs: as for `named_arrays`; what has a dynamic second axis is cut along it.
        limit: the longest length, or None.
        stacklevel: of the warning.

    Returns:
        Dict of arrays by name.

    Example:

    >>> specs = [{"name": "ids", "shape": [None, None], "dtype": "int32"}]
    >>> cut({"ids": np.array([[5, 6, 0]])}, specs, 2)
    {'ids': array([[5, 6]])}
    """
    if limit is None:
        return arrays
    arrays = dict(arrays)
    long = np.zeros(len(next(iter(arrays.values()))), bool)
    for spec in specs:
        if len(spec["shape"]) > 1 and spec["shape"][1] is None:
            beyond = arrays[spec["name"]][:, limit:]
            # Zeros are padding: a row that is only padded beyond the limit loses nothing.
            long |= (beyond != 0).any(axis=tuple(range(1, beyond.ndim)))
            arrays[spec["name"]] = arrays[spec["name"]][:, :limit]
    if long.any():
        warnings.warn(
            f"{long.sum()} of {len(long)} sequences were cut to {limit} steps",
            stacklevel=stacklevel,
        )
    return arrays


def nested_list(array):
    """An array as nested lists for JSON, floats with as many digits as tell them apart.

    JSON has no infinity: in its place stands the largest number, as in what the converter writes.

    Example:

    >>> nested_list(np.array([[0.1, 2.5, -np.inf]], "float32"))
    [[0.1, 2.5, -3.4028235e+38]]
    """
    if array.dtype.kind != "f":
        return array.tolist()
    limits = np.finfo(array.dtype)
    return np.clip(array, limits.min, limits.max).astype(str).astype(float).tolist()


def _checked(array, spec):
    name, shape = spec["name"], spec["shape"]
    array = np.asarray(array)
    if array.ndim != len(shape) or not all(
        size == wanted if wanted is not None else size
        for size, wanted in zip(array.shape[1:], shape[1:], strict=True)
    ):
        raise ValueError(f"inputs: expected {name!r} of shape {shape}, got {list(array.shape)}")
    if array.dtype.kind not in "iufb":
        raise ValueError(f"inputs: expected numbers for {name!r}, got {array.dtype}")
    rows = np.isnan(array).any(axis=tuple(range(1, array.ndim)))
    if rows.any():
        raise ValueError(f"inputs: {name!r} holds NaN in {rows.sum()} of {len(rows)} rows")
    with np.errstate(invalid="ignore"):
        converted = array.astype(spec["dtype"])
    if converted.dtype.kind in "iu" and (converted != array).any():
        wrong = array[converted != array][0]
        raise ValueError(f"inputs: expected {name!r} of {spec['dtype']}, got {wrong!r}")
    return converted
