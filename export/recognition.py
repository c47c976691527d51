"""Recognize strings with a `.tflite` file of a recognizer; needs no TensorFlow."""

import numpy as np

from kzoo.export.bundle import SIGNATURE, read_described
from kzoo.export.runtimes import InterpreterRuntime


class RecognitionPredictor:
    """Strings read off pictures, or heard in sound, by a `.tflite` file alone.

    Args:
        path: a file of `export_tflite`, of a `kzoo.models.ctc_decoder`, whose `details` hold
            `symbols` (list of str, from class 1 on) and `separator` (str between two of them), as
            the recipe of recognition writes them.

    Attributes:
        details: what the file says of its strings.
        height: rows of a picture; None for sound.
        hop: samples of a hop; None for pictures.

    Raises:
        ExportError: the file is missing, damaged, or no recognizer.

    Example:

    >>> from kzoo.export import ExportError, RecognitionPredictor
    >>> try:
    ...     RecognitionPredictor("missing.tflite")
    ... except ExportError as error:
    ...     print(error)
    path: no such file: missing.tflite
    """

    def __init__(self, path):
        """Load the file; see the class."""
        bundle = read_described(path, ("symbols", "separator"), "recognizer", "recognition")
        self.details = bundle.manifest["details"]
        inputs = bundle.manifest["signatures"][SIGNATURE]["inputs"]
        shapes = {spec["name"]: spec["shape"] for spec in inputs}
        self.height = shapes["pictures"][1] if "pictures" in shapes else None
        self.hop = shapes["samples"][2] if "samples" in shapes else None
        self._has_lengths = "lengths" in shapes
        self._runtime = InterpreterRuntime(path, SIGNATURE)

    def __call__(self, parts):
        """Recognize pictures or recordings.

        Args:
            parts: list of arrays: pictures `(height, width)`, ink from 0 to 1, of any width; or
                samples `(time,)` from -1 to 1.

        Returns:
            List of `(string, certainty)`, in the order of `parts`.

        Raises:
            ValueError: a part of another shape, or NaN.
        """
        arrays = [self._checked(part) for part in parts]
        found = [None] * len(arrays)
        # The longest first: a longer one than all before would start the runtime anew.
        for index in sorted(range(len(arrays)), key=lambda i: -arrays[i].size):
            found[index] = self._recognize(arrays[index])
        return found

    def _recognize(self, array):
        name, steps = ("samples", len(array)) if self.hop else ("pictures", array.shape[1])
        inputs = {name: array[None]}
        if self._has_lengths:
            inputs["lengths"] = np.array([steps], "int32")
        outputs = self._runtime.run(inputs)
        symbols = [self.details["symbols"][i - 1] for i in outputs["ids"][0] if i]
        return self.details["separator"].join(symbols), float(outputs["certainties"][0])

    def _checked(self, part):
        array = np.asarray(part, "float32")
        shape = "(time,)" if self.hop else f"({self.height}, width)"
        fits = array.ndim == 1 if self.hop else array.ndim == 2 and len(array) == self.height
        if not fits or not array.size:
            raise ValueError(f"parts: expected arrays of shape {shape}, got {array.shape}")
        if not np.isfinite(array).all():
            raise ValueError("parts: expected finite numbers, got NaN or infinity")
        if self.hop:
            array = np.pad(array, [0, -len(array) % self.hop]).reshape(-1, self.hop)
        return array
