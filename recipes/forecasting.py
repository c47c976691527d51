"""Train a forecaster of numbers, measure it beside its floors, and hand over `.tflite` files.

Without arguments it forecasts the daily minimum temperatures that come with kzoo. All it writes is
in the run folder; run the same command again after an interruption and it goes on where it stopped.
"""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import keras

import kzoo
from kzoo.export import Export, export_many, export_saved_model
from kzoo.recipes.parts import command_line, forecasting_parts, run_folder
from kzoo.training import ForecastLoss, Resume, start_at_ridge


@dataclass
class Knobs:
    """What can be set from the command line."""

    dataset: str = "min_temperatures"  # Data set, one of kzoo.data.list_series().
    data: Path | None = None  # Folder of the full data sets; the embedded ones need none.
    series: Path | None = None  # A CSV file of yours in the place of a data set.
    columns: tuple[str, ...] = ()  # Columns of your file to read; by default all with numbers.
    targets: tuple[str, ...] = ()  # Columns of your file to forecast; by default all that are read.
    season: int | None = None  # Steps after which your series repeat, such as 24 for hours of days.
    out: Path | None = None  # Run folder; by default runs/forecasting/DATASET_HORIZON.
    model: str = "forecaster_gru"  # Preset, or a word of its name, such as lstm.
    input_length: int = 60  # Steps that a forecast reads.
    horizon: int = 1  # Steps that are forecast.
    quantiles: tuple[float, ...] = ()  # Quantiles to forecast, 0.5 among them; by default none.
    units: int = 64  # Width of a recurrent layer.
    num_layers: int = 1  # Number of recurrent layers.
    dropout: float = 0.3  # Fraction of features dropped before each layer.
    # Level subtracted from a window before it is read and added back to the forecast: its last
    # value, its mean, or nothing.
    level: Literal["last", "mean", "zero"] = "last"
    # Of presets with "segments": last steps of the window that a linear map of its own reads for
    # each series; by default there are no such maps.
    own_length: int | None = None
    error: Literal["squared", "absolute"] = "squared"  # The error that training minimizes.
    epochs: int = 20  # Epochs at most.
    patience: int = 5  # Epochs without a better one before training stops.
    batch_size: int = 64  # Windows in a batch.
    learning_rate: float = 1e-3  # At the start; it falls to zero along a cosine.
    weight_decay: float = 0.01  # Decoupled weight decay.
    members: int = 1  # Models from different seeds, whose mean is the forecaster.
    seed: int = 1  # Of weights, batches and dropout.


# Where a data set asks for other settings than the defaults; the command line overrides both.
SETTINGS = {
    "pollution_2y": dict(input_length=48, epochs=8, batch_size=128, dropout=0.2),
    "pollution": dict(input_length=48, epochs=8, batch_size=128, dropout=0.2),
    "etth1": dict(
        **dict(model="forecaster_gru_segments", input_length=336, horizon=24, level="zero"),
        own_length=96,
        **dict(dropout=0.5, epochs=3, batch_size=128, learning_rate=3e-4, members=2),
    ),
}
MODELS = ("forecaster*",)  # Shell patterns of the presets.


def train_member(knobs, index, data, train, validation, out):
    """Trains, or goes on training, one model; returns it with its best weights, and its history."""
    keras.utils.set_random_seed(knobs.seed + index)
    sizes = "input_length horizon units num_layers dropout level"
    quantiles = list(knobs.quantiles) or None
    own = {} if knobs.own_length is None else {"own_length": knobs.own_length}
    model = kzoo.create_model(
        knobs.model,
        num_features=len(data.columns),
        targets=data.targets,
        statistics=data.statistics,
        quantiles=quantiles,
        name=f"member_{index}",
        **{name: getattr(knobs, name) for name in sizes.split()},
        **own,
    )
    # What is trained gives standardized numbers, so that every series weighs the same.
    trained = kzoo.models.standardized_forecaster(model)
    train.seed = knobs.seed + index
    steps = knobs.epochs * len(train)
    schedule = keras.optimizers.schedules.CosineDecay(knobs.learning_rate, steps)
    optimizer = keras.optimizers.AdamW(schedule, knobs.weight_decay)
    trained.compile(optimizer, ForecastLoss(knobs.error, quantiles))
    resume = Resume(out / "checkpoint" / model.name, "val_loss", patience=knobs.patience)
    train.start_epoch(resume.restore(trained))
    if not resume.history:
        start_at_ridge(trained, train, validation)
    if not resume.finished:
        options = dict(epochs=knobs.epochs, initial_epoch=train.epoch, callbacks=[resume])
        trained.fit(train, validation_data=validation, **options)
    resume.load_best(trained)
    return model, resume.history


def main(knobs):
    """Runs the recipe with these knobs."""
    # Data
    data = forecasting_parts.load(knobs)
    name = knobs.dataset if knobs.series is None else knobs.series.name.split(".")[0]
    out = run_folder.prepare(
        knobs, knobs.out or Path("runs/forecasting", f"{name}_{knobs.horizon}")
    )
    train = forecasting_parts.batches(data, "train", knobs, shuffle=True)
    validation, test = (
        forecasting_parts.batches(data, part, knobs) for part in ("validation", "test")
    )

    # Training, one member after the other
    arguments = data, train, validation, out
    trained = [train_member(knobs, index, *arguments) for index in range(knobs.members)]
    members, histories = zip(*trained, strict=True)
    model = kzoo.models.ensemble(members)
    run_folder.save_model(model, out / "model.keras")

    # Measurement, beside the floors
    known = data.known_targets[test.target_steps()]
    forecasts = model.predict(test, verbose=0)
    rows = forecasting_parts.floors(out, data, known, knobs)
    found = forecasting_parts.scores(data, known, forecasts, list(knobs.quantiles) or None)
    rows.append({"model": "Keras", **found, "parameters": f"{model.count_params():,}"})
    forecasting_parts.plot_backtest(data, known, forecasts, knobs, out / "backtest.png")

    # Export, and the same measurement through each file alone
    export_saved_model(model, out / "saved_model", inputs=test[0][0])
    options = dict(inputs=test[0][0], details=forecasting_parts.details(data, knobs))
    exports = [
        Export(model, path, precision, **options)
        for precision, path in run_folder.files(out).items()
    ]
    files = export_many(exports)
    rows += [forecasting_parts.measure_file(file, data, known, test, knobs) for file in files]
    forecasting_parts.write_report(out, data, knobs, rows, histories, files)


if __name__ == "__main__":
    command_line.run(sys.modules[__name__])
