"""Many-to-one models: a class or a number for a text or a real-valued sequence, or at each step."""

import keras

from kzoo.layers import (
    AttentionPooling,
    Changes,
    MaxPooling,
    MeanPooling,
    NGramEmbedding,
    Recurrent,
    Standardization,
    TrendCell,
)
from kzoo.layers.checks import check_sizes
from kzoo.models.checks import check_statistics
from kzoo.models.encoders import ATTENDING, walk

POOLINGS = ("last", "mean", "max", "max_mean", "attention")


def text_classifier(
    *,
    vocabulary_size,
    num_classes,
    embedding_dim=128,
    max_order=1,
    num_buckets=65536,
    ngram_dim=16,
    hash_seed=0,
    name="text_classifier",
    **encoder,
):
    """Builds a recurrent classifier of token ids.

    Wiring: embedding of tokens and n-grams (id 0 is padding and masked), recurrent encoder, pooling
    over time, softmax.

    Args:
        vocabulary_size: Number of token ids, padding included.
        num_classes: Number of classes.
        embedding_dim: Width of the token embedding.
        max_order: Longest n-gram that is embedded beside the tokens, see
            `kzoo.layers.NGramEmbedding`; 1 is none.
        num_buckets: Rows of the table of each n-gram order.
        ngram_dim: Width of the table of each n-gram order.
        hash_seed: From 0 to 7; with another seed other n-grams share a row.
        name: Name of the model.
        **encoder: `cell`, `units`, `num_layers`, `bidirectional`, `pooling`, `dropout` and
            `connection`, as in `sequence_classifier`.

    Returns:
        A `keras.Model` from `(batch, time)` int32 ids to `(batch, num_classes)` probabilities.

    Example:

    >>> import numpy as np
    >>> model = text_classifier(vocabulary_size=50, num_classes=2, cell="gru", units=8)
    >>> tuple(model(np.array([[7, 3, 0]])).shape)
    (1, 2)
    """
    check_sizes(vocabulary_size=vocabulary_size, embedding_dim=embedding_dim)
    # Layers
    embedding = NGramEmbedding(
        vocabulary_size,
        embedding_dim,
        max_order,
        num_buckets,
        ngram_dim,
        hash_seed,
        name="embedding",
    )
    # Wiring
    ids = keras.Input((None,), dtype="int32", name="ids")
    probabilities = _classify(embedding(ids), num_classes, **encoder)
    return keras.Model(ids, probabilities, name=name)


def sequence_classifier(
    *,
    num_features,
    num_classes,
    statistics=None,
    changes=False,
    trends=(),
    name="sequence_classifier",
    **encoder,
):
    """Builds a recurrent classifier of real-valued sequences.

    Wiring: features are standardized; recurrent encoder, pooling over time, softmax. Time steps
    whose features are all zero are padding and masked.

    Args:
        num_features: Number of features of a time step.
        num_classes: Number of classes.
        statistics: `(mean, variance)` of the features, two lists, by which the model standardizes;
            None leaves the features as they are.
        changes: Whether the changes of the features and their size are read too, see
            `kzoo.layers.Changes`.
        trends: Decays of moving averages of the features, which are read with their differences,
            see `kzoo.layers.TrendCell`; none by default.
        name: Name of the model.
        **encoder:
            `cell`: name of a recurrent cell, one of `kzoo.layers.CELLS`, or "transformer" for
                blocks of attention in the place of recurrent layers, or "sru_plus_plus" for
                `kzoo.layers.SRUPlusPlus`; "sru" by default.
            `units`: width of a recurrent layer and direction, or of a block; 128 by default.
            `num_layers`: number of recurrent layers or blocks; 1 by default.
            `bidirectional`: whether each layer walks in both directions, or each step attends to
                those after it; True by default.
            `pooling`: "last", "mean", "max" (the default), "max_mean" (both, concatenated, as in
                Howard and Ruder 2018, arXiv 1801.06146) or "attention".
            `dropout`: fraction of features dropped before each layer and the softmax; 0.3 by
                default.
            `connection`: "residual" or "highway" leads the input of each layer around it, see
                `kzoo.layers.Residual` and `kzoo.layers.Highway`; None by default. The first layer,
                which changes the width, has none, nor has the last one with pooling "last". Blocks
                of attention have their own.

    Returns:
        A `keras.Model` from `(batch, time, num_features)` to `(batch, num_classes)` probabilities.

    Example:

    >>> import numpy as np
    >>> model = sequence_classifier(num_features=3, num_classes=4, cell="lstm", units=8)
    >>> tuple(model(np.ones((2, 5, 3), "float32")).shape)
    (2, 4)
    """
    sequences, features = _read(num_features, statistics, changes, trends)
    probabilities = _classify(features, num_classes, **encoder)
    return keras.Model(sequences, probabilities, name=name)


