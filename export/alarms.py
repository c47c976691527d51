"""Judge the measurements of a machine as they come in, by a `.tflite` file; needs no TensorFlow."""

from collections import deque
from typing import NamedTuple

import numpy as np

from kzoo.export.bundle import read_described
from kzoo.export.predict import Predictor
from kzoo.export.stream import StreamingPredictor


class Judgement(NamedTuple):
    """What a file says of one measurement.

    Attributes:
        label: name of the likeliest class, or None where there are none.
        score: its probability; without classes the number that the file gives: how unexpected the
            measurement is, or the steps that are left.
        alarm: whether an alarm is on, see `FaultPredictor`.
        output: all numbers of the file for this measurement, `(outputs,)`.

    Example:

    >>> Judgement("fault 1", 0.97, True, np.array([0.03, 0.97])).alarm
    True
    """

    label: str | None
    score: float
    alarm: bool
    output: np.ndarray


class FaultPredictor:
    """Judges the measurements of a machine one after the other, by a `.tflite` file alone.

    A step model (of `export_streaming`) remembers by its state what was before; a model of windows
    reads the last measurements again with each new one, and is silent until it has enough of them.
    An alarm is on when the score of an alarm was at least `threshold` at the last `patience` steps
    in a row: the largest probability of a class but the first, which is "normal", or without
    classes the number that the file gives. A file without a threshold raises no alarms.

    Args:
        path: a file whose `details` hold `columns` (names of what is measured), `reading` and
            `input_length` (steps of a window, 1 of a step model), as the recipes `fault_detection`
            and `anomaly_detection` write them; and, optionally, `threshold` and `patience`, and
            `shortest`: how many measurements a window needs, where zeros may stand for those
            before.

    Attributes:
        details: what the file says of its measurements and its alarms.
        labels: class names, or None.

    Raises:
        ExportError: the file is missing, damaged, or judges no measurements.

    Example:

    >>> from kzoo.export import ExportError, FaultPredictor
    >>> try:
    ...     FaultPredictor("missing.tflite")
    ... except ExportError as error:
    ...     print(error)
    path: no such file: missing.tflite
    """

    def __init__(self, path):
        """Load the file; see the class."""
        names = ("columns", "reading", "input_length")
        bundle = read_described(path, names, "judge of measurements", "fault_detection")
        self.details, self.labels = bundle.manifest["details"], bundle.labels
        self._streams = "streaming" in bundle.manifest
        self._predictor = (StreamingPredictor if self._streams else Predictor)(path)
        self.reset()

    def reset(self):
        """Begin with another run of a machine."""
        self._in_a_row = 0
        if self._streams:
            self._predictor.reset()
        self._last = deque(maxlen=self.details["input_length"])

    def __call__(self, measurements):
        """Judge the next measurements.

        Args:
            measurements: array `(columns,)` of raw numbers.

        Returns:
            `Judgement`, or None while a window is not yet full.

        Raises:
            ValueError: another shape, or NaN.
        """
        row = np.asarray(measurements, "float32")
        columns = self.details["columns"]
        if row.shape != (len(columns),):
            raise ValueError(
                f"measurements: expected an array of {len(columns)} numbers, got shape {row.shape}"
            )
        # Within a window, it would spoil those that come after it too.
        if not np.isfinite(row).all():
            raise ValueError("measurements: expected finite numbers, got NaN or infinity")
        if self._streams:
            return self._judge(self._predictor(row[None, None])[0, 0])
        self._last.append(row)
        length = self.details["input_length"]
        if len(self._last) < self.details.get("shortest", length):
            return None
        window = np.zeros((1, length, len(columns)), "float32")
        window[0, -len(self._last) :] = self._last
        output = self._predictor(window)[0]
        return self._judge(output[-1] if output.ndim == 2 else output)

    def _judge(self, output):
        best = int(output.argmax())
        danger = output[1:].max() if self.labels else output[0]
        certain = "threshold" in self.details and danger >= self.details["threshold"]
        self._in_a_row = self._in_a_row + 1 if certain else 0
        alarm = certain and self._in_a_row >= self.details["patience"]
        label = self.labels[best] if self.labels else None
        return Judgement(label, float(output[best]), bool(alarm), output)
