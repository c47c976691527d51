"""What the recipe of sequences for classes is made of: batches, floors, measures, the report."""

import math

import numpy as np

from kzoo.data.melodies import BAR
from kzoo.export import SequencePredictor
from kzoo.recipes.parts import midi, ngrams, report, run_folder
from kzoo.text import Tokenizer
from kzoo.training import BucketedBatches

# Samples of each class, and how many of them become music.
SAMPLES, MUSIC = 5, 2


def print_sizes(data):
    """Prints how many sequences there are."""
    sizes = f"{len(data.train)} training, {len(data.validation)} validation, {len(data.test)} test"
    print(f"{data.name}: {sizes} sequences of {len(data.class_names)} classes")


class SequenceBatches(BucketedBatches):
    """A data set for `fit` and `evaluate` of classes with what is written for them.

    A batch is `(inputs, labels, weights)`, as that of `kzoo.training.PairBatches` with the
    "labels" of the classes in the place of source ids.

    Args:
        part: `kzoo.data.LabelledTexts`.
        tokenizer: Tokenizer of the texts.
        batch_size: Sequences in a batch.
        shuffle: As in `kzoo.training.BucketedBatches`.
        knobs: Settings with `seed`.
    """

    def __init__(self, part, tokenizer, batch_size, shuffle, knobs):
        ids = [[*tokenizer.tokenize(text), tokenizer.end_id] for text in part.texts]
        # What an n-gram or an LSTM is judged by, however long a sequence is.
        self.num_tokens = sum(map(len, ids))
        bars = sum(text.count(BAR) for text in part.texts)
        self.num_steps = bars or self.num_tokens - len(ids)
        super().__init__(ids, part.labels, batch_size, shuffle=shuffle, seed=knobs.seed)

    def __getitem__(self, index):
        """Returns `(inputs, labels, weights)` of a batch."""
        ids, labels = super().__getitem__(index)
        before = np.pad(ids[:, :-1], [[0, 0], [1, 0]], constant_values=Tokenizer.start_id)
        inputs = {"labels": labels, "target_ids": before * (ids != 0)}
        return inputs, ids, (ids != 0).astype("float32")

    def scores(self, loss):
        """Returns the cells of a table for the mean of `-log p` of a token, the ends with them."""
        return {
            "loss of a token": f"{loss:.4f}",
            "perplexity": f"{math.exp(loss):.3f}",
            "NLL of a step": f"{loss * self.num_tokens / self.num_steps:.4f}",
        }


def loss(model, batches):
    """Returns the mean of `-log p` of a token."""
    return math.log(model.evaluate(batches, verbose=0, return_dict=True)["perplexity"])


def floors(train, validation, test, vocabulary_size):
    """Returns rows of n-grams that know no class, and of n-grams of each class by itself.

    Args:
        train, validation, test: `SequenceBatches`.
        vocabulary_size: Number of ids.
    """

    def stream(batches, label=None):
        """All sequences one after the other in any order, each with the end of one in front."""
        order = np.random.default_rng(0).permutation(len(batches.sequences))
        rows = [batches.sequences[n] for n in order if label in (None, batches.labels[n])]
        return [Tokenizer.end_id, *(id for row in rows for id in row)]

    together = [stream(part) for part in (train, validation, test)]
    order, loss = ngrams.best_ngrams(*together, vocabulary_size)
    first = -np.log(next(ngrams.ngram_probabilities(together[0], together[2][1:], vocabulary_size)))
    total = count = 0
    for label in np.unique(test.labels):
        # A class without validation texts chooses its order by those of training.
        parts = [stream(part, label) for part in (train, validation, test)]
        parts[1] = parts[1] if len(parts[1]) > 1 else parts[0]
        if len(parts[0]) > 1:
            tokens = len(parts[2]) - 1
            total += tokens * ngrams.best_ngrams(*parts, vocabulary_size)[1]
            count += tokens
    return [
        {"model": "1-grams", "loss": float(first.mean())},
        {"model": f"{order}-grams", "loss": loss},
        {"model": "n-grams of each class", "loss": total / count},
    ]


def measure(file, test):
    """Judges the test sequences by a file alone; returns the file's row of the table."""
    predictor, total = SequencePredictor(file.path), 0.0
    for index in range(len(test)):
        inputs, ids, _ = test[index]
        total -= predictor.score(inputs["labels"], ids).sum(dtype="float64")
    return report.file_row(file, test.scores(total / test.num_tokens))


def samples(path, knobs):
    """Returns rows of what a file writes for each class, greedily and by chance."""
    predictor = SequencePredictor(path)
    drawn = {"seed": knobs.seed, "temperature": knobs.temperature}
    return [
        {"class": label, "chosen by": way, "written": text}
        for label in predictor.labels
        for way, texts in (
            ("greedy", predictor([label], "greedy")),
            ("sample", predictor([label] * SAMPLES, **drawn)),
        )
        for text in texts
    ]


def write_music(written, out):
    """Writes some of the samples as `CLASS_NUMBER.mid`."""
    drawn = [row for row in written if row["chosen by"] == "sample"]
    for number, row in enumerate(drawn):
        if number % SAMPLES < MUSIC:
            midi.write(row["written"], out / f"{row['class']}_{number % SAMPLES}.mid")


def write_report(out, data, knobs, rows, written, files, history):
    """Prints the table and some samples, and writes `report.md` and `learning_curve.png`."""
    report.print_table(f"{data.name}, test part", rows)
    report.print_table("Samples", [row for row in written if len(row["written"]) < 80][:12])
    report.plot_learning_curve([history], ("loss", "perplexity"), out / "learning_curve.png")
    wall, cpu = (sum(epoch[name] for epoch in history) / 60 for name in ("seconds", "cpu_seconds"))
    lines = [
        f"# {data.name}",
        f"{len(data.train)} training, {len(data.validation)} validation and {len(data.test)} test "
        f"sequences of {len(data.class_names)} classes.\nLicence of the data: {data.licence}. "
        f"Training took {wall:.1f} minutes, and {cpu:.1f}\nminutes of processor time, over "
        f"{len(history)} epochs; the weights are those of the epoch with\nthe lowest validation "
        "perplexity.",
        report.markdown_table(rows),
        _NOTES,
        f"Operators in the files: {', '.join(files[0].operators)}.",
        f"## Samples\n\nWritten by `dynamic.tflite`, by chance at temperature {knobs.temperature}.",
        report.markdown_table(written),
        "![Learning curve](learning_curve.png)",
        "## Settings",
        report.settings(knobs),
    ]
    run_folder.write_report(out, "\n\n".join(lines) + "\n", rows)
    print(f"The report, the picture, the model and the files are in {out}")
    print(f"Try: kzoo sample {files[-1].path} {data.class_names[0]!r}")


_NOTES = """\
The loss is the mean of -log p of a token, in nats, the end of each sequence counted. A step is a
character, or a quarter note of a chorale; its NLL is all that a sequence costs, the end with it,
shared by its steps. The n-grams are interpolated (Witten and Bell), their order is the best on
validation. Latency is that of `greedy` for one class in LiteRT's Interpreter on one thread; the
difference is the largest between a number of the file and of the Keras model."""
