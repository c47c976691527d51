"""Train a detector of faults, or of the life that is left, and hand over verified `.tflite` files.

Without arguments it tells four states of a chemical plant apart, by runs that come with kzoo. A
second, causal model labels every measurement as it comes in: its file raises an alarm. All that is
written is in the run folder; run the same command again after an interruption and it goes on there.
"""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import keras
import numpy as np

import kzoo
from kzoo.export import Export, export_many, export_saved_model, streaming_exports
from kzoo.models.classifier import POOLINGS
from kzoo.recipes.parts import alarm_parts, command_line, fault_parts, run_folder
from kzoo.training import Resume


@dataclass
class Knobs:
    """What can be set from the command line."""

    dataset: str = "tep_4_classes"  # Data set: tep, tep_4_classes or cmapss_fd001.
    data: Path | None = None  # Folder of the full data sets; the embedded ones need none.
    out: Path | None = None  # Run folder; by default runs/fault_detection/DATASET.
    model: str = "sequence_gru"  # Preset, or a word of its name, such as lstm.
    stream: str = "labeller_gru"  # Preset of the causal model, of kzoo.list_models("labeller*").
    input_length: int = 20  # Steps of a window.
    stride: int = 1  # Steps between two windows of training.
    changes: bool = True  # Whether the changes of the measurements and their size are read too.
    trends: tuple[float, ...] = ()  # Decays of moving averages, read with their differences.
    units: int = 64  # Width of a recurrent layer in each direction.
    num_layers: int = 1  # Number of recurrent layers.
    bidirectional: bool = True  # Whether layers of the model of windows walk in both directions.
    pooling: Literal[POOLINGS] = "max_mean"  # How the outputs over time become one vector.
    dropout: float = 0.3  # Fraction of features dropped before each layer.
    epochs: int = 8  # Epochs at most.
    patience: int = 5  # Epochs without a better one before training stops.
    batch_size: int = 64  # Windows in a batch.
    learning_rate: float = 2e-3  # At the start; it falls to zero along a cosine.
    weight_decay: float = 0.05  # Decoupled weight decay.
    members: int = 1  # Models of windows from different seeds, whose mean decides.
    seed: int = 1  # Of weights, batches and dropout.


# Where a data set asks for other settings than the defaults; the command line overrides both.
SETTINGS = {
    "tep": dict(members=3),
    "cmapss_fd001": dict(
        **dict(model="regressor_gru", input_length=100, changes=False, bidirectional=False),
        **dict(pooling="last", epochs=12, weight_decay=0.01, stride=3, members=3),
        trends=(0.8, 0.9, 0.96),
    ),
}
MODELS = ("sequence*", "regressor*")  # Shell patterns of the presets.
STREAMS = ("labeller*",)  # Those of the causal model.


def make(knobs, data, preset, name):
    """Builds a model."""
    sizes = dict(num_features=len(data.columns), statistics=data.statistics, name=name)
    names = ["units", "num_layers", "dropout", "changes", "trends"]
    if not preset.startswith("labeller"):
        names += ["bidirectional", "pooling"]
    if data.class_names is not None:
        sizes["num_classes"] = len(data.class_names)
    else:
        steps = np.concatenate([np.arange(*run) for run in data.parts["train"]])
        lives = data.labels[steps]
        sizes["target_statistics"] = float(lives.mean()), float(lives.var())
    return kzoo.create_model(preset, **sizes, **{name: getattr(knobs, name) for name in names})


def fit(knobs, model, train, validation, out):
    """Trains, or goes on training, a model, and gives it its best weights; returns its history."""
    steps = knobs.epochs * len(train)
    schedule = keras.optimizers.schedules.CosineDecay(knobs.learning_rate, steps)
    is_number = model.output_shape[-1] == 1
    loss = "mse" if is_number else "sparse_categorical_crossentropy"
    model.compile(
        keras.optimizers.AdamW(schedule, knobs.weight_decay),
        loss,
        metrics=[] if is_number else ["accuracy"],
    )
    resume = Resume(out / "checkpoint" / model.name, "val_loss", patience=knobs.patience)
    train.seed = knobs.seed
    train.start_epoch(resume.restore(model))
    if not resume.finished:
        options = dict(epochs=knobs.epochs, initial_epoch=train.epoch, callbacks=[resume])
        model.fit(train, validation_data=validation, **options)
    resume.load_best(model)
    return resume.history


def main(knobs):
    """Runs the recipe with these knobs."""
    # Data
    data = kzoo.data.load_faults(knobs.dataset, knobs.data)
    out = run_folder.prepare(knobs, knobs.out or Path("runs/fault_detection", knobs.dataset))
    fault_parts.print_sizes(data)
    test = fault_parts.batches(data, "test", knobs)
    labels = data.labels[test.target_steps()[:, 0]]

    def learn(preset, name, index=0, every_step=False):
        keras.utils.set_random_seed(knobs.seed + index)
        model = make(knobs, data, preset, name)
        train, validation = (
            fault_parts.batches(data, part, knobs, every_step, shuffle=part == "train")
            for part in ("train", "validation")
        )
        return model, fit(knobs, model, train, validation, out)

    # The model of windows, beside the floor
    learnt = [learn(knobs.model, f"windows_{index}", index) for index in range(knobs.members)]
    members, histories = zip(*learnt, strict=True)
    model = kzoo.models.ensemble(members)
    run_folder.save_model(model, out / "model.keras")
    outputs = model.predict(test, verbose=0)
    floor = run_folder.cached(out / "floor.json", lambda: fault_parts.floor(data, knobs))
    rows = [{"model": "linear floor", **floor}]
    found = fault_parts.scores(data, labels, outputs)
    rows.append({"model": "Keras", **found, "parameters": f"{model.count_params():,}"})

    # Export, and the same measurement through each file alone
    export_saved_model(model, out / "saved_model", inputs=test[0][0])
    details = fault_parts.details(data, knobs.input_length)
    options = dict(inputs=test[0][0], labels=data.class_names, details=details)
    exports = [Export(model, path, name, **options) for name, path in run_folder.files(out).items()]
    files = export_many(exports)
    rows += [fault_parts.measure_file(file, data, test) for file in files]

    # The causal model, as files that take one measurement at a time
    notes = ""
    if data.class_names is not None:
        labeller, _ = learn(knobs.stream, "stream", every_step=True)
        run_folder.save_model(labeller, out / "stream.keras")
        rule = alarm_parts.alarm_rule(labeller, data)
        options["details"] = fault_parts.details(data, **rule)
        streams = streaming_exports(labeller, run_folder.stream_files(out), **options)
        notes = alarm_parts.alarms(export_many(streams), labeller, data)
    fault_parts.write_report(out, data, knobs, rows, labels, outputs, histories, files, notes)


if __name__ == "__main__":
    command_line.run(sys.modules[__name__])
