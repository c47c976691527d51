"""Train a language model, measure it by perplexity and bits per character, and hand it over.

Without arguments it learns to write Shakespeare, character by character, from the text that comes
with kzoo; `--text` takes any text of yours. All it writes is in the run folder; run the same
command again after an interruption and it goes on where it stopped.
"""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import keras

from kzoo.recipes.parts import command_line, generation, language_files, language_parts, run_folder
from kzoo.text import TOKENIZERS, tokenize_lines
from kzoo.training import Resume


@dataclass
class Knobs:
    """What can be set from the command line."""

    dataset: str = "language_en"  # Data set, one of kzoo.data.list_corpora().
    data: Path | None = None  # Folder of the full data sets; the embedded ones need none.
    # A text file in place of a data set, or a folder with files *train*, *valid* and, if you like,
    # *test*.
    text: Path | None = None
    out: Path | None = None  # Run folder; by default runs/language/DATASET_MODEL.
    model: str = "language_sru"  # Preset, or a word of its name, such as lstm.
    tokenizer: Literal[tuple(TOKENIZERS)] = "character"  # Kind of tokens.
    vocabulary_size: int = 8000  # Number of token ids at most.
    lowercase: bool = False  # Whether upper case is folded to lower case.
    jamo: bool = False  # Whether characters of Hangul are taken apart into letters.
    embedding_dim: int = 192  # Width of the embeddings and of the blocks of a Transformer.
    units: int = 192  # Width of a recurrent layer, or within a Transformer's feed-forward networks.
    num_layers: int = 3  # Number of layers.
    dropout: float = 0.0  # Fraction of features dropped.
    # Tokens of a training window: how far attention looks back, or gradients flow back.
    window: int = 128
    batch_size: int = 16  # Windows in a batch.
    epochs: int = 3  # Epochs at most.
    patience: int = 3  # Epochs without a lower validation perplexity before training stops.
    learning_rate: float = 4e-3  # The highest; it falls to zero along a cosine.
    warmup_steps: int = 50  # Batches over which the learning rate grows from zero.
    weight_decay: float = 0.0  # Of matrices.
    clip_norm: float = 1.0  # Largest norm of all gradients together.
    prompts: tuple[str, ...] = ("ROMEO:\n", "What is")  # Samples begin with these.
    length: int = 200  # Tokens of a sample.
    one_line: bool = False  # Whether a sample ends at the end of its line.
    temperature: float = 0.8  # Of sampling.
    top_k: int = 40  # Number of tokens that "top-k" draws from.
    top_p: float = 0.9  # Probability of the tokens that "top-p" draws from.
    num_beams: int = 4  # Width of the beam.
    seed: int = 1  # Of weights, batches, dropout and samples.


_REVIEWS = dict(prompts=("이 영화는", "배우들의 연기"), length=60, one_line=True)
_BLOCKS = dict(
    **dict(embedding_dim=128, window=256, batch_size=12, epochs=10),
    **dict(learning_rate=2.5e-3, weight_decay=0.1),
)
# Where a data set, or a model on it, asks for other settings than the defaults; the command line
# overrides all of them.
SETTINGS = {
    "language_ko": _REVIEWS,
    "nsmc_unlabelled": _REVIEWS,
    "tinyshakespeare": dict(
        **dict(embedding_dim=256, units=256, num_layers=4, batch_size=16, epochs=5),
        **dict(learning_rate=3e-3, warmup_steps=150, weight_decay=0.01),
    ),
    ("tinyshakespeare", "language_lstm"): dict(embedding_dim=240, units=240, num_layers=2),
    ("tinyshakespeare", "language_gru"): dict(num_layers=2),
    ("tinyshakespeare", "language_simple_rnn"): dict(
        embedding_dim=384, units=384, num_layers=3, learning_rate=1e-3
    ),
    ("tinyshakespeare", "language_transformer_llama"): dict(units=384, **_BLOCKS),
    ("tinyshakespeare", "language_transformer_gpt"): dict(units=512, **_BLOCKS),
}
MODELS = ("language*",)  # Shell patterns of the presets.


def main(knobs):
    """Runs the recipe with these knobs."""
    # Data
    data = language_parts.load(knobs)
    out = run_folder.prepare(
        knobs, knobs.out or Path("runs/language", f"{data.name}_{knobs.model}")
    )
    language_parts.print_sizes(data)
    options = {"lowercase": knobs.lowercase, **({"jamo": True} if knobs.jamo else {})}
    tokenizer = run_folder.tokenizer(
        out / "tokenizer.json",
        lambda: TOKENIZERS[knobs.tokenizer].train(
            data.train.split("\n"), knobs.vocabulary_size, **options
        ),
    )
    texts = language_parts.parts(data)
    ids = {name: tokenize_lines(tokenizer, text) for name, text in texts.items()}
    batches = {
        name: language_parts.batches(knobs, part, shuffle=name == "train")
        for name, part in ids.items()
    }

    # Model
    keras.utils.set_random_seed(knobs.seed)
    training = language_parts.create_model(knobs, tokenizer.vocabulary_size, knobs.batch_size)
    language_parts.compile_model(training, knobs, knobs.epochs * len(batches["train"]))

    # Training
    resume = Resume(out / "checkpoint", "val_perplexity", "min", knobs.patience)
    first = resume.restore(training)
    language_parts.start_epoch(batches["train"], first)
    if not resume.finished:
        callbacks = language_parts.callbacks(batches["train"], batches["validation"])
        callbacks += [generation.Measure("cpu_seconds", language_parts.cpu_clock()), resume]
        options = dict(epochs=knobs.epochs, initial_epoch=first, callbacks=callbacks, shuffle=False)
        training.fit(batches["train"], validation_data=batches["validation"], **options)
    resume.load_best(training)
    model = language_parts.create_model(knobs, tokenizer.vocabulary_size)
    for ours, theirs in zip(model.trainable_variables, training.trainable_variables, strict=True):
        ours.assign(theirs)
    run_folder.save_model(model, out / "model.keras")

    # Measurement, beside n-grams; a corpus without a test part is measured where it was validated
    measured = "test" if "test" in ids else "validation"
    part = ids[measured], texts[measured]
    floor = run_folder.cached(
        out / "floor.json", lambda: language_files.floor(ids, measured, tokenizer.vocabulary_size)
    )
    loss = language_parts.evaluate(training, batches[measured])
    size = {"parameters": f"{model.count_params():,}"}
    rows = [
        {"model": floor["model"], **language_files.scores(floor["loss"], *part)},
        {"model": "Keras", **language_files.scores(loss, *part), **size},
    ]

    # Export, and the same measurement through each file alone
    files = language_files.export_files(model, out, knobs, tokenizer)
    rows += [language_files.measure(file, batches[measured], *part) for file in files]
    written = language_files.samples(files[0].path, knobs)
    unknown = ids[measured].count(tokenizer.unknown_id) / len(ids[measured])
    results = rows, written, resume.history, unknown
    language_files.write_report(out, data, measured, knobs, *results)


if __name__ == "__main__":
    command_line.run(sys.modules[__name__])
