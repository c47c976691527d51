"""What the recipe of forecasts shares with its tests: scores, floors, files, picture and report."""

import numpy as np

from kzoo.data import load_series, read_series
from kzoo.export import ForecastPredictor
from kzoo.recipes.parts import forecast_floors, report, run_folder
from kzoo.training import SeriesBatches


def load(knobs):
    """Loads the series that the knobs name, and prints how many there are."""
    if knobs.series is not None:
        data = read_series(knobs.series, knobs.columns, knobs.targets, knobs.season)
    else:
        data = load_series(knobs.dataset, knobs.data)
    steps = np.diff([0, *data.ends])
    sizes = f"{steps[0]} training, {steps[1]} validation, {steps[2]} test"
    print(f"{data.name}: {sizes} steps of {len(data.columns)} columns")
    return data


def standardized(data):
    """Returns the values and the known targets in standard deviations from the mean."""
    mean, variance = (np.array(numbers) for numbers in data.statistics)
    scale = np.sqrt(np.where(variance > 0, variance, 1))
    known = (data.known_targets - mean[data.targets]) / scale[data.targets]
    return (data.values - mean) / scale, known


def batches(data, part, knobs, **options):
    """Returns the `SeriesBatches` of a part: raw values, and standardized targets."""
    starts = data.starts(part, knobs.input_length, knobs.horizon)
    known = standardized(data)[1]
    sizes = knobs.input_length, knobs.horizon, knobs.batch_size
    return SeriesBatches(data.values, known, starts, *sizes, **options)


def scores(data, known, forecasts, quantiles=None):
    """Scores forecasts of the test windows.

    Where one series is forecast, errors are in its own unit, else in standard deviations of the
    training part, as in the literature.

    Args:
        data: A `kzoo.data.Series`.
        known: Raw targets `(windows, horizon, targets)`, NaN where not known.
        forecasts: Raw forecasts, of that shape or with quantiles.
        quantiles: The quantiles, or None; "coverage" is the share of the targets between the first
            and the last of them.

    Returns:
        Dict from names to strings; the first one is what the report ends with.

    Example:

    >>> import kzoo
    >>> data = kzoo.data.load_series("min_temperatures")
    >>> scores(data, np.array([[[1.0], [np.nan]]]), np.array([[[4.0], [9.0]]]))
    {'RMSE': '3.0000', 'MAE': '3.0000'}
    """
    values = {}
    point = forecasts
    if quantiles is not None:
        point = forecasts[..., quantiles.index(0.5)]
        inside = (forecasts[..., 0] <= known) & (known <= forecasts[..., -1])
        values["coverage"] = 100 * inside[~np.isnan(known)].mean()
        values["expected"] = 100 * (quantiles[-1] - quantiles[0])
    errors = point - known
    if len(data.targets) == 1:
        squared = "RMSE", np.sqrt(np.nanmean(errors**2))
    else:
        variance = np.array(data.statistics[1])[data.targets]
        errors = errors / np.sqrt(np.where(variance > 0, variance, 1))
        squared = "MSE", np.nanmean(errors**2)
    first = dict([squared, ("MAE", np.nanmean(np.abs(errors)))])
    return {
        **{name: f"{value:.4f}" for name, value in first.items()},
        **{name: f"{value:.1f} %" for name, value in values.items()},
    }


def floors(out, data, known, knobs):
    """Returns the rows of persistence and of linear maps, kept in `out`."""
    length, horizon = knobs.input_length, knobs.horizon
    starts = data.starts("test", length, horizon)
    targets = data.values[:, data.targets]

    def compute():
        found = {"persistence": forecast_floors.persistence(targets, starts, length, horizon)}
        if data.season is not None and data.season <= starts[0] + length:
            found["seasonal persistence"] = forecast_floors.seasonal_persistence(
                targets, starts, length, horizon, data.season
            )
        rows = [{"model": name, **scores(data, known, x)} for name, x in found.items()]
        mean, variance = (np.array(numbers)[data.targets] for numbers in data.statistics)
        scale = np.sqrt(np.where(variance > 0, variance, 1))
        values, targets_known = standardized(data)
        linear = forecast_floors.linear_forecasts(data, targets_known, values, length, horizon)
        return rows + [
            {"model": name, **scores(data, known, x * scale + mean)} for name, x in linear.items()
        ]

    return run_folder.cached(out / "floors.json", compute)


