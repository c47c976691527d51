"""The floors of forecasts: nothing changes, a season comes back, a linear map in closed form."""

import numpy as np

PENALTIES = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)
# Above so many numbers in a window, each series is forecast from itself alone.
MOST_INPUTS = 2000


def persistence(values, starts, input_length, horizon):
    """Forecasts that nothing changes: the last value of the window.

    Args:
        values: `(time, targets)`.
        starts: First steps of the windows.
        input_length: Steps of a window.
        horizon: Steps that are forecast.

    Returns:
        `(windows, horizon, targets)`.

    Example:

    >>> persistence(np.arange(9.0)[:, None], np.array([0, 2]), 3, 2)[..., 0].tolist()
    [[2.0, 2.0], [4.0, 4.0]]
    """
    return np.repeat(values[starts + input_length - 1][:, None], horizon, axis=1)


def seasonal_persistence(values, starts, input_length, horizon, season):
    """Forecasts that what was a season ago comes back; the last whole season, again and again.

    Example:

    >>> seasonal_persistence(np.arange(9.0)[:, None], np.array([0]), 4, 3, 2)[..., 0].tolist()
    [[2.0, 3.0, 2.0]]
    """
    steps = starts[:, None] + input_length + np.arange(horizon) % season - season
    return values[steps]


class LinearForecast:
    """Ridge regression in closed form, from windows less their last value.

    Args:
        values: `(time, columns)`, standardized.
        known: `(time, targets)`, standardized, NaN where not known.
        targets: List of the numbers of the columns that are forecast.
        input_length: Steps of a window.
        horizon: Steps that are forecast.
        kind: "all" forecasts each target from all columns, "own" from itself, and "shared" from
            itself with the same weights for all.

    Example:

    >>> values = np.arange(30.0)[:, None]
    >>> model = LinearForecast(values, values, [0], input_length=3, horizon=2)
    >>> model.read(np.arange(20))
    >>> model.solve(penalty=1e-6)
    >>> np.round(model.predict(np.array([25]))[0, :, 0], 3).tolist()
    [28.0, 29.0]
    """

    def __init__(self, values, known, targets, input_length, horizon, kind="own"):
        """Keep the series; see the class."""
        self.values, self.known, self.targets = values, known, targets
        self.input_length, self.horizon, self.kind = input_length, horizon, kind

    def read(self, starts):
        """Adds up the products of windows, once for all penalties."""
        places = range(len(self.targets))
        groups = [list(places)] if self.kind == "shared" else [[place] for place in places]
        self.sums = []
        for group in groups:
            gram = products = count = 0
            for place in group:
                inputs, changes = self._pairs(starts, place)
                # A target that is not known takes the whole window with it.
                use = ~np.isnan(changes).any(axis=1)
                inputs, changes = inputs[use], changes[use]
                gram, products = gram + inputs.T @ inputs, products + inputs.T @ changes
                count += len(inputs)
            self.sums.append((group, gram, products, count))

    def solve(self, penalty):
        """Solves for the weights; `penalty` is in variances of a number of a window."""
        self.weights = {}
        for group, gram, products, count in self.sums:
            weights = np.linalg.solve(gram + penalty * count * np.eye(len(gram)), products)
            self.weights |= dict.fromkeys(group, weights)

    def predict(self, starts):
        """Forecasts, `(windows, horizon, targets)`."""
        outputs = []
        for place, column in enumerate(self.targets):
            last = self.values[starts + self.input_length - 1, column]
            outputs.append(self._inputs(starts, place) @ self.weights[place] + last[:, None])
        return np.stack(outputs, axis=-1)

    def _pairs(self, starts, place):
        written = starts[:, None] + self.input_length + np.arange(self.horizon)
        last = self.values[starts + self.input_length - 1, self.targets[place]]
        return self._inputs(starts, place), self.known[written, place] - last[:, None]

    def _inputs(self, starts, place):
        windows = self.values[starts[:, None] + np.arange(self.input_length)].astype("float64")
        own = windows[:, :, self.targets[place]] - windows[:, -1:, self.targets[place]]
        parts = [own]
        if self.kind == "all":
            parts += [windows.reshape(len(windows), -1)]
        return np.concatenate([*parts, np.ones((len(windows), 1))], axis=1)


def linear_forecasts(data, known, values, input_length, horizon):
    """Fits each kind of linear map, with the penalty that is best in validation.

    Args:
        data: A `kzoo.data.Series`.
        known: As in `LinearForecast`.
        values: As in `LinearForecast`.
        input_length: Steps of a window.
        horizon: Steps that are forecast.

    Returns:
        Dict from the name of a floor to its forecasts of the test windows.
    """
    parts = {
        part: data.starts(part, input_length, horizon) for part in ("train", "validation", "test")
    }
    kinds = {"linear": "own"}
    if len(data.targets) > 1:
        kinds = {"linear, a map a series": "own", "linear, one map": "shared"}
    if len(data.columns) > len(data.targets) and input_length * len(data.columns) <= MOST_INPUTS:
        kinds["linear, all columns"] = "all"
    written = parts["validation"][:, None] + input_length + np.arange(horizon)
    found = {}
    for name, kind in kinds.items():
        model = LinearForecast(values, known, data.targets, input_length, horizon, kind)
        model.read(parts["train"])
        best = np.inf
        for penalty in PENALTIES:
            model.solve(penalty)
            error = np.nanmean((model.predict(parts["validation"]) - known[written]) ** 2)
            if error < best:
                best, found[name] = error, model.predict(parts["test"])
    return found
