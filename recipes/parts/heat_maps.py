"""Pictures of what an encoder-decoder attends to."""

import numpy as np
from keras import ops
from matplotlib import pyplot

from kzoo.decoding import greedy
from kzoo.models import Seq2SeqSteps
from kzoo.recipes.parts import generation
from kzoo.text import Tokenizer


def alignments(model, source, max_length):
    """Decodes one source greedily and returns what its ids were aligned to.

    Args:
        model: A model of `kzoo.models.seq2seq` with attention.
        source: List of ids.
        max_length: As in `Search`.

    Returns:
        `(ids, weights)`: the list of ids with the end id, and float32 `(len(ids), len(source))`.
    """
    steps = Seq2SeqSteps(model)
    state, mask = steps.begin(np.array([source], "int32"))
    arguments = steps.attend, state, [Tokenizer.start_id], Tokenizer.end_id, max_length
    decoded = greedy(*arguments, banned_ids=Tokenizer.unwritten_ids, source_mask=mask)
    length = int(decoded.lengths[0])
    ids, weights = (ops.convert_to_numpy(x)[0, :length] for x in (decoded.ids, decoded.alignments))
    return ids.tolist(), weights


def pictures(model, tokenizers, sources, out):
    """Draws what a model with attention attends to in four of the sources, in `attention.png`.

    Args:
        model: A model of `kzoo.models.seq2seq`, with attention or without.
        tokenizers: Tokenizer of the source, and of what is written.
        sources: List of texts.
        out: The run folder.

    Returns:
        Dict from the title of a picture in the report to its file, empty without attention.
    """
    if not model.get_layer("decoder").attends:
        return {}
    chosen = map(tokenizers[0].tokenize, generation.spread(sources, 10)[-4:])
    plot(model, list(chosen), tokenizers, out / "attention.png")
    return {"Attention": "attention.png"}


def plot(model, sources, tokenizers, path, max_length=24):
    """Draws for each source which of its tokens (columns) each written token (row) attended to.

    Args:
        model: A model of `kzoo.models.seq2seq` with attention.
        sources: List of lists of ids, four at most.
        tokenizers: Tokenizer of the source, and of what is written.
        path: The picture to write.
        max_length: Tokens of a side at most.
    """
    figure, axes = pyplot.subplots(2, 2, figsize=(12, 10), layout="constrained")
    for axis, source in zip(axes.flat, sources, strict=False):
        source = source[:max_length]
        ids, weights = alignments(model, source, max_length)
        axis.imshow(weights, cmap="Blues", vmin=0, vmax=1, aspect="auto")
        columns, rows = (
            [tokenizer.vocabulary[id] for id in side]
            for tokenizer, side in zip(tokenizers, (source, ids), strict=True)
        )
        axis.set_xticks(range(len(columns)), columns, rotation=90)
        axis.set_yticks(range(len(rows)), rows)
        axis.xaxis.tick_top()
    for axis in axes.flat[len(sources) :]:
        axis.set_visible(False)
    figure.savefig(path, dpi=100)
    pyplot.close(figure)
