"""Check what the converter wrote, before anything runs it."""

from hashlib import sha256
from pathlib import Path

from kzoo.export.blame import blame, unsupported_operators
from kzoo.export.errors import ExportError
from kzoo.export.flatbuffer import constant_bytes, operators

# Bytes that one weight takes at least.
BYTES_PER_WEIGHT = {"float32": 4, "float16": 2, "dynamic": 1}
PRECISIONS = tuple(BYTES_PER_WEIGHT)


def check_precision(precision):
    """Raise ValueError for an unknown precision.

    Example:

    >>> check_precision("int3")
    Traceback (most recent call last):
    ValueError: precision: expected one of ['float32', 'float16', 'dynamic'], got 'int3'
    """
    if precision not in BYTES_PER_WEIGHT:
        raise ValueError(f"precision: expected one of {list(BYTES_PER_WEIGHT)}, got {precision!r}")


def check_written(path, model, precision, message, function):
    """Raise ExportError for what the converter said, for custom operators and for lost weights.

    Args:
        path: the file it wrote.
        model: the traced keras.Model.
        precision: the precision asked for.
        message: what `kzoo.export.convert.Converter.convert` returned.
        function: the `tf.function` whose graph knows which layer needs what operator.
    """
    content = Path(path).read_bytes()
    message = message or " ".join(operators(content)[1])
    if unsupported_operators(message):
        raise blame(message, function.get_concrete_function().graph.as_graph_def(), model)
    if message:
        raise ExportError(f"model: {model.name!r} cannot be converted: {message[:2000]}")
    # Some ways through the converter lose the weights without a word.
    held = sum(constant_bytes(content).values())
    enough = 2 * held / BYTES_PER_WEIGHT[precision]
    if enough < model.count_params() and enough < (weights := _count_weights(model)):
        raise ExportError(
            f"model: {model.name!r} has {weights} weights, but the converter wrote only {held} "
            "bytes of constants"
        )


def _count_weights(model):
    """The number of weights; those of equal variables, which a file holds once, count once."""
    arrays = (weight.numpy() for weight in model.weights)
    return sum({sha256(array.tobytes()).digest(): array.size for array in arrays}.values())