def sequence_regressor(
    *,
    num_features,
    statistics=None,
    changes=False,
    trends=(),
    target_statistics=(0.0, 1.0),
    name="sequence_regressor",
    **encoder,
):
    """Builds a recurrent model that makes a number of a real-valued sequence.

    Args:
        num_features: Number of features of a time step.
        statistics: As in `sequence_classifier`.
        changes: As in `sequence_classifier`.
        trends: As in `sequence_classifier`.
        target_statistics: `(mean, variance)` of the numbers, by which the model scales what the
            network gives.
        name: Name of the model.
        **encoder: As in `sequence_classifier`.

    Returns:
        A `keras.Model` from `(batch, time, num_features)` to `(batch, 1)`.

    Example:

    >>> import numpy as np
    >>> model = sequence_regressor(num_features=3, target_statistics=(50.0, 100.0), units=8)
    >>> tuple(model(np.ones((2, 5, 3), "float32")).shape)
    (2, 1)
    """
    sequences, features = _read(num_features, statistics, changes, trends)
    features = _encode(features, **encoder)
    number = keras.layers.Dense(1, name="standardized")(features)
    mean, variance = target_statistics
    unscaling = Standardization([mean], [variance], invert=True, name="unscaling")
    return keras.Model(sequences, unscaling(number), name=name)


def sequence_labeller(
    *,
    num_features,
    num_classes,
    statistics=None,
    changes=False,
    trends=(),
    cell="gru",
    units=64,
    num_layers=1,
    dropout=0.3,
    name="sequence_labeller",
):
    """Builds a causal model that gives a class at every step of a real-valued sequence.

    Wiring: features are standardized; recurrent layers that walk forwards, softmax. It can run
    while the sequence comes in, see `kzoo.export.export_streaming`.

    Args:
        num_features: Number of features of a time step.
        num_classes: Number of classes.
        statistics: As in `sequence_classifier`.
        changes: As in `sequence_classifier`.
        trends: As in `sequence_classifier`.
        cell: Name of a recurrent cell, one of `kzoo.layers.CELLS`.
        units: Width of a recurrent layer.
        num_layers: Number of recurrent layers.
        dropout: Fraction of features dropped before each layer and the softmax.
        name: Name of the model.

    Returns:
        A `keras.Model` from `(batch, time, num_features)` to `(batch, time, num_classes)`
        probabilities.

    Example:

    >>> import numpy as np
    >>> model = sequence_labeller(num_features=3, num_classes=4, units=8)
    >>> tuple(model(np.ones((2, 5, 3), "float32")).shape)
    (2, 5, 4)
    """
    check_sizes(num_classes=num_classes)
    # A stream has no padding: a step of zeros is a measurement.
    sequences, features = _read(num_features, statistics, changes, trends, masked=False)
    features = walk(features, cell, units, num_layers, False, dropout)
    features = keras.layers.Dropout(dropout, name="dropout")(features)
    softmax = keras.layers.Dense(num_classes, activation="softmax", name="probabilities")
    return keras.Model(sequences, softmax(features), name=name)


def _read(num_features, statistics, changes, trends, masked=True):
    """Returns the input of real-valued sequences, and its features, masked and standardized."""
    check_sizes(num_features=num_features)
    sequences = features = keras.Input((None, num_features), name="sequences")
    if masked:
        features = keras.layers.Masking(name="masking")(features)
    if statistics is not None:
        scaling = Standardization(*check_statistics(statistics, num_features), name="scaling")
        features = scaling(features)
    read = [Changes(name="changes")(features)] if changes else []
    if trends:
        cell = TrendCell(num_features, trends)
        # Nobody reads what masked steps give, and zeros cost the least.
        layer = Recurrent(cell, return_sequences=True, zero_output_for_mask=True, name="trends")
        read.append(layer(features))
    if len(read) > 1:
        return sequences, keras.layers.Concatenate(name="read")(read)
    return sequences, read[0] if read else features


def _classify(features, num_classes, **encoder):
    """Wires encoder and softmax after `features`."""
    check_sizes(num_classes=num_classes)
    softmax = keras.layers.Dense(num_classes, activation="softmax", name="probabilities")
    return softmax(_encode(features, **encoder))


def _encode(
    features,
    *,
    cell="sru",
    units=128,
    num_layers=1,
    bidirectional=True,
    pooling="max",
    dropout=0.3,
    connection=None,
):
    """Wires encoder, pooling and dropout after `features`."""
    if pooling not in POOLINGS:
        raise ValueError(f"`pooling` must be one of {POOLINGS}. Received: pooling={pooling!r}")
    if cell in ATTENDING:
        if connection is not None or pooling == "last":
            raise ValueError(
                f"`connection` must be None and `pooling` not 'last' with cell={cell!r}. "
                f"Received: connection={connection!r}, pooling={pooling!r}"
            )
        features = ATTENDING[cell](features, units, num_layers, bidirectional, dropout)
    else:
        sequences = pooling != "last"
        features = walk(
            features, cell, units, num_layers, bidirectional, dropout, connection, sequences
        )
    if pooling == "attention":
        features = AttentionPooling(units, name="pooling")(features)
    elif pooling != "last":
        layers = {"max": MaxPooling, "mean": MeanPooling}
        pooled = [layers[name](name=f"pooling_{name}")(features) for name in pooling.split("_")]
        features = pooled[0] if len(pooled) == 1 else keras.ops.concatenate(pooled, axis=-1)
    return keras.layers.Dropout(dropout, name="dropout")(features)
