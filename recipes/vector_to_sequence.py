"""Train a model that writes a sequence for a class, and hand over verified `.tflite` files.

Without arguments it learns to write plausible English words for a part of speech, from the words
that come with kzoo. Names for a kind of entity, and melodies for major and minor, go the same way.
All it writes is in the run folder; run the same command again after an interruption and it goes on
where it stopped.
"""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import keras

import kzoo
from kzoo.data.melodies import VOICES
from kzoo.export import export_seq2seq
from kzoo.recipes.parts import command_line, generation, language_parts, run_folder, sequence_parts
from kzoo.text import TOKENIZERS, Tokenizer
from kzoo.training import Resume


@dataclass
class Knobs:
    """What can be set from the command line."""

    dataset: str = "pos_en"  # jsb_chorales, or one of kzoo.data.list_tagging().
    data: Path | None = None  # Folder of the full data sets; the embedded ones need none.
    voices: Literal[VOICES] = "soprano"  # Of chorales, the melody or all voices.
    # Run folder; by default runs/vector_to_sequence/DATASET, of chorales DATASET_VOICES.
    out: Path | None = None
    model: str = "vector_to_sequence_lstm"  # Preset, or a word of its name, such as gru.
    tokenizer: Literal["character", "word"] = "character"  # Kind of tokens.
    jamo: bool = False  # Whether characters of Hangul are taken apart into letters.
    embedding_dim: int = 48  # Width of the embedding.
    units: int = 128  # Width of a recurrent layer, and of the vector of a class.
    num_layers: int = 1  # Number of recurrent layers.
    dropout: float = 0.2  # Fraction of features dropped.
    label_smoothing: float = 0.0  # Probability of a target that is spread over all ids.
    # Share of the tokens read by the decoder in training that are the model's own predictions in
    # place of the true ones; it grows from 0 to this over the run.
    scheduled_sampling: float = 0.0
    epochs: int = 12  # Epochs at most.
    patience: int = 3  # Epochs without a lower validation perplexity before training stops.
    batch_size: int = 64  # Sequences in a batch.
    learning_rate: float = 4e-3  # The highest; it falls to zero along a cosine.
    warmup_steps: int = 50  # Batches over which the learning rate grows from zero.
    clip_norm: float = 1.0  # Largest norm of all gradients together.
    length: int = 26  # Tokens that are written at most, the end counted.
    num_beams: int = 4  # Width of the beam.
    temperature: float = 0.8  # Of the samples in the report.
    seed: int = 1  # Of weights, batches, dropout and samples.


# Where a data set asks for other settings than the defaults; the command line overrides both.
SETTINGS = {
    "jsb_chorales": dict(
        **dict(tokenizer="word", epochs=60, patience=8, batch_size=16, dropout=0.4, length=128),
    ),
    **{name: dict(jamo=True, length=64) for name in ("ner_ko", "klue_ner", "pos_ko", "ud_ko_gsd")},
}
MODELS = ("vector_to_sequence*",)  # Shell patterns of the presets.


def main(knobs):
    """Runs the recipe with these knobs."""
    # Data
    is_music = knobs.dataset == "jsb_chorales"
    if is_music:
        data = kzoo.data.load_melodies(knobs.data, knobs.voices)
    else:
        data = kzoo.data.load_names(knobs.dataset, knobs.data)
    name = f"{data.name}_{knobs.voices}" if is_music else data.name
    out = run_folder.prepare(knobs, knobs.out or Path("runs/vector_to_sequence", name))
    sequence_parts.print_sizes(data)
    options = {"jamo": True} if knobs.jamo else {}
    tokenizer = run_folder.tokenizer(
        out / "tokenizer.json",
        lambda: TOKENIZERS[knobs.tokenizer].train(data.train.texts, 4000, **options),
    )
    parts = {"train": data.train, "validation": data.validation, "test": data.test}
    train, validation, test = (
        sequence_parts.SequenceBatches(part, tokenizer, knobs.batch_size, name == "train", knobs)
        for name, part in parts.items()
    )

    # Model
    keras.utils.set_random_seed(knobs.seed)
    names = "embedding_dim", "units", "num_layers", "dropout"
    model = kzoo.create_model(
        knobs.model,
        vocabulary_size=tokenizer.vocabulary_size,
        num_classes=len(data.class_names),
        **{name: getattr(knobs, name) for name in names},
    )
    training = generation.compile_model(model, knobs, knobs.epochs * len(train))

    # Training
    resume = Resume(out / "checkpoint", "val_perplexity", "min", knobs.patience)
    train.start_epoch(resume.restore(training))
    if not resume.finished:
        clock = generation.Measure("cpu_seconds", language_parts.cpu_clock())
        options = dict(epochs=knobs.epochs, initial_epoch=train.epoch, callbacks=[clock, resume])
        training.fit(train, validation_data=validation, **options)
    resume.load_best(training)
    run_folder.save_model(model, out / "model.keras")

    # Measurement, beside n-grams
    rows = run_folder.cached(
        out / "floor.json",
        lambda: sequence_parts.floors(train, validation, test, tokenizer.vocabulary_size),
    )
    rows = [{"model": row["model"], **test.scores(row["loss"])} for row in rows]
    size = {"parameters": f"{model.count_params():,}"}
    rows.append({"model": "Keras", **test.scores(sequence_parts.loss(training, test)), **size})

    # Export, and the same measurement through each file alone
    files = export_seq2seq(
        model,
        run_folder.files(out),
        start_id=Tokenizer.start_id,
        end_id=Tokenizer.end_id,
        max_length=knobs.length,
        beam_size=knobs.num_beams,
        num_results=1,
        banned_ids=Tokenizer.unwritten_ids,
        sampling=True,
        labels=data.class_names,
        target_tokenizer=tokenizer,
        inputs=list(range(len(data.class_names))),
    )
    rows += [sequence_parts.measure(file, test) for file in files]
    written = sequence_parts.samples(files[-1].path, knobs)
    if is_music:
        sequence_parts.write_music(written, out)
    sequence_parts.write_report(out, data, knobs, rows, written, files, resume.history)


if __name__ == "__main__":
    command_line.run(sys.modules[__name__])
