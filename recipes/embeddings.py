"""Learn word vectors, look at their neighbours, and hand them over as tables and `.tflite` files.

Without arguments it reads the Korean film reviews that come with kzoo; `--text` takes any text of
yours, one sentence a line. All it writes is in the run folder; run the same command again after an
interruption and it goes on where it stopped.
"""

import sys
from dataclasses import dataclass
from pathlib import Path

import keras

from kzoo.export import Export, export_many
from kzoo.models import nearest_words, word_table
from kzoo.recipes.parts import (
    command_line,
    embeddings_files,
    embeddings_parts,
    language_parts,
    run_folder,
)
from kzoo.recipes.parts.word_sentences import read_sentences
from kzoo.text import WordVectors
from kzoo.training import Resume


@dataclass
class Knobs:
    """What can be set from the command line."""

    dataset: str = "language_ko"  # Data set, one of kzoo.data.list_corpora().
    # Folder of the full data sets and of the tests in word_eval/; the embedded sets need none.
    data: Path | None = None
    text: Path | None = None  # A text file in place of a data set.
    out: Path | None = None  # Run folder; by default runs/embeddings/DATASET_MODEL.
    model: str = "skip_gram"  # Preset: skip_gram, cbow, fast_text, glove or nnlm.
    min_count: int = 5  # Occurrences that a word needs to have a vector.
    vocabulary_size: int = 200000  # Number of words at most.
    embedding_dim: int = 100  # Width of a vector.
    window: int = 5  # Words on each side of a word, at most; for nnlm, the words before it.
    negatives: int = 5  # Noise words for each pair.
    # A word whose share of the text is above this is left out at random, the more often the more
    # frequent it is; 0 keeps all.
    sample: float = 1e-3
    num_buckets: int = 65536  # Rows of FastText's table of n-grams of letters.
    jamo: bool = False  # Whether FastText spells Hangul syllables letter by letter.
    units: int = 64  # Width of nnlm's hidden layer.
    epochs: int = 5  # Epochs.
    # Stretches of 64 words in a batch (by default 32, for cbow 64); for glove pairs of words
    # (2048), for nnlm words (512).
    batch_size: int | None = None
    # At the start; by default 0.025, for glove 0.05 (Adagrad), for nnlm 0.002 (Adam).
    learning_rate: float | None = None
    words: tuple[str, ...] = ()  # Words whose neighbours are shown; by default some of the text's.
    count: int = 10  # Neighbours that a file finds.
    seed: int = 1  # Of weights and batches.


# Where a data set asks for other settings than the defaults; the command line overrides both.
SETTINGS = {
    "language_ko": dict(
        **dict(min_count=3, epochs=30, jamo=True, num_buckets=16384, batch_size=8),
        words=("영화", "배우", "재밌다", "최고의", "아깝다", "감동적인"),
    ),
    "language_en": dict(
        **dict(min_count=3, epochs=20, num_buckets=16384, batch_size=8),
        words=("king", "love", "sword", "father", "night"),
    ),
    "nsmc_unlabelled": dict(
        jamo=True, words=("영화", "배우", "재밌다", "최고의", "아깝다", "감동적인")
    ),
    "imdb_reviews": dict(words=("film", "actor", "terrible", "king", "france", "seven")),
}
for _dataset in ("language_ko", "language_en"):
    for _model, _epochs in (("glove", 40), ("nnlm", 5)):
        SETTINGS[_dataset, _model] = dict(batch_size=None, epochs=_epochs)
# Few words, of short sentences: at the usual rate they hardly leave where they begin.
SETTINGS["language_ko", "cbow"] = dict(learning_rate=0.1)
MODELS = ("skip_gram", "cbow", "fast_text", "glove", "nnlm")  # Shell patterns of the presets.


def main(knobs):
    """Runs the recipe with these knobs."""
    # Data
    data = language_parts.load(knobs)
    out = run_folder.prepare(
        knobs, knobs.out or Path("runs/embeddings", f"{data.name}_{knobs.model}")
    )
    vocabulary, sentences = read_sentences(data.train, knobs.min_count, knobs.vocabulary_size)
    embeddings_parts.print_sizes(data, vocabulary, sentences)
    tokenizer = run_folder.tokenizer(
        out / "tokenizer.json", lambda: embeddings_parts.make_tokenizer(knobs, vocabulary)
    )

    # Model
    keras.utils.set_random_seed(knobs.seed)
    model = embeddings_parts.create_model(knobs, tokenizer)
    batches = embeddings_parts.batches(knobs, sentences, len(vocabulary))
    embeddings_parts.compile_model(model, knobs, knobs.epochs * len(batches))

    # Training
    resume = Resume(out / "checkpoint", "loss", patience=knobs.epochs)
    first = resume.restore(model)
    batches.start_epoch(first)
    if first < knobs.epochs:
        span = dict(epochs=knobs.epochs, initial_epoch=first)
        model.fit(batches, shuffle=False, callbacks=[resume], **span)
    run_folder.save_model(model, out / "model.keras")
    table = word_table(model, both=knobs.model == "glove")
    vectors = WordVectors(vocabulary[4:], table[4:])
    for ending in ("txt", "npz"):
        vectors.save(out / f"vectors.{ending}")

    # Measurement, beside the term-document baseline
    floor = embeddings_parts.term_document_vectors(vocabulary, sentences, knobs.embedding_dim)
    tests = embeddings_parts.tests(data, knobs.data)
    size = {"parameters": f"{model.count_params():,}"}
    rows = [
        {"model": "TF-IDF and SVD", **embeddings_parts.scores(floor, tests)},
        {"model": knobs.model, **embeddings_parts.scores(vectors, tests), **size},
    ]

    # Export, and the neighbours of frequent words through each file alone
    subwords = model.get_layer("word_vectors") if knobs.model == "fast_text" else None
    finder = nearest_words(table, min(knobs.count + 1, len(table)), subwords)
    options = dict(inputs=tokenizer([" ".join(vocabulary[4:12])]), tokenizer=tokenizer)
    exports = [
        Export(
            finder,
            path,
            precision,
            **options,
            lengths=embeddings_files.LENGTHS,
            tolerance=embeddings_files.TOLERANCES,
        )
        for precision, path in run_folder.files(out).items()
    ]
    files = export_many(exports)
    rows += [embeddings_files.measure(file, vectors, knobs.count) for file in files]
    embeddings_files.write_report(out, data, knobs, rows, vectors, floor, resume.history, files)


if __name__ == "__main__":
    command_line.run(sys.modules[__name__])
