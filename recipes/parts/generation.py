"""What the recipes of encoder-decoders share: searching, measuring in training, the report."""

import keras
import numpy as np
from keras import ops

import kzoo
from kzoo.decoding import beam_search, gnmt_length_penalty, greedy
from kzoo.models import Seq2SeqSteps
from kzoo.recipes.parts import report, run_folder
from kzoo.recipes.parts.schedules import warmup_cosine
from kzoo.text import Tokenizer
from kzoo.training import BucketedBatches, Perplexity, ScheduledSampling, SmoothedCrossentropy


def print_sizes(data):
    """Prints how many pairs there are."""
    sizes = f"{len(data.train)} training, {len(data.validation)} validation, {len(data.test)} test"
    print(f"{data.name}: {sizes} pairs")


def tokenize(tokenizer, texts, alpha=0.0, seed=0):
    """Tokenizes texts, for `kzoo.training`.

    Args:
        tokenizer: A `kzoo.text.Tokenizer`.
        texts: List of texts.
        alpha: Above 0, a `SentencePieceTokenizer` draws other pieces in every epoch, see its
            `sample_batch`.
        seed: Integer; the draws depend on it and the epoch alone.

    Returns:
        List of lists of ids, or a function from the epoch to such a list.

    Raises:
        ValueError: if there is to be drawn from a tokenizer that does not draw.
    """
    if not alpha:
        return [tokenizer.tokenize(text) for text in texts]
    if not hasattr(tokenizer, "sample_batch"):
        raise ValueError(
            f"`subword_sampling` needs the tokenizer 'sentence_piece'. Received: {tokenizer.name!r}"
        )
    return lambda epoch: tokenizer.sample_batch(texts, alpha, 1000 * seed + epoch)


def create_model(knobs, tokenizers):
    """Builds an encoder-decoder for two tokenizers.

    Args:
        knobs: Settings with `model`, the name of a preset, `embedding_dim`, `num_layers`, `dropout`
            and `units`: the width of a recurrent layer, or within the feed-forward networks of a
            Transformer.
        tokenizers: Tokenizer of what is read, and of what is written.
    """
    width = "hidden_dim" if knobs.model.startswith("transformer") else "units"
    return kzoo.create_model(
        knobs.model,
        source_vocabulary_size=tokenizers[0].vocabulary_size,
        target_vocabulary_size=tokenizers[1].vocabulary_size,
        embedding_dim=knobs.embedding_dim,
        num_layers=knobs.num_layers,
        dropout=knobs.dropout,
        **{width: knobs.units},
    )


def compile_model(model, knobs, steps):
    """Compiles an encoder-decoder for training.

    Args:
        model: The model.
        knobs: Settings with `learning_rate`, `warmup_steps`, `clip_norm`, `label_smoothing`,
            `scheduled_sampling` and `seed`.
        steps: Number of batches in the whole training.

    Returns:
        What to fit: the model, or the `ScheduledSampling` that trains it.
    """
    schedule = warmup_cosine(knobs.learning_rate, knobs.warmup_steps, steps)
    optimizer = keras.optimizers.Adam(schedule, global_clipnorm=knobs.clip_norm)
    if knobs.scheduled_sampling:
        rate = keras.optimizers.schedules.PolynomialDecay(0.0, steps, knobs.scheduled_sampling)
        model = ScheduledSampling(model, rate, knobs.seed)
    loss = SmoothedCrossentropy(knobs.label_smoothing)
    model.compile(optimizer, loss, weighted_metrics=[Perplexity()])
    return model


class Search(keras.Model):
    """Writes ids for sources, by greedy or by beam search; `predict` compiles it.

    Args:
        model: A model of `kzoo.models.Seq2SeqSteps`.
        max_length: Ids after which a row ends, the end id counted.
        num_beams: Width of the beam; 1 is greedy search.
        length_penalty: Exponent of `kzoo.decoding.gnmt_length_penalty`.
    """

    def __init__(self, model, max_length, num_beams=1, length_penalty=0.0):
        super().__init__()
        self.steps = Seq2SeqSteps(model, max_length)
        self.max_length = max_length
        self.num_beams = num_beams
        self.length_penalty = gnmt_length_penalty(length_penalty)

    def call(self, sources):
        """Returns int32 `(batch, max_length)`."""
        state, _ = self.steps.begin(sources)
        start_ids = ops.full((ops.shape(sources)[0],), Tokenizer.start_id, "int32")
        arguments = self.steps.step, state, start_ids, Tokenizer.end_id, self.max_length
        if self.num_beams == 1:
            return greedy(*arguments, banned_ids=Tokenizer.unwritten_ids).ids
        options = dict(num_beams=self.num_beams, num_results=1, banned_ids=Tokenizer.unwritten_ids)
        return beam_search(*arguments, length_penalty=self.length_penalty, **options).ids[:, 0]


