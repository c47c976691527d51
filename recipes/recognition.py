"""Train a recognizer of strings of digits, measure it, and hand over verified `.tflite` files.

Without arguments it reads lines of the handwritten digits that come with kzoo; `--dataset
speech_digits` listens to spoken ones, and then learns a second, causal model as well, whose file
hears the sound as it comes in. All that is written is in the run folder; run the same command again
after an interruption and it goes on there.
"""

import sys
from dataclasses import dataclass, replace
from pathlib import Path

import keras

import kzoo
from kzoo.export import Export, export_many, export_saved_model, streaming_exports
from kzoo.models import ctc_decoder, ctc_stream
from kzoo.recipes.parts import command_line, recognition_parts, recognition_report, run_folder
from kzoo.recipes.parts.generation import Measure
from kzoo.training import Resume


@dataclass
class Knobs:
    """What can be set from the command line."""

    dataset: str = "digits_1600"  # Data set, of kzoo.data.list_digits() or list_speech().
    data: Path | None = None  # Folder of the full data sets; the embedded ones need none.
    out: Path | None = None  # Run folder; by default runs/recognition/DATASET.
    model: str = "ctc_ocr_lstm"  # Preset, or a word of its name, such as sru.
    stream: str = ""  # Preset of the causal model of sound; empty for none.
    strings: int = 1500  # Strings of an epoch, drawn anew in each.
    test_strings: int = 300  # Strings of validation, and of testing.
    max_length: int = 8  # Digits of a string, at most.
    filters: tuple[int, ...] = (16, 24, 32)  # Filters of each convolution.
    units: int = 64  # Width of a recurrent layer in each direction.
    num_layers: int = 1  # Number of recurrent layers.
    dropout: float = 0.2  # Fraction of features dropped before recurrent layers and the classes.
    num_beams: int = 8  # Beams of the search that stands beside the best path.
    epochs: int = 24  # Epochs at most.
    stream_epochs: int = 40  # Epochs of the causal model.
    patience: int = 8  # Epochs without a better one before training stops; not of the causal model.
    batch_size: int = 32  # Strings in a batch.
    learning_rate: float = 3e-3  # At the start; it falls to zero along a cosine.
    weight_decay: float = 0.01  # Decoupled weight decay.
    seed: int = 1  # Of weights, strings and dropout.


_SPEECH = dict(model="ctc_speech_gru", stream="ctc_speech_gru_stream", max_length=5)
_FSDD = dict(**_SPEECH, strings=2000, epochs=20, test_strings=400)
# Where a data set asks for other settings than the defaults; the command line overrides both.
SETTINGS = {
    "mnist_t10k": dict(strings=3000, epochs=16, test_strings=400),
    "speech_digits": dict(**_SPEECH, strings=600, epochs=40, stream_epochs=100, patience=16),
    "fsdd": _FSDD,
    # With a speaker held out, it is the model of whole recordings that is asked for.
    **{f"fsdd_{name}": {**_FSDD, "stream": ""} for name in ("george", "lucas", "nicolas")},
}
MODELS = ("ctc*",)  # Shell patterns of the presets.
STREAMS = ("ctc*stream",)  # Those of the causal model.


def learn(knobs, data, preset, out):
    """Trains, or goes on training, a model; returns it with its best weights, and its history."""
    keras.utils.set_random_seed(knobs.seed)
    model = kzoo.create_model(
        preset,
        num_classes=len(recognition_parts.WORDS) + 1,
        dropout=knobs.dropout,
        **recognition_parts.sizes(knobs, preset),
        name=preset,
    )
    train = recognition_parts.batches(model, data, "train", knobs)
    validation = recognition_parts.batches(model, data, "validation", knobs)
    schedule = keras.optimizers.schedules.CosineDecay(
        knobs.learning_rate, knobs.epochs * len(train)
    )
    optimizer = keras.optimizers.AdamW(schedule, knobs.weight_decay, clipnorm=5.0)
    # Compiled by XLA, each of the many shapes would take longer to compile than to train.
    model.compile(optimizer, keras.losses.CTC(), jit_compile=False)
    decoder = recognition_parts.decoder_of(model)
    resume = Resume(out / "checkpoint" / preset, "val_errors", "min", knobs.patience)
    train.start_epoch(resume.restore(model))
    if not resume.finished:
        measure = Measure("val_errors", lambda: recognition_parts.errors(decoder, validation))
        span = dict(epochs=knobs.epochs, initial_epoch=train.epoch)
        model.fit(train, callbacks=[measure, resume], **span)
    resume.load_best(model)
    return model, resume.history


def main(knobs):
    """Runs the recipe with these knobs."""
    # Data
    data = recognition_parts.load(knobs)
    out = run_folder.prepare(knobs, knobs.out or Path("runs/recognition", knobs.dataset))

    # Training, and measurement beside the floor
    model, history = learn(knobs, data, knobs.model, out)
    run_folder.save_model(model, out / "model.keras")
    test = recognition_parts.test(data, knobs)
    rows = [run_folder.cached(out / "floor.json", lambda: recognition_parts.floor(data))]
    decoders = {"": ctc_decoder(model), "beam_": ctc_decoder(model, knobs.num_beams)}
    for name, decoder in decoders.items():
        found = recognition_parts.measure_model(decoder, model, data, test)
        label = f"Keras, {f'{knobs.num_beams} beams' if name else 'best path'}"
        rows.append({"model": label, **found, "parameters": f"{model.count_params():,}"})

    # Export, and the same measurement through each file alone
    inputs = recognition_parts.pad(model, test.strings[:8])
    export_saved_model(decoders[""], out / "saved_model", inputs=inputs)
    options = dict(inputs=inputs, details=recognition_parts.details(data))
    exports = [
        Export(decoder, path, precision, **options)
        for name, decoder in decoders.items()
        for precision, path in run_folder.files(out, name).items()
    ]
    files = export_many(exports)
    rows += [recognition_parts.measure_file(file, data, test) for file in files]

    # The causal model, as files that take 8 hops of sound at a time
    notes = ""
    if knobs.stream:
        # It hears every hop and none to come, and says nothing but blanks for some ten epochs.
        longer = replace(knobs, epochs=knobs.stream_epochs, patience=knobs.stream_epochs)
        model, _ = learn(longer, data, knobs.stream, out)
        stream = ctc_stream(model)
        run_folder.save_model(stream, out / "stream.keras")
        options = dict(
            inputs=recognition_parts.pad(model, test.strings[:4]),
            labels=["-", *recognition_parts.WORDS],
        )
        paths = run_folder.stream_files(out)
        streams = export_many(streaming_exports(stream, paths, 8, **options))
        notes = recognition_report.watch(streams, stream, data, test)
    recognition_report.write_report(out, data, knobs, rows, test, history, files, notes)


if __name__ == "__main__":
    command_line.run(sys.modules[__name__])
