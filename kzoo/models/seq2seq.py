"""Sequence-to-sequence models: an encoder reads, a decoder writes."""

import keras
from keras import ops

from kzoo.layers import (
    CELLS,
    AttentionCell,
    BahdanauAttention,
    Bidirectional,
    CoverageAttention,
    LocationSensitiveAttention,
    LuongAttention,
    LuongLocalMonotonicAttention,
    LuongLocalPredictiveAttention,
    MonotonicBahdanauAttention,
    MonotonicLuongAttention,
    Recurrent,
    RecurrentDecoder,
    TransformerDecoder,
)
from kzoo.layers.checks import check_sizes

# Attentions by name, made of the widths of the decoder's cell and of the encoder's outputs.
ATTENTIONS = {
    "bahdanau": lambda units: BahdanauAttention(units),
    "bahdanau_normalized": lambda units: BahdanauAttention(units, normalize=True),
    "luong_dot": lambda units: LuongAttention(units, "dot"),
    "luong_general": lambda units: LuongAttention(units, "general"),
    "luong_concat": lambda units: LuongAttention(units, "concat"),
    "luong_local_monotonic": lambda units: LuongLocalMonotonicAttention(units),
    "luong_local_predictive": lambda units: LuongLocalPredictiveAttention(units),
    "location_sensitive": lambda units: LocationSensitiveAttention(units),
    "coverage": lambda units: CoverageAttention(units),
    "monotonic_bahdanau": lambda units: MonotonicBahdanauAttention(units),
    "monotonic_luong": lambda units: MonotonicLuongAttention(units),
}


def seq2seq(
    *,
    source_vocabulary_size,
    target_vocabulary_size,
    embedding_dim=256,
    cell="gru",
    units=256,
    num_layers=1,
    bidirectional=True,
    attention="bahdanau",
    feed_context=False,
    tie_embeddings=True,
    dropout=0.3,
    name="seq2seq",
):
    """Builds a recurrent encoder-decoder.

    Wiring: the encoder embeds the source and reads it. Its final states, the context vector, begin
    the decoder: as they are, or through a dense layer where the encoder walks in both directions.
    With attention the decoder also attends to the encoder's outputs at every step.

    Sources: Sutskever, Vinyals and Le 2014, arXiv 1409.3215 (the context vector as first state);
    Cho et al. 2014, arXiv 1406.1078 (the context vector in every step); Bahdanau, Cho and Bengio
    2015, arXiv 1409.0473 (the bidirectional encoder and attention); Luong, Pham and Manning 2015,
    arXiv 1508.04025 (the attention layer and input feeding).

    Args:
        source_vocabulary_size: Number of source ids; 0 is padding.
        target_vocabulary_size: Number of target ids; 0 is padding.
        embedding_dim: Width of both embeddings, and of the attention layer.
        cell: Name of a recurrent cell, one of `kzoo.layers.CELLS`.
        units: Width of a decoder layer, and of an encoder layer and direction.
        num_layers: Number of layers of the encoder, and of the decoder.
        bidirectional: Whether the encoder walks in both directions.
        attention: One of `ATTENTIONS`, or None for the context vector alone.
        feed_context: Whether the context vector, the decoder's first state, also enters every step;
            only without attention.
        tie_embeddings: Whether the decoder's table both embeds and scores.
        dropout: Fraction of features dropped after embeddings, between layers and before scores.
        name: Name of the model.

    Returns:
        A `keras.Model` from `{"source_ids": (batch, source), "target_ids": (batch, time)}` to
        logits `(batch, time, target_vocabulary_size)`. `target_ids` begin with the start id; the
        logits of a step are for the id after it. See `kzoo.models.Seq2SeqSteps` for decoding.

    Example:

    >>> import numpy as np
    >>> model = seq2seq(source_vocabulary_size=30, target_vocabulary_size=20, units=8)
    >>> ids = {"source_ids": np.array([[7, 3, 0]]), "target_ids": np.array([[2, 5]])}
    >>> tuple(model(ids).shape)
    (1, 2, 20)
    """
    check_sizes(
        source_vocabulary_size=source_vocabulary_size,
        target_vocabulary_size=target_vocabulary_size,
        embedding_dim=embedding_dim,
        units=units,
        num_layers=num_layers,
    )
    if cell not in CELLS:
        raise ValueError(f"`cell` must be one of {sorted(CELLS)}. Received: cell={cell!r}")
    if attention is not None and attention not in ATTENTIONS:
        raise ValueError(
            f"`attention` must be None or one of {list(ATTENTIONS)}. Received: {attention!r}"
        )
    # Layers
    encoder = _encoder(
        source_vocabulary_size,
        embedding_dim,
        CELLS[cell],
        units,
        num_layers,
        bidirectional,
        dropout,
    )
    cells = [CELLS[cell](units) for _ in range(num_layers)]
    if attention is not None:
        cells[0] = AttentionCell(cells[0], ATTENTIONS[attention](units), embedding_dim)
    decoder = RecurrentDecoder(
        target_vocabulary_size,
        embedding_dim,
        cells,
        tie_embeddings,
        dropout,
        feed_context=feed_context,
        name="decoder",
    )
    # Wiring
    source_ids = keras.Input((None,), dtype="int32", name="source_ids")
    target_ids = keras.Input((None,), dtype="int32", name="target_ids")
    outputs, *states = encoder(source_ids)
    memory = {}
    if attention is not None:
        memory = {"memory": outputs, "memory_mask": ops.not_equal(source_ids, 0)}
    logits = decoder(target_ids, initial_state=states, **memory)
    inputs = {"source_ids": source_ids, "target_ids": target_ids}
    return keras.Model(inputs, logits, name=name)


