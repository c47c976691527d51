"""Models that describe a picture: a convolutional encoder reads, a recurrent decoder writes."""

import keras
from keras import ops

from kzoo.layers import CELLS, AttentionCell, LearnedPositions, RecurrentDecoder
from kzoo.layers.checks import check_sizes
from kzoo.models.seq2seq import ATTENTIONS


def captioner(
    *,
    vocabulary_size,
    picture_shape=(64, 64, 1),
    filters=(16, 32, 64),
    embedding_dim=64,
    cell="lstm",
    units=128,
    attention="bahdanau",
    dropout=0.1,
    name="captioner",
):
    """Builds a model that writes a caption for a picture.

    Wiring: convolutions and poolings turn the picture into a grid of features, each with a learned
    vector for its position. A dense layer over the whole grid gives the picture's vector, from
    which the first states of the decoder are made. With attention the decoder also attends to the
    places of the grid at every step.

    Sources: Vinyals et al. 2015, "Show and Tell", arXiv 1411.4555 (the picture's vector begins the
    decoder; there it is the first input); Xu et al. 2015, "Show, Attend and Tell", arXiv 1502.03044
    (soft attention over a grid of features, and first states by dense layers; there they are made
    from the mean of the grid, which forgets what stands where).

    Args:
        vocabulary_size: Number of ids that are written; 0 is padding.
        picture_shape: `(height, width, channels)`; height and width are multiples of
            `2 ** len(filters)`.
        filters: Widths of the convolutions, each of which halves height and width: the first one,
            of 5 x 5, by its strides, those of 3 x 3 after it by a pooling.
        embedding_dim: Width of the embedding, and of the attention layer.
        cell: Name of a recurrent cell, one of `kzoo.layers.CELLS`.
        units: Width of the picture's vector and of the decoder's layer.
        attention: One of `kzoo.models.ATTENTIONS`, or None for the picture's vector alone.
        dropout: Fraction of features dropped from grid and vector, after the embedding and before
            the scores.
        name: Name of the model.

    Returns:
        A `keras.Model` from `{"pictures": (batch, height, width, channels), "target_ids": (batch,
        time)}` to logits `(batch, time, vocabulary_size)`. Pictures have uint8 values. `target_ids`
        begin with the start id; the logits of a step are for the id after it. See
        `kzoo.models.Seq2SeqSteps` for decoding.

    Example:

    >>> import numpy as np
    >>> sizes = {"picture_shape": (16, 16, 1), "filters": (4, 8), "units": 8}
    >>> model = captioner(vocabulary_size=20, **sizes)
    >>> pictures = np.zeros((1, 16, 16, 1), "uint8")
    >>> tuple(model({"pictures": pictures, "target_ids": np.array([[2, 5]])}).shape)
    (1, 2, 20)
    """
    check_sizes(vocabulary_size=vocabulary_size, embedding_dim=embedding_dim, units=units)
    shrink = 2 ** len(filters)
    if len(picture_shape) != 3 or not filters or any(n % shrink for n in picture_shape[:2]):
        raise ValueError(
            "`picture_shape` must be (height, width, channels), with height and width multiples "
            f"of 2 ** len(filters) = {shrink}. Received: picture_shape={picture_shape}"
        )
    if cell not in CELLS:
        raise ValueError(f"`cell` must be one of {sorted(CELLS)}. Received: cell={cell!r}")
    if attention is not None and attention not in ATTENTIONS:
        raise ValueError(
            f"`attention` must be None or one of {list(ATTENTIONS)}. Received: {attention!r}"
        )
    # Layers
    decoder_cell = CELLS[cell](units)
    encoder = _encoder(tuple(picture_shape), filters, units, decoder_cell.state_size, dropout)
    if attention is not None:
        attention = ATTENTIONS[attention](embedding_dim)
        decoder_cell = AttentionCell(decoder_cell, attention, embedding_dim)
    decoder = RecurrentDecoder(
        vocabulary_size, embedding_dim, [decoder_cell], dropout=dropout, name="decoder"
    )
    # Wiring
    pictures = keras.Input(picture_shape, dtype="uint8", name="pictures")
    target_ids = keras.Input((None,), dtype="int32", name="target_ids")
    grid, *states = encoder(pictures)
    memory = {} if attention is None else {"memory": grid}
    logits = decoder(target_ids, initial_state=states, **memory)
    return keras.Model({"pictures": pictures, "target_ids": target_ids}, logits, name=name)


def _encoder(picture_shape, filters, units, state_sizes, dropout):
    """Returns a model from pictures to the grid `(batch, places, filters)` and first states."""
    # Wiring
    pictures = keras.Input(picture_shape, dtype="uint8", name="pictures")
    features = keras.layers.Rescaling(1 / 255, name="rescaling")(pictures)
    for n, width in enumerate(filters):
        # The first one halves by strides: pooling whole pictures would cost as much as the rest.
        size, strides = (3, 1) if n else (5, 2)
        features = keras.layers.Conv2D(
            width, size, strides, padding="same", use_bias=False, name=f"convolution_{n}"
        )(features)
        features = keras.layers.BatchNormalization(momentum=0.9, name=f"normalization_{n}")(
            features
        )
        features = ops.relu(features)
        if n:
            features = keras.layers.MaxPooling2D(name=f"pooling_{n}")(features)
    height, width, size = features.shape[1:]
    grid = LearnedPositions(height * width, name="positions")(
        ops.reshape(features, (-1, height * width, size))
    )
    grid = keras.layers.Dropout(dropout, name="dropout_grid")(grid)
    places = keras.layers.Dense(16, activation="relu", name="places")(grid)
    vector = ops.reshape(places, (-1, height * width * 16))
    vector = keras.layers.Dense(units, use_bias=False, name="vector")(vector)
    # Where a few numbers are large, rounding them to int8 would blur all the others.
    vector = keras.layers.LayerNormalization(name="normalization_vector")(vector)
    vector = keras.layers.Dropout(dropout, name="dropout_vector")(ops.relu(vector))
    states = [
        keras.layers.Dense(size, activation="tanh", name=f"initial_state_{n}")(vector)
        for n, size in enumerate(state_sizes)
    ]
    return keras.Model(pictures, [grid, *states], name="encoder")
