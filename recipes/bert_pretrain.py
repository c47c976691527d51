"""Pretrain a BERT on plain text, for `bert_finetune`, `kzoo.models.load_bert` and Hugging Face.

Without arguments it reads the Korean film reviews that come with kzoo; `--text` takes any text of
yours, and `--folder` a pretrained model, which goes on learning from it. All it writes is in the
run folder, the pretrained model in its folder `bert`; run the same command again after an
interruption and it goes on where it stopped.
"""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import keras

import kzoo
from kzoo.recipes.parts import bert_parts, command_line, language_parts, run_folder
from kzoo.recipes.parts.bert_parts import ROWS
from kzoo.training import GuessAccuracy, Perplexity, Resume


@dataclass
class Knobs:
    """What can be set from the command line."""

    dataset: str = "language_ko"  # Data set, one of kzoo.data.list_corpora().
    data: Path | None = None  # Folder of the full data sets; the embedded ones need none.
    # A text file in place of a data set, or a folder with files *train*, *valid* and, if you like,
    # *test*. A blank line ends a document.
    text: Path | None = None
    # Run folder; by default runs/bert_pretrain/DATASET_MODEL, where MODEL is the name of the folder
    # or of the preset.
    out: Path | None = None
    # Folder of a pretrained model that goes on learning, with its vocabulary and its sizes; by
    # default a new model is trained.
    folder: Path | None = None
    model: str = "bert_tiny"  # Preset of a new model, or a word of it, such as small.
    embedding_dim: int | None = None  # Width of the blocks; by default the preset's.
    num_heads: int | None = None  # Number of attention heads; by default the preset's.
    hidden_dim: int | None = None  # Width of the feed-forward networks; by default the preset's.
    num_layers: int | None = None  # Number of blocks; by default the preset's.
    dropout: float = 0.1  # Fraction of features dropped.
    vocabulary_size: int = 8000  # Number of pieces at most.
    lowercase: bool = True  # Whether upper case is folded to lower case.
    strip_accents: bool = False  # Whether accents are dropped; it takes Hangul apart into letters.
    max_length: int = 128  # Ids of a row at most.
    # What a row holds: a line; as many lines of a document as fit; or a pair of texts, which adds
    # the task of the next sentence and needs several documents.
    rows: Literal[ROWS] = "lines"
    mask_rate: float = 0.15  # Share of the ids that are guessed.
    whole_words: bool = False  # Whether all pieces of a word are hidden together.
    epochs: int = 6  # Epochs.
    batch_tokens: int = 2048  # Ids in a batch, padding included.
    # The highest; it falls to zero in a line. A tenth of the default suits a model that goes on
    # learning.
    learning_rate: float = 2e-3
    warmup: float = 0.1  # Share of the steps in which the learning rate grows from zero.
    weight_decay: float = 0.01  # Of matrices.
    clip_norm: float = 1.0  # Largest norm of all gradients together.
    seed: int = 1  # Of weights, batches, hidden ids and dropout.


# Where a data set asks for other settings than the defaults; the command line overrides both.
SETTINGS = {
    "nsmc_unlabelled": dict(
        dropout=0.0, mask_rate=0.2, max_length=64, epochs=1, learning_rate=1.5e-3
    ),
    "language_en": dict(rows="filled"),
    "tinyshakespeare": dict(rows="filled"),
}
MODELS = ("bert_tiny", "bert*")  # Shell patterns of the presets.


def main(knobs):
    """Runs the recipe with these knobs."""
    # Data
    data = language_parts.load(knobs)
    name = knobs.folder.resolve().name if knobs.folder else knobs.model
    out = run_folder.prepare(knobs, knobs.out or Path("runs/bert_pretrain", f"{data.name}_{name}"))
    language_parts.print_sizes(data)
    tokenizer = run_folder.tokenizer(
        out / "tokenizer.json", lambda: bert_parts.read_tokenizer(data.train.split("\n"), knobs)
    )
    batches = {
        name: bert_parts.masked_batches(text, tokenizer, knobs, shuffle=name == "train")
        for name, text in language_parts.parts(data).items()
    }

    # Model
    keras.utils.set_random_seed(knobs.seed)
    model = bert_parts.create_pretrainer(knobs, tokenizer.vocabulary_size)
    optimizer = bert_parts.optimizer(knobs, knobs.epochs * len(batches["train"]))
    losses, metrics = bert_parts.losses(model), [Perplexity(), GuessAccuracy()]
    metrics = {"masked_language": metrics}
    # Compiled by XLA, each of the many shapes would take longer to compile than to train.
    model.compile(optimizer, losses, weighted_metrics=metrics, jit_compile=False)

    # Training
    resume = Resume(out / "checkpoint", bert_parts.monitored(model), "min", knobs.epochs)
    batches["train"].start_epoch(resume.restore(model))
    if len(resume.history) < knobs.epochs:
        model.fit(
            batches["train"],
            validation_data=batches["validation"],
            epochs=knobs.epochs,
            initial_epoch=batches["train"].epoch,
            callbacks=[resume],
        )
    resume.load_best(model)

    # Measurement, beside the most frequent piece; the folder, and what comes out of it again
    bert_parts.save(model, tokenizer, out / "bert")
    again = kzoo.models.load_bert(out / "bert", head=bert_parts.head(knobs))
    bert_parts.check_equal(model, again, batches["validation"][0][0])
    measured = "test" if "test" in batches else "validation"
    rows = [
        {"model": "most frequent piece", **bert_parts.frequency_floor(batches, measured)},
        {"model": "BERT", **bert_parts.measure(model, batches[measured])},
    ]
    rows[1]["parameters"] = f"{model.count_params():,}"
    guesses = bert_parts.guesses(model, tokenizer, batches["validation"])
    bert_parts.write_report(out, data, measured, knobs, rows, resume.history, guesses)


if __name__ == "__main__":
    command_line.run(sys.modules[__name__])
