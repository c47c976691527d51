"""Models that write a sequence for one vector or one class."""

import keras

from kzoo.layers import CELLS, RecurrentDecoder
from kzoo.layers.checks import check_sizes


def vector_to_sequence(
    *,
    vocabulary_size,
    num_classes=None,
    vector_size=None,
    embedding_dim=64,
    cell="lstm",
    units=128,
    num_layers=1,
    tie_embeddings=True,
    dropout=0.2,
    name="vector_to_sequence",
):
    """Builds a model that writes a sequence for one vector, or for a class label.

    Wiring: a label chooses a vector out of a table. From the vector dense layers make the first
    states of the decoder, the last of which, the context vector, also enters every step, so that
    what is asked for is not forgotten along a long sequence.

    Sources: Karpathy 2015, "The Unreasonable Effectiveness of Recurrent Neural Networks" (one to
    many); Cho et al. 2014, arXiv 1406.1078, Eq. 3 (the context vector in every step).

    Args:
        vocabulary_size: Number of ids that are written; 0 is padding.
        num_classes: Number of classes, for a model that takes labels.
        vector_size: Width of the vectors, for a model that takes vectors; one of the two.
        embedding_dim: Width of the embedding.
        cell: Name of a recurrent cell, one of `kzoo.layers.CELLS`.
        units: Width of a recurrent layer, and of the vector of a class.
        num_layers: Number of recurrent layers.
        tie_embeddings: Whether one table embeds the ids and scores them.
        dropout: Fraction of features dropped after the embedding, between layers and before the
            scores.
        name: Name of the model.

    Returns:
        A `keras.Model` from `{"labels": (batch,), "target_ids": (batch, time)}`, or from "vectors"
        `(batch, vector_size)` in the place of labels, to logits `(batch, time, vocabulary_size)`.
        `target_ids` begin with the start id; the logits of a step are for the id after it. See
        `kzoo.models.Seq2SeqSteps` for decoding.

    Example:

    >>> import numpy as np
    >>> model = vector_to_sequence(vocabulary_size=20, num_classes=3, units=8)
    >>> tuple(model({"labels": np.array([2]), "target_ids": np.array([[2, 5]])}).shape)
    (1, 2, 20)
    """
    check_sizes(
        vocabulary_size=vocabulary_size,
        embedding_dim=embedding_dim,
        units=units,
        num_layers=num_layers,
    )
    if (num_classes is None) == (vector_size is None):
        raise ValueError(
            "Either `num_classes` or `vector_size` must be given. "
            f"Received: num_classes={num_classes}, vector_size={vector_size}"
        )
    if cell not in CELLS:
        raise ValueError(f"`cell` must be one of {sorted(CELLS)}. Received: cell={cell!r}")
    # Layers
    cells = [CELLS[cell](units) for _ in range(num_layers)]
    if vector_size is None:
        check_sizes(num_classes=num_classes)
        source = keras.Input((), dtype="int32", name="labels")
        reader = keras.layers.Embedding(num_classes, units, name="classes")
    else:
        check_sizes(vector_size=vector_size)
        source = keras.Input((vector_size,), name="vectors")
        reader = keras.layers.Dense(units, activation="relu", name="reader")
    encoder = _encoder(source, reader, cells)
    decoder = RecurrentDecoder(
        vocabulary_size,
        embedding_dim,
        cells,
        tie_embeddings,
        dropout,
        feed_context=True,
        name="decoder",
    )
    # Wiring
    target_ids = keras.Input((None,), dtype="int32", name="target_ids")
    _, *states = encoder(source)
    logits = decoder(target_ids, initial_state=states)
    return keras.Model({source.name: source, "target_ids": target_ids}, logits, name=name)


def _encoder(source, reader, cells):
    """Returns a model from labels or vectors to what was read, and the first states of cells."""
    # Wiring
    source = keras.Input(source.shape[1:], dtype=source.dtype, name=source.name)
    vector = reader(source)
    states = [
        keras.layers.Dense(size, activation="tanh", name=f"initial_state_{n}_{k}")(vector)
        for n, cell in enumerate(cells)
        for k, size in enumerate(cell.state_size)
    ]
    return keras.Model(source, [vector, *states], name="encoder")