def details(data, knobs):
    """Returns what a client of the file must know of the series, ready for JSON."""
    return {
        "columns": data.columns,
        "targets": [data.columns[index] for index in data.targets],
        "quantiles": list(knobs.quantiles) or None,
        "reading": data.reading,
    }


def measure_file(verification, data, known, test, knobs):
    """Scores a `.tflite` file on the test windows, through the file alone.

    Returns:
        The file's row of the table.
    """
    predictor = ForecastPredictor(verification.path)
    found = np.concatenate([predictor(test[index][0]) for index in range(len(test))])
    measured = scores(data, known, found, list(knobs.quantiles) or None)
    return report.file_row(verification, measured)


def plot_backtest(data, known, forecasts, knobs, path, most_steps=400):
    """Draws the end of the test part, and the forecasts of it that were made a horizon ago.

    Args:
        data: A `kzoo.data.Series`.
        known: Raw targets `(windows, horizon, targets)`, NaN where not known.
        forecasts: Raw forecasts, of that shape or with quantiles.
        knobs: The recipe's knobs.
        path: The picture to write.
        most_steps: Steps that are drawn.
    """
    from matplotlib import pyplot

    quantiles, horizon = list(knobs.quantiles) or None, knobs.horizon
    middle = forecasts if quantiles is None else forecasts[..., quantiles.index(0.5)]
    # Windows side by side, the last of which ends where the series ends.
    count = min(max(most_steps // horizon, 1), (len(known) - 1) // horizon + 1)
    chosen = np.arange(count)[::-1] * -horizon + len(known) - 1
    shown = data.targets[:4]
    figure, axes = pyplot.subplots(
        len(shown), 1, figsize=(11, 2.6 * len(shown)), layout="constrained", squeeze=False
    )
    steps = np.arange(count * horizon).reshape(count, horizon)
    for place, axis in enumerate(axes[:, 0]):
        axis.plot(steps.ravel(), known[chosen, :, place].ravel(), "k", lw=1, label="measured")
        for index, row in enumerate(chosen):
            label = "forecast" if index == 0 else None
            axis.plot(steps[index], middle[row, :, place], "C1.-", ms=3, lw=1, label=label)
            if quantiles is not None:
                low, high = forecasts[row, :, place, 0], forecasts[row, :, place, -1]
                name = f"{quantiles[0]:g} to {quantiles[-1]:g}" if index == 0 else None
                if horizon > 1:
                    axis.fill_between(steps[index], low, high, color="C1", alpha=0.25, label=name)
                else:
                    axis.vlines(steps[index], low, high, color="C1", alpha=0.4, label=name)
        axis.set(ylabel=data.columns[shown[place]], xlabel="step")
        axis.grid(alpha=0.3)
        axis.legend(loc="upper left")
    figure.suptitle(f"{data.name}: forecasts {horizon} step(s) ahead, end of the test part")
    figure.savefig(path, dpi=110)
    pyplot.close(figure)


def write_report(out, data, knobs, rows, histories, files):
    """Prints the table, and writes it, `report.md` and the learning curve into `out`."""
    operators = ", ".join(files[0].operators)
    report.print_table(f"{data.name}, test part, horizon {knobs.horizon}", rows)
    print(f"Operators in the files: {operators}")
    report.plot_learning_curve(histories, ("loss",), out / "learning_curve.png")
    epochs = [epoch for history in histories for epoch in history]
    minutes = sum(epoch["seconds"] for epoch in epochs) / 60
    unit = "its own unit" if len(data.targets) == 1 else "standard deviations of the training part"
    missing = int((~data.observed[:, data.targets]).sum())
    text = f"""# {data.name}

{len(data.values)} steps of {len(data.columns)} columns, of which training, validation and test end
at {", ".join(map(str, data.ends))}. {missing} values to forecast are missing, and are not scored.
Licence of the data: {data.licence}. Training took {minutes:.1f} minutes over {len(epochs)} epochs
of {len(histories)} member(s); the weights are those of the epoch with the best validation loss.

Errors are in {unit}. Linear maps are ridge regressions in closed form; their penalty was chosen by
validation.

{report.markdown_table(rows)}

Latency is the median of one window at a time in LiteRT's Interpreter on one thread; the difference
is the largest between a number of the file and of the Keras model.

Operators in the files: {operators}.

![Backtest](backtest.png)

![Learning curve](learning_curve.png)

## Settings

{report.settings(knobs)}
"""
    run_folder.write_report(out, text, rows)
    print(f"The report, the pictures, the model and the files are in {out}")