def _encoder(vocabulary_size, embedding_dim, cell, units, num_layers, bidirectional, dropout):
    """Returns a model from source ids to the outputs and the final states of all layers."""
    # Layers
    # As those of the decoder.
    initializer = keras.initializers.RandomNormal(stddev=embedding_dim**-0.25)
    embedding = keras.layers.Embedding(
        vocabulary_size, embedding_dim, initializer, mask_zero=True, name="embedding"
    )
    dropouts = [keras.layers.Dropout(dropout, name=f"dropout_{n}") for n in range(num_layers)]
    layers = [
        Recurrent(
            cell(units),
            return_sequences=True,
            return_state=True,
            zero_output_for_mask=True,
            name=f"recurrent_{n}",
        )
        for n in range(num_layers)
    ]
    if bidirectional:
        layers = [Bidirectional(layer, name=f"bidirectional_{n}") for n, layer in enumerate(layers)]
    # Wiring
    source_ids = keras.Input((None,), dtype="int32", name="source_ids")
    outputs, finals = embedding(source_ids), []
    for n, (layer, drop) in enumerate(zip(layers, dropouts, strict=True)):
        outputs, *states = layer(drop(outputs))
        if bidirectional:
            middle = len(states) // 2
            pairs = zip(states[:middle], states[middle:], strict=True)
            states = [
                keras.layers.Dense(
                    forward.shape[-1], activation="tanh", name=f"initial_state_{n}_{k}"
                )(ops.concatenate([forward, backward], axis=-1))
                for k, (forward, backward) in enumerate(pairs)
            ]
        finals += states
    outputs = keras.layers.Dropout(dropout, name="dropout_outputs")(outputs)
    return keras.Model(source_ids, [outputs, *finals], name="encoder")


class Seq2SeqSteps:
    """The step function of an encoder-decoder, for `kzoo.decoding`.

    Args:
        model: A model of `seq2seq`, `transformer_seq2seq`, `captioner` or `vector_to_sequence`, or
            a like one with an "encoder" of one input and a "decoder". Ids, of which 0 is padding,
            are what an encoder takes as integers `(batch, source)`; of anything else, as pictures,
            all that the encoder gives counts.
        max_length: Number of ids that will be written at most, where a Transformer's caches shall
            have room for other than its own number.

    Example:

    >>> import numpy as np
    >>> from kzoo.decoding import greedy
    >>> model = seq2seq(source_vocabulary_size=30, target_vocabulary_size=20, units=8)
    >>> steps = Seq2SeqSteps(model)
    >>> state, mask = steps.begin(np.array([[7, 3, 0], [4, 4, 4]]))
    >>> decoded = greedy(steps.attend, state, [2, 2], 3, max_length=6, source_mask=mask)
    >>> tuple(decoded.ids.shape), tuple(decoded.alignments.shape)
    ((2, 6), (2, 6, 3))
    """

    def __init__(self, model, max_length=None):
        self.encoder = model.get_layer("encoder")
        self.decoder = model.get_layer("decoder")
        self.limits = {}
        if max_length is not None and isinstance(self.decoder, TransformerDecoder):
            self.limits["max_length"] = max_length

    @property
    def source(self):
        """The encoder's symbolic input."""
        (source,) = keras.tree.flatten(self.encoder.inputs)
        return source

    @property
    def reads_ids(self):
        """Whether the encoder takes ids `(batch, source)`."""
        return tuple(self.source.shape) == (None, None) and "int" in self.source.dtype

    @property
    def places(self):
        """How many places of a source there are to attend to, None where its length decides."""
        return keras.tree.flatten(self.encoder.outputs)[0].shape[1]

    def begin(self, sources):
        """Returns `(state, source_mask)` for source ids `(batch, source)`, or other sources."""
        sources = ops.convert_to_tensor(sources)
        outputs, *states = keras.tree.flatten(self.encoder(sources, training=False))
        if self.reads_ids:
            mask = ops.not_equal(sources, 0)
        else:
            mask = ops.ones(ops.shape(outputs)[:2], "bool")
        memory = {"memory": outputs, "memory_mask": mask} if self.decoder.attends else {}
        batch = ops.shape(sources)[0]
        return self.decoder.begin(batch, states, **memory, **self.limits), mask

    def step(self, ids, state):
        """Returns `(logits, state)`."""
        return self.decoder.step(ids, state)

    def attend(self, ids, state):
        """Returns `(logits, state, alignments)`, for a decoder that attends."""
        return self.decoder.attend(ids, state)
