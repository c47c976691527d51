"""Kernels that stay float32 in a file of int8."""

from fnmatch import fnmatchcase

from kzoo.layers.cell import FEWEST_WEIGHTS

SHOWN = 5


def kept_kernels(model, patterns):
    """Find the kernels of a model's layers by patterns of the layers' paths.

    Args:
        model: the keras.Model.
        patterns: sequence of paths of layers, or patterns of them, as `fnmatch` has them.

    Returns:
        Dict from the paths of layers to lists of their kernels, variables that are large enough for
        the converter to round them.

    Raises:
        ValueError: a pattern is that of no layer with a kernel.

    Example:

    >>> import keras
    >>> layers = [keras.Input((40,)), keras.layers.Dense(50, name="hidden"), keras.layers.Dense(2)]
    >>> model = keras.Sequential(layers, name="model")
    >>> list(kept_kernels(model, ["*/hidden"]))
    ['model/hidden']
    """
    if isinstance(patterns, str):
        raise ValueError(f"keep_float: expected a sequence of patterns, got {patterns!r}")
    kernels = {}
    for weight in model.weights:
        if weight.name.endswith("kernel"):
            kernels.setdefault(weight.path.rpartition("/")[0], []).append(weight)
    kept = {}
    for pattern in patterns:
        matched = [path for path in kernels if fnmatchcase(path, pattern)]
        if not matched:
            raise ValueError(
                "keep_float: expected paths of layers with a kernel, or patterns of them, such as "
                f"{list(kernels)[:SHOWN]}, got {pattern!r}"
            )
        for path in matched:
            kept[path] = [x for x in kernels[path] if x.numpy().size >= FEWEST_WEIGHTS]
    return kept
