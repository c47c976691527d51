"""Train a score of anomalies without labels, and hand over files that raise alarms by the sample.

It runs on the temperatures of a machine that come with kzoo, whose failures are labelled: labels
are for the measurement alone. All it writes is in the run folder.
"""

import sys
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
from matplotlib import pyplot

import kzoo
from kzoo.export import export_many, streaming_exports
from kzoo.models import forecast_errors
from kzoo.recipes.parts import alarm_parts, command_line, fault_parts, report, run_folder
from kzoo.recipes.parts.alarm_scores import episodes, measure
from kzoo.training import ForecastLoss, Resume, SeriesBatches


@dataclass
class Knobs:
    """What can be set from the command line."""

    dataset: str = "machine_temperature"  # Data set, one of kzoo.data.list_faults() with one run.
    data: Path | None = None  # Folder of the full data sets; the embedded ones need none.
    out: Path | None = None  # Run folder; by default runs/anomaly_detection/DATASET.
    model: str = "anomaly_gru"  # Preset, or a word of its name, such as gru.
    input_length: int = 432  # Steps of a window of training.
    units: int = 32  # Width of a recurrent layer.
    # How many steps ahead is forecast; there are twelve in an hour.
    horizons: tuple[int, ...] = (1, 12, 144, 288)
    window: int = 144  # Steps over which the score is a mean.
    margin: float = 1.5  # An alarm begins above this many times the validation's top score.
    epochs: int = 2  # Epochs at most.
    batch_size: int = 32  # Windows in a batch.
    learning_rate: float = 2e-3  # At the start; it falls to zero along a cosine.
    seed: int = 1  # Of weights, batches and dropout.


SETTINGS = {}
MODELS = ("anomaly*",)  # Shell patterns of the presets.


def batches(data, part, knobs, **options):
    """Returns the `SeriesBatches` of a part: windows, and zeros for the errors to come to."""
    # All windows: what is labelled is not known here.
    ((begin, end),) = data.parts[part]
    starts = np.arange(begin, end - knobs.input_length + 1)
    sizes = knobs.input_length, knobs.input_length, knobs.batch_size
    targets = np.zeros((len(data.values), len(data.columns) * len(knobs.horizons)), "float32")
    return SeriesBatches(data.values, targets, starts, *sizes, lead=-knobs.input_length, **options)


def train(knobs, data, out):
    """Trains, or goes on training, the model; returns it with its best weights, and its history."""
    keras.utils.set_random_seed(knobs.seed)
    sizes = {name: getattr(knobs, name) for name in ("units", "horizons", "window")}
    sizes |= dict(num_features=len(data.columns), statistics=data.statistics)
    model = kzoo.create_model(knobs.model, **sizes)
    trained = forecast_errors(model)
    windows = batches(data, "train", knobs, shuffle=True, seed=knobs.seed)
    schedule = keras.optimizers.schedules.CosineDecay(
        knobs.learning_rate, knobs.epochs * len(windows)
    )
    trained.compile(keras.optimizers.Adam(schedule), ForecastLoss("absolute"))
    resume = Resume(out / "checkpoint", "val_loss", patience=knobs.epochs)
    windows.start_epoch(resume.restore(trained))
    options = dict(epochs=knobs.epochs, initial_epoch=windows.epoch, callbacks=[resume])
    trained.fit(windows, validation_data=batches(data, "validation", knobs), **options)
    resume.load_best(trained)
    return model, resume.history


def main(knobs):
    """Runs the recipe with these knobs."""
    data = kzoo.data.load_faults(knobs.dataset, knobs.data)
    out = run_folder.prepare(knobs, knobs.out or Path("runs/anomaly_detection", knobs.dataset))
    model, history = train(knobs, data, out)
    run_folder.save_model(model, out / "model.keras")

    # The files take one measurement at a time; the whole run goes through each
    ((first, begin),) = data.parts["validation"]
    offline = model.predict(data.values[None], verbose=0)[0, :, 0]
    rule = dict(threshold=float(knobs.margin * offline[first:begin].max()), patience=1)
    options = dict(inputs=data.values[None, :500], details=fault_parts.details(data, **rule))
    files = export_many(streaming_exports(model, run_folder.stream_files(out), **options))
    found = [alarm_parts.watch(file.path, data.values)[0][:, 0] for file in files]

    # Alarms in the part of testing, beside scores that need no model
    mean, variance = data.statistics
    size = (abs(data.values - mean) / np.sqrt(variance)).mean(axis=1)
    jump = abs(np.diff(data.values, axis=0, prepend=data.values[:1])).mean(axis=1)
    arguments = data.labels, begin, first, knobs.margin
    smooth = np.convolve(size, np.full(knobs.window, 1 / knobs.window))[: len(size)]
    naive = {"distance from the mean": size, "its mean over the window": smooth, "jump": jump}
    rows = [measure(name, values, *arguments) for name, values in naive.items()]
    for file, scores in zip(files, found, strict=True):
        measured = measure(file.path.name, scores, *arguments, rule["threshold"])
        row = report.file_row(file, measured, "latency of a step")
        rows.append(row | {"difference": f"{abs(scores - offline).max():.1e}"})
    report.print_table(f"{data.name}, test part", rows)
    report.plot_learning_curve([history], ("loss",), out / "learning_curve.png")

    figure, (upper, lower) = pyplot.subplots(2, 1, figsize=(11, 5), sharex=True)
    upper.plot(data.values[:, 0], lw=0.6)
    lower.plot(found[0], lw=0.6)
    lower.axhline(rule["threshold"], color="C3", label="threshold")
    lower.legend()
    for axis in (upper, lower):
        for start, end in episodes(data.labels > 0):
            axis.axvspan(start, end, color="C1", alpha=0.3)
    figure.savefig(out / "scores.png", dpi=110)
    pyplot.close(figure)
    text = f"""# {data.name}

Licence of the data: {data.licence}. No label was used in training. The threshold is {knobs.margin}
times the largest score of the validation part, that of the Keras model for the files; the test
part begins at step {begin}. The difference is the largest between a score of the file and of the
Keras model over {len(offline)} steps.

{report.markdown_table(rows)}

![Measurements, windows and scores](scores.png)

![Learning curve](learning_curve.png)
"""
    run_folder.write_report(out, text, rows)
    print(f"The report, the pictures, the model and the files are in {out}")


if __name__ == "__main__":
    command_line.run(sys.modules[__name__])
