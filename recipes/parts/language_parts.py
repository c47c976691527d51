"""What the recipe of language models is made of: batches, model and optimizer, measures, report."""

import math
import time

import keras
import numpy as np

import kzoo
from kzoo.recipes.parts.schedules import warmup_cosine
from kzoo.training import Perplexity, ResetStates, ShuffledWindows, Windows


def is_recurrent(model):
    """Says whether a preset carries a state from window to window.

    Example:

    >>> is_recurrent("language_sru"), is_recurrent("language_transformer_gpt")
    (True, False)
    """
    return "transformer" not in model


def load(knobs):
    """Returns the `kzoo.data.Corpus` that the knobs `text`, or `dataset` and `data`, name."""
    if knobs.text is None:
        return kzoo.data.load_corpus(knobs.dataset, knobs.data)
    return kzoo.data.read_corpus(knobs.text)


def parts(data):
    """Returns the texts of a corpus by name, without an empty test part."""
    texts = {"train": data.train, "validation": data.validation, "test": data.test}
    return {name: text for name, text in texts.items() if text}


def print_sizes(data):
    """Prints how many characters there are."""
    sizes = (f"{len(text):,} {name}" for name, text in parts(data).items())
    print(f"{data.name}: {', '.join(sizes)} characters")


def batches(knobs, ids, shuffle):
    """Returns the data set of a part.

    A recurrent model reads `batch_size` streams of equal length side by side, window after window,
    so that up to `batch_size - 1` ids at the end are left out; a Transformer windows in any order.
    """
    if not is_recurrent(knobs.model):
        return ShuffledWindows(ids, knobs.window, knobs.batch_size, shuffle, knobs.seed)
    rows = knobs.batch_size
    time_steps = (len(ids) - 1) // rows
    if not time_steps:
        raise ValueError(f"`batch_size` must be below the {len(ids)} tokens of every part.")
    inputs, targets = (
        np.asarray(ids[start : start + rows * time_steps], "int32").reshape(rows, time_steps)
        for start in (0, 1)
    )
    return Windows(inputs, targets, min(knobs.window, time_steps), rows)


def start_epoch(windows, epoch):
    """Makes a data set go on with an epoch; those of recurrent models are the same in all."""
    if isinstance(windows, ShuffledWindows):
        windows.start_epoch(epoch)


def callbacks(windows, validation=None):
    """Returns what `fit` and `evaluate` need for a data set, and `fit` for that of validation."""
    return [ResetStates(windows, validation)] if isinstance(windows, Windows) else []


def create_model(knobs, vocabulary_size, batch_size=None):
    """Builds the model, with a fixed batch size for training where it carries its state."""
    if is_recurrent(knobs.model):
        options = {"units": knobs.units, "stateful_batch_size": batch_size}
    else:
        # A file that scores a window reads its last target, too.
        options = {"hidden_dim": knobs.units, "max_length": knobs.window + 1}
    return kzoo.create_model(
        knobs.model,
        vocabulary_size=vocabulary_size,
        embedding_dim=knobs.embedding_dim,
        num_layers=knobs.num_layers,
        dropout=knobs.dropout,
        **options,
    )


def compile_model(model, knobs, steps):
    """Compiles a model for training of so many batches."""
    schedule = warmup_cosine(knobs.learning_rate, knobs.warmup_steps, steps)
    # A shorter memory of the second moment than Adam's suits small batches, as in nanoGPT.
    optimizer = keras.optimizers.AdamW(
        schedule, knobs.weight_decay, beta_2=0.99, global_clipnorm=knobs.clip_norm
    )
    vectors = [variable for variable in model.trainable_variables if len(variable.shape) < 2]
    optimizer.exclude_from_weight_decay(vectors)
    loss = keras.losses.SparseCategoricalCrossentropy(
        from_logits=True, reduction="mean_with_sample_weight"
    )
    model.compile(optimizer, loss, weighted_metrics=[Perplexity()])


def evaluate(model, windows):
    """Returns the mean of -log p of a token."""
    scores = model.evaluate(windows, verbose=0, return_dict=True, callbacks=callbacks(windows))
    return math.log(scores["perplexity"])


def cpu_clock():
    """Returns a function that returns the seconds of processor time since it was last called.

    On shared cores, they say what the time on the clock would have been alone.
    """
    last = time.process_time()

    def since():
        nonlocal last
        now = time.process_time()
        passed, last = now - last, now
        return passed

    return since
