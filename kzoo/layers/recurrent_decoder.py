"""A decoder of ids: one walk for training, one step for decoding, with the same weights."""

import keras
from keras import ops

from kzoo.layers.cell import Cell
from kzoo.layers.recurrent import Recurrent


@keras.saving.register_keras_serializable(package="kzoo")
class RecurrentDecoder(keras.layers.Layer):
    """A stack of recurrent layers from ids to the logits of the next ids.

        x_t = E y_t,   s_t = cells(x_t, s_{t-1}),   logits_t = E tanh(R s_t) + b

    The same table `E` embeds the ids and scores them (Press and Wolf 2017, arXiv 1608.05859), or a
    second one with `tie_embeddings=False`. An attention layer as wide as the embedding takes the
    place of the readout `R`, which keeps the scores small where outputs carry the inputs on. A
    layer after the first adds its input to its output (He et al. 2016, arXiv 1512.03385).

    With `feed_context`, `x_t = [E y_t; c]`: the context vector `c`, which is the first initial
    state of the last cell, enters every step (Cho et al. 2014, arXiv 1406.1078, Eq. 3). Gradients
    then reach it from every step at once, and it is learned much sooner.

    Call it with all ids to train (teacher forcing). To decode, `begin` gives the state and `step`
    advances it by one id, as `kzoo.decoding` asks.

    Args:
        vocabulary_size: Number of ids; 0 is padding.
        embedding_dim: Width of the embedding.
        cells: List of cells from the lowest to the highest; the first may be an `AttentionCell`.
        tie_embeddings: Whether one table embeds the ids and scores them.
        dropout: Fraction of features dropped after the embedding, between layers and before the
            scores.
        stateful: As in `kzoo.layers.Recurrent`, for training on windows of long texts; only without
            attention.
        feed_context: Whether the context vector enters every step; only without attention.

    Call arguments:
        ids: `(batch, time)`, at each step the id before: the start id, then the target.
        initial_state: List of `(batch, size)` tensors, one for each state of each cell, or None.
        memory: `(batch, source, size)`, for an `AttentionCell`.
        memory_mask: Optional boolean `(batch, source)`.

    Returns:
        Logits `(batch, time, vocabulary_size)`.

    Example:

    >>> import numpy as np
    >>> from kzoo.layers import AttentionCell, BahdanauAttention, GRUCell
    >>> cell = AttentionCell(GRUCell(4), BahdanauAttention(4), attention_layer_size=6)
    >>> decoder = RecurrentDecoder(20, 6, [cell])
    >>> encoded = np.ones((2, 9, 3), "float32")
    >>> tuple(decoder(np.ones((2, 5), "int32"), memory=encoded).shape)
    (2, 5, 20)
    >>> logits, state = decoder.step(np.ones(2, "int32"), decoder.begin(2, memory=encoded))
    >>> tuple(logits.shape)
    (2, 20)
    """

    def __init__(
        self,
        vocabulary_size,
        embedding_dim,
        cells,
        tie_embeddings=True,
        dropout=0.0,
        stateful=False,
        feed_context=False,
        **kwargs,
    ):
        if not cells or not all(isinstance(cell, Cell) for cell in cells):
            raise ValueError(f"`cells` must be a list of kzoo.layers.Cell. Received: cells={cells}")
        if any(cell.attends for cell in cells[1:]):
            raise ValueError("`cells` must have its `AttentionCell` first.")
        if feed_context and cells[0].attends:
            raise ValueError("`feed_context` needs `cells` without attention.")
        super().__init__(**kwargs)
        self.vocabulary_size = vocabulary_size
        self.embedding_dim = embedding_dim
        self.cells = cells
        self.tie_embeddings = tie_embeddings
        self.dropout = keras.layers.Dropout(dropout, dtype=self.dtype_policy)
        # Between the scale that inputs want, 1, and the one that scores want, size ** -0.5. With
        # Keras's smaller vectors the cells get no signal until training has made them grow.
        initializer = keras.initializers.RandomNormal(stddev=embedding_dim**-0.25)
        self.embedding = keras.layers.ReversibleEmbedding(
            vocabulary_size,
            embedding_dim,
            tie_weights=tie_embeddings,
            embeddings_initializer=initializer,
            dtype=self.dtype_policy,
        )
        self.stateful = stateful
        self.feed_context = feed_context
        options = {"return_sequences": True, "return_state": True, "stateful": stateful}
        self.recurrent_layers = [
            Recurrent(cell, **options, dtype=self.dtype_policy, name=f"recurrent_{index}")
            for index, cell in enumerate(cells)
        ]
        self.supports_jit = all(layer.supports_jit for layer in self.recurrent_layers)
        self.readout = None

    @property
    def attends(self):
        """Whether the decoder attends to a memory."""
        return self.cells[0].attends

    def build(self, ids_shape, initial_state_shape=None, memory_shape=None):
        """Builds the embedding, the layers, the readout and the bias."""
        self.embedding.build()
        batch, size = ids_shape[0], self.embedding_dim
        if self.feed_context:
            size += self.cells[-1].state_size[0]
        for index, layer in enumerate(self.recurrent_layers):
            shapes = {"memory_shape": memory_shape} if index == 0 and self.attends else {}
            layer.build((batch, None, size), **shapes)
            layer.built = True
            size = layer.cell.output_size
        if size != self.embedding_dim or not self.cells[-1].attends:
            self.readout = keras.layers.Dense(
                self.embedding_dim, activation="tanh", name="readout", dtype=self.dtype_policy
            )
            self.readout.build((batch, size))
        self.bias = self.add_weight(name="bias", shape=(self.vocabulary_size,), initializer="zeros")

    def call(self, ids, initial_state=None, memory=None, memory_mask=None, training=False):
        """Returns the logits of all steps; see the class."""
        outputs = self.dropout(self.embedding(ids), training=training)
        states = self._split_state(initial_state)
        if self.feed_context:
            context = ops.expand_dims(_context(states), 1)
            context = ops.broadcast_to(context, (*ops.shape(ids), context.shape[-1]))
            outputs = ops.concatenate([outputs, context], axis=-1)
        for index, (layer, state) in enumerate(zip(self.recurrent_layers, states, strict=True)):
            inputs = outputs if index == 0 else self.dropout(outputs, training=training)
            attended = {"memory": memory, "memory_mask": memory_mask} if index == 0 else {}
            outputs, *_ = layer(inputs, initial_state=state, training=training, **attended)
            outputs = _add_input(outputs, inputs, index)
        return self._score(outputs, training)

    def begin(self, batch_size, initial_state=None, memory=None, memory_mask=None):
        """Returns the state before the first step: a tree of tensors that begin with the batch."""
        states = self._split_state(initial_state)
        states = [
            cell.get_initial_state(batch_size) if state is None else state
            for cell, state in zip(self.cells, states, strict=True)
        ]
        states = [[ops.cast(x, self.compute_dtype) for x in state] for state in states]
        remembered = []
        if self.attends:
            memory = ops.cast(memory, self.compute_dtype)
            with self._casting():
                remembered = self.cells[0].remember(memory, memory_mask)
                states[0] = self.cells[0].begin(states[0], remembered)
        elif self.feed_context:
            remembered = [_context(states)]
        return {"states": states, "memory": remembered}

    def prefill(self, ids, state, mask=None):
        """Returns `(logits, state)` after several ids for each row, as those of a prompt.

        Args:
            ids: `(batch, time)`.
            state: What `begin`, `prefill` or `step` returned; of a decoder without attention.
            mask: Optional boolean `(batch, time)`, False at padding, by default where an id is 0.
        """
        if self.attends or self.feed_context:
            raise ValueError("`prefill` needs a decoder without attention or `feed_context`.")
        mask = ops.not_equal(ids, 0) if mask is None else mask
        outputs, states = self.embedding(ids), []
        for index, (layer, old) in enumerate(
            zip(self.recurrent_layers, state["states"], strict=True)
        ):
            inputs = outputs
            outputs, *new = layer(inputs, initial_state=old, mask=mask)
            outputs = _add_input(outputs, inputs, index)
            states.append(new)
        return self._score(outputs, False), {**state, "states": states}

    def step(self, ids, state):
        """Returns `(logits, state)` after one id for each row, `(batch,)`."""
        return self.attend(ids, state)[:2]

    def attend(self, ids, state):
        """Returns `(logits, state, alignments)`; alignments are None without attention."""
        outputs, alignments, states = self.embedding(ids), None, []
        if self.feed_context:
            outputs = ops.concatenate([outputs, state["memory"][0]], axis=-1)
        for index, (cell, old) in enumerate(zip(self.cells, state["states"], strict=True)):
            inputs = outputs
            with self._casting():
                projected = cell.project(outputs)
                if cell.attends:
                    outputs, new, alignments = cell.attend(projected, old, memory=state["memory"])
                else:
                    outputs, new = cell.step(projected, old)
            outputs = _add_input(outputs, inputs, index)
            states.append(new)
        return self._score(outputs, False), {**state, "states": states}, alignments

    def _casting(self):
        """Returns the scope in which Keras calls a layer: weights come in its type of computing."""
        return keras.src.backend.AutocastScope(self.compute_dtype)

    def _score(self, outputs, training):
        if self.readout is not None:
            outputs = self.readout(outputs)
        outputs = self.dropout(outputs, training=training)
        # Within another layer, Keras's embedding scores in the type of its table.
        scores = self.embedding(outputs, reverse=True)
        return ops.cast(scores, self.compute_dtype) + ops.cast(self.bias, self.compute_dtype)

    def _split_state(self, initial_state):
        """Returns the initial state of each cell, from one flat list."""
        if initial_state is None:
            return [None] * len(self.cells)
        state, states = keras.tree.flatten(initial_state), []
        for size in self.state_counts():
            states.append(state[:size])
            state = state[size:]
        return states

    def state_counts(self):
        """Returns how many initial states each cell takes."""
        inner = [cell.cell if cell.attends else cell for cell in self.cells]
        return [len(cell.state_size) for cell in inner]

    def compute_output_shape(self, ids_shape, initial_state_shape=None, memory_shape=None):
        """Returns `(batch, time, vocabulary_size)`."""
        return (*ids_shape, self.vocabulary_size)

    def get_config(self):
        """Returns the constructor arguments."""
        return {
            **super().get_config(),
            "vocabulary_size": self.vocabulary_size,
            "embedding_dim": self.embedding_dim,
            "cells": [keras.saving.serialize_keras_object(cell) for cell in self.cells],
            "tie_embeddings": self.tie_embeddings,
            "dropout": self.dropout.rate,
            "stateful": self.stateful,
            "feed_context": self.feed_context,
        }

    @classmethod
    def from_config(cls, config):
        """Rebuilds the decoder with its cells."""
        cells = [keras.saving.deserialize_keras_object(cell) for cell in config["cells"]]
        return cls(**{**config, "cells": cells})


def _context(states):
    if states[-1] is None:
        raise ValueError("`initial_state` is needed with `feed_context`. Received: None")
    return states[-1][0]


def _add_input(outputs, inputs, index):
    same = outputs.shape[-1] == inputs.shape[-1]
    return outputs + inputs if index and same else outputs
