"""The layers of kzoo that compute what Keras's recurrent layers compute."""

import keras
from keras import layers

from kzoo.layers import Bidirectional, GRUCell, KerasCell, LSTMCell, Recurrent, SimpleRNNCell

DRIVERS = (layers.RNN, layers.SimpleRNN, layers.LSTM, layers.GRU)
CELLS = {
    layers.SimpleRNNCell: (SimpleRNNCell, ("activation",)),
    layers.LSTMCell: (LSTMCell, ("activation", "recurrent_activation", "unit_forget_bias")),
    layers.GRUCell: (GRUCell, ("activation", "recurrent_activation", "reset_after")),
}


class NotReplaceable(ValueError):
    """A layer cannot be replaced; the message is the reason."""


def replace_recurrent(layer):
    """Return the unbuilt layer of kzoo for a Keras RNN or Bidirectional, with the same weights.

    The weights are in the order of the Keras layer's `get_weights()`. What matters in training
    alone is left out: initializers, regularizers, constraints and dropout.

    Raises:
        NotReplaceable: kzoo has no such layer.

    Example:

    >>> import keras
    >>> replace_recurrent(keras.layers.LSTM(4)).cell.state_size
    [4, 4]
    """
    if isinstance(layer, layers.Bidirectional):
        return _bidirectional(layer)
    if type(layer) not in DRIVERS:
        raise NotReplaceable(
            f"kzoo has no layer for {type(layer).__name__}, a subclass of keras.layers.RNN"
        )
    return _recurrent(layer, layer.name)


def _recurrent(layer, name):
    return Recurrent(
        _cell(layer.cell),
        return_sequences=layer.return_sequences,
        return_state=layer.return_state,
        go_backwards=layer.go_backwards,
        zero_output_for_mask=layer.zero_output_for_mask,
        name=name,
        dtype=layer.dtype_policy,
    )


def _cell(cell):
    if type(cell) in CELLS:
        kind, arguments = CELLS[type(cell)]
        values = {name: getattr(cell, name) for name in arguments}
        return kind(cell.units, use_bias=cell.use_bias, dtype=cell.dtype_policy, **values)
    try:
        return KerasCell(type(cell).from_config(cell.get_config()), dtype=cell.dtype_policy)
    except Exception as error:  # The user's own code runs here.
        raise NotReplaceable(
            f"its cell {type(cell).__name__} cannot be taken over: {error}"
        ) from error


def _bidirectional(layer):
    forward, backward = layer.forward_layer, layer.backward_layer
    for direction in (forward, backward):
        if type(direction) not in DRIVERS:
            raise NotReplaceable(f"it wraps {type(direction).__name__}, not an RNN of Keras")
    if forward.go_backwards:
        raise NotReplaceable("its forward layer goes backwards; swap the two layers")
    return Bidirectional(
        _recurrent(forward, forward.name),
        layer.merge_mode,
        _recurrent(backward, backward.name),
        name=layer.name,
        dtype=layer.dtype_policy,
    )


def is_random(layer):
    """Whether a Keras RNN or Bidirectional drops anything where it is called for training."""
    if isinstance(layer, layers.Bidirectional):
        return is_random(layer.forward_layer) or is_random(layer.backward_layer)
    cells = keras.tree.flatten(getattr(layer.cell, "cells", layer.cell))
    names = ("dropout", "recurrent_dropout")
    return any(getattr(cell, name, 0) > 0 for cell in cells for name in names)