class Writer:
    """Writes a text for a text, by one or by another search.

    Args:
        model: A model of `kzoo.models.seq2seq`.
        tokenizers: Tokenizer of what is read, and of what is written.
        max_length: Tokens read or written at most; longer sources are cut.
        length_penalty: As in `Search`.
    """

    def __init__(self, model, tokenizers, max_length, length_penalty):
        self.model = model
        self.tokenizers = tokenizers
        self.max_length = max_length
        self.length_penalty = length_penalty
        self._searches = {}

    def __call__(self, texts, num_beams=1, batch_size=64):
        """Returns the list of what is written for a list of texts."""
        if not texts:
            return []
        if num_beams not in self._searches:
            search = Search(self.model, self.max_length, num_beams, self.length_penalty)
            self._searches[num_beams] = search
        reader, writer = self.tokenizers
        sources = [reader.tokenize(text) for text in texts]
        batches = BucketedBatches(
            sources, np.zeros(len(sources)), batch_size, self.max_length, shuffle=False
        )
        ids = batches.restore_order(self._searches[num_beams].predict(batches, verbose=0))
        return [writer.detokenize(row) for row in ids]


class Measure(keras.callbacks.Callback):
    """Logs a measure of the model after every epoch, before the callbacks that come later.

    Args:
        name: Name in the logs.
        compute: Function without arguments that returns a number.
    """

    def __init__(self, name, compute):
        super().__init__()
        self.name = name
        self.compute = compute

    def on_epoch_end(self, epoch, logs=None):
        """Adds the measure to the logs."""
        logs[self.name] = self.compute()


def sample_table(part, written, count=10):
    """Returns `count` rows of a table, evenly spread over a part, with what was written for each.

    Args:
        part: `kzoo.data.TextPairs`.
        written: Dict from names to lists of texts, one for each pair.
        count: Number of rows at most.

    Example:

    >>> from kzoo.data import TextPairs
    >>> sample_table(TextPairs(["ja", "nein"], ["yes", "no"]), {"greedy": ["yes", "yes"]}, 1)
    [{'source': 'ja', 'reference': 'yes', 'greedy': 'yes'}]
    """
    columns = {"source": part.sources, "reference": part.targets, **written}
    rows = zip(*columns.values(), strict=True)
    return spread([dict(zip(columns, row, strict=True)) for row in rows], count)


def spread(items, count):
    """Returns `count` items, or all where there are fewer, evenly spread from the first on.

    Example:

    >>> spread([0, 1, 2, 3, 4, 5, 6], 3)
    [0, 2, 4]
    """
    return items[:: max(1, len(items) // count)][:count]


def write_report(out, data, knobs, rows, samples, history, curves, notes, pictures):
    """Prints the table and the samples, and writes `report.md` and `learning_curve.png`.

    Args:
        out: The run folder.
        data: A data set with `name`, `licence`, the three parts and `skipped`.
        knobs: The settings.
        rows: List of dicts, the table of scores.
        samples: List of dicts of texts, the table of samples.
        history: What `kzoo.training.Resume.history` holds.
        curves: Two logged names to draw.
        notes: Lines on how the scores were computed.
        pictures: Dict from titles to names of pictures in `out`.
    """
    report.print_table(f"{data.name}, test split", rows)
    for sample in samples[:3]:
        print(*(f"{name}: {text}" for name, text in sample.items()), sep="\n", end="\n\n")
    report.plot_learning_curve([history], curves, out / "learning_curve.png")
    pictures = {"Learning curve": "learning_curve.png", **pictures}
    minutes = sum(epoch["seconds"] for epoch in history) / 60
    parts = [
        f"# {data.name}",
        f"{len(data.train)} training, {len(data.validation)} validation and {len(data.test)} test "
        f"pairs\n({len(data.skipped)} rows of the files were skipped). Licence of the data: "
        f"{data.licence}.\nTraining took {minutes:.1f} minutes over {len(history)} epochs; the "
        "weights are those of the epoch with the\nlowest validation perplexity.",
        report.markdown_table(rows),
        "\n".join(notes),
        "## Samples",
        report.markdown_table(samples),
        *(f"![{title}]({name})" for title, name in pictures.items()),
        "## Settings",
        report.settings(knobs),
    ]
    run_folder.write_report(out, "\n\n".join(parts) + "\n", rows)
    print(f"The report, the pictures and the model are in {out}")
