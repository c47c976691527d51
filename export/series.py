"""Forecast with a `.tflite` file of a forecaster; needs no TensorFlow."""

import numpy as np

from kzoo.export.bundle import SIGNATURE, read_described
from kzoo.export.runtimes import InterpreterRuntime


class ForecastPredictor:
    """Forecasts from a `.tflite` file alone; needs neither TensorFlow nor the Keras model.

    Args:
        path: a file of `export_tflite` whose `details` hold `columns`, `targets` (names),
            `quantiles` (or None) and `reading`, as the recipe of forecasts writes them.

    Attributes:
        details: what the file says of its series.
        input_length: steps that a forecast reads.
        horizon: steps that are forecast.

    Raises:
        ExportError: the file is missing, damaged, or no forecaster.

    Example:

    >>> from kzoo.export import ExportError, ForecastPredictor
    >>> try:
    ...     ForecastPredictor("missing.tflite")
    ... except ExportError as error:
    ...     print(error)
    path: no such file: missing.tflite
    """

    def __init__(self, path):
        """Load the file; see the class."""
        names = ("columns", "targets", "quantiles")
        bundle = read_described(path, names, "forecaster", "forecasting")
        self.details = bundle.manifest["details"]
        signature = bundle.manifest["signatures"][SIGNATURE]
        (self._input,), (self._output,) = signature["inputs"], signature["outputs"]
        self.input_length = self._input["shape"][1]
        self.horizon = self._output["shape"][1]
        self._runtime = InterpreterRuntime(path, SIGNATURE)

    def __call__(self, windows):
        """Forecast a batch.

        Args:
            windows: array `(batch, input_length, columns)` of raw numbers.

        Returns:
            float32 `(batch, horizon, targets)`, with quantiles `(..., quantiles)`.

        Raises:
            ValueError: another shape, or NaN.
        """
        windows = np.asarray(windows, "float32")
        expected = (self.input_length, len(self.details["columns"]))
        if windows.ndim != 3 or windows.shape[1:] != expected:
            raise ValueError(
                f"windows: expected shape (batch, {expected[0]}, {expected[1]}), "
                f"got {windows.shape}"
            )
        if not np.isfinite(windows).all():
            raise ValueError("windows: expected finite numbers, got NaN or infinity")
        return self._runtime.run({self._input["name"]: windows})[self._output["name"]]

    def forecast(self, values):
        """Forecast what comes after the last of some steps.

        Args:
            values: array `(time, columns)`, at least `input_length` steps of raw numbers.

        Returns:
            float32 `(horizon, targets)`, with quantiles `(..., quantiles)`.

        Raises:
            ValueError: too few steps, another shape, or NaN.
        """
        values = np.asarray(values, "float32")
        if values.ndim != 2 or len(values) < self.input_length:
            raise ValueError(
                f"values: expected at least {self.input_length} steps of "
                f"{len(self.details['columns'])} columns, got shape {values.shape}"
            )
        return self(values[None, -self.input_length :])[0]

    @property
    def names(self):
        """The names of the numbers of a step: targets, and with quantiles their quantiles."""
        targets, quantiles = self.details["targets"], self.details["quantiles"]
        if quantiles is None:
            return list(targets)
        return [f"{target} {quantile:g}" for target in targets for quantile in quantiles]
