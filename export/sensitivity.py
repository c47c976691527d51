"""Measure where rounding to int8 does harm: which layers of a file had better stay in float."""

import math
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from kzoo.export.arrays import named_arrays
from kzoo.export.bundle import SIGNATURE
from kzoo.export.errors import ExportError
from kzoo.export.kept import kept_kernels
from kzoo.export.reference import ModelReference
from kzoo.export.rounding import round_again
from kzoo.export.runtimes import InterpreterRuntime
from kzoo.export.signature import describe, input_tensors
from kzoo.export.tflite import Export, export_many


@dataclass(frozen=True)
class Sensitivity:
    """What rounding the kernels of one layer does.

    Attributes:
        path: the layer's path.
        harm: how much smaller the error of the whole file is with this layer in float.
        extra_bytes: how much larger the file is.

    Example:

    >>> Sensitivity("model/hidden", harm=0.02, extra_bytes=6000).path
    'model/hidden'
    """

    path: str
    harm: float
    extra_bytes: int


def most_sensitive(model, batches):
    """Rank the layers of a model by what it would help to keep their kernels in float.

    Writes the model in the precision "dynamic", then the same file with each layer in float, and
    runs them all. The error of a file is its squared difference from the Keras model, over all
    batches, divided by the square of what the Keras model gives, and added up over the outputs:

        sum over outputs of |y - y'|^2 / |y|^2

    Args:
        model: see `export_tflite`.
        batches: list of inputs as `export_tflite` takes them, real ones. Choose by others than
            those by which the file is judged.

    Returns:
        List of `Sensitivity`, the largest harm for each byte first. Layers whose kernels stay in
        float anyway, or are no constants of their own in the file, are not in it.

    Raises:
        ExportError: the model cannot be exported.

    Example:

    >>> import keras
    >>> layers = [keras.Input((40,)), keras.layers.Dense(50, name="hidden"), keras.layers.Dense(2)]
    >>> model = keras.Sequential(layers, name="model")
    >>> [one.path for one in most_sensitive(model, [np.random.normal(size=(8, 40))])]
    ['model/hidden']
    """
    specs = describe(input_tensors(model))
    batches = [named_arrays(batch, specs) for batch in batches]
    if not batches:
        raise ValueError("batches: expected at least one, got none")
    expected = list(map(ModelReference(model), batches))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "model.tflite")
        export_many([Export(model, path, "dynamic", inputs=batches[0], tolerance=math.inf)])
        rounded = path.read_bytes()
        before = _error(path, batches, expected)
        found = []
        for layer, kernels in kept_kernels(model, ["*"]).items():
            if not kernels:
                continue
            try:
                path.write_bytes(round_again(rounded, (), {layer: kernels}))
            except ExportError:
                continue
            harm = before - _error(path, batches, expected)
            # Three bytes more for each number.
            found.append(Sensitivity(layer, harm, 3 * sum(x.numpy().size for x in kernels)))
    return sorted(found, key=lambda one: one.harm / one.extra_bytes, reverse=True)


def _error(path, batches, expected):
    """The relative squared error of a file's outputs, added up over the outputs."""
    runtime = InterpreterRuntime(path, SIGNATURE)
    wrong, whole = {}, {}
    for batch, outputs in zip(batches, expected, strict=True):
        found = runtime.run(batch)
        for name, output in outputs.items():
            output = np.asarray(output, "float64")
            wrong[name] = wrong.get(name, 0) + np.square(found[name] - output).sum()
            whole[name] = whole.get(name, 0) + np.square(output).sum()
    return float(sum(wrong[name] / max(whole[name], np.finfo("float64").tiny) for name in wrong))
