"""Encoders of sequences, wired after any features: recurrent layers, attention, or both."""

import keras

from kzoo.layers import CELLS, Bidirectional, Highway, Recurrent, Residual, SRUPlusPlus
from kzoo.layers.checks import check_sizes
from kzoo.models.transformer_parts import TransformerParts

CONNECTIONS = {"residual": Residual, "highway": Highway}
# Steps that a causal SRU++ attends to: a stream has to keep them.
WINDOW = 64


def attend(features, units, num_layers=1, bidirectional=True, dropout=0.3):
    """Wires blocks of attention that normalize first, after a projection to their width.

    Args:
        features: Symbolic `(batch, time, size)`.
        units: Width of a block.
        num_layers: Number of blocks.
        bidirectional: Whether each step attends to those after it.
        dropout: Fraction of features dropped.

    Returns:
        Symbolic `(batch, time, units)`.

    Example:

    >>> attend(keras.Input((None, 3)), units=8).shape
    (None, None, 8)
    """
    check_sizes(units=units, num_layers=num_layers)
    parts = TransformerParts(
        embedding_dim=units,
        num_heads=next(count for count in (8, 4, 2, 1) if units % count == 0),
        hidden_dim=4 * units,
        dropout=dropout,
        activation="gelu",
        normalize_first=True,
    )
    features = keras.layers.Dense(units, name="projection")(features)
    features = parts.make_positions()(features)
    features = keras.layers.Dropout(dropout, name="dropout_positions")(features)
    for index in range(num_layers):
        block = parts.encoder_block(f"block_{index}", causal=not bidirectional)
        features = block(features)
    return block.make_normalization("normalization")(features)


def attend_and_walk(features, units, num_layers=1, bidirectional=True, dropout=0.3):
    """Wires layers of `kzoo.layers.SRUPlusPlus`, whose attention is a quarter as wide.

    Args:
        features: Symbolic `(batch, time, size)`.
        units: Width of a layer.
        num_layers: Number of layers.
        bidirectional: Whether each step attends to all steps, or to the last 64 alone; all layers
            walk forwards.
        dropout: Fraction of features dropped before each layer.

    Returns:
        Symbolic `(batch, time, units)`.

    Example:

    >>> attend_and_walk(keras.Input((None, 3)), units=8).shape
    (None, None, 8)
    """
    check_sizes(units=units, num_layers=num_layers)
    for index in range(num_layers):
        layer = SRUPlusPlus(
            units,
            attention_dim=max(1, units // 4),
            causal=not bidirectional,
            window=None if bidirectional else WINDOW,
            return_sequences=True,
            zero_output_for_mask=True,
            name=f"recurrent_{index}",
        )
        features = layer(keras.layers.Dropout(dropout, name=f"dropout_{index}")(features))
    return features


# Encoders that see a whole sequence at once, by the name that stands for a cell.
ATTENDING = {"transformer": attend, "sru_plus_plus": attend_and_walk}


def walk(
    features,
    cell,
    units,
    num_layers=1,
    bidirectional=True,
    dropout=0.3,
    connection=None,
    return_sequences=True,
):
    """Wires recurrent layers.

    Args:
        features: Symbolic `(batch, time, size)`.
        cell: Name of a recurrent cell, one of `kzoo.layers.CELLS`.
        units: Width of a layer and direction.
        num_layers: Number of layers.
        bidirectional: Whether each layer walks in both directions.
        dropout: Fraction of features dropped before each layer.
        connection: "residual" or "highway" leads the input of each layer around it; None does not.
        return_sequences: Whether the last layer returns the outputs of all steps, or of the last.

    Returns:
        Symbolic `(batch, time, size)` or `(batch, size)`.

    Example:

    >>> walk(keras.Input((None, 3)), "gru", units=8).shape
    (None, None, 16)
    """
    check_sizes(units=units, num_layers=num_layers)
    if cell not in CELLS:
        raise ValueError(
            f"`cell` must be one of {sorted(CELLS)}; classifiers, regressors and taggers also "
            f"take {sorted(ATTENDING)}. Received: cell={cell!r}"
        )
    # The first layer changes the width, and one that returns its last output alone has no steps.
    connected = range(1, num_layers - (not return_sequences))
    if connection is not None:
        _check_connection(connection, connected)
    for index in range(num_layers):
        sequences = index < num_layers - 1 or return_sequences
        is_connected = connection is not None and index in connected
        layer = Recurrent(
            CELLS[cell](units),
            return_sequences=sequences,
            zero_output_for_mask=sequences,
            # What goes around a layer is not dropped, so the layer drops within.
            dropout=dropout if is_connected else 0.0,
            name=f"recurrent_{index}",
        )
        if bidirectional:
            layer = Bidirectional(layer, name=f"bidirectional_{index}")
        if is_connected:
            layer = CONNECTIONS[connection](layer, name=f"{connection}_{index}")
        else:
            features = keras.layers.Dropout(dropout, name=f"dropout_{index}")(features)
        features = layer(features)
    return features


def _check_connection(connection, connected):
    if connection not in CONNECTIONS:
        raise ValueError(
            f"`connection` must be one of {list(CONNECTIONS)} or None. "
            f"Received: connection={connection!r}"
        )
    if not connected:
        raise ValueError(
            "`connection` must be None where no layer can have one: it takes at least 2 layers, "
            f"or 3 with pooling='last'. Received: connection={connection!r}"
        )
