"""The Transformer: an encoder-decoder of attention alone."""

import keras
from keras import ops

from kzoo.layers import TransformerDecoder, TransformerEncoder
from kzoo.layers.checks import check_sizes
from kzoo.models.transformer_parts import TransformerParts


def transformer_seq2seq(
    *,
    source_vocabulary_size,
    target_vocabulary_size,
    embedding_dim=256,
    num_heads=4,
    hidden_dim=1024,
    num_layers=3,
    num_decoder_layers=None,
    tie_embeddings=True,
    share_embeddings=False,
    name="transformer_seq2seq",
    **options,
):
    """Builds a Transformer from source ids to the logits of target ids.

    Wiring: both sides embed their ids and add positions. The encoder's blocks attend to the source
    without its padding; the decoder's blocks attend to what was written before, and to the
    encoder's outputs.

    Source: Vaswani et al. 2017, "Attention Is All You Need" (arXiv 1706.03762), Figure 1. Fewer
    layers in the decoder than in the encoder decode faster and lose little: Kasai et al. 2021
    (arXiv 2006.10369).

    Args:
        source_vocabulary_size: Number of source ids; 0 is padding.
        target_vocabulary_size: Number of target ids; 0 is padding.
        embedding_dim: Width of the embeddings and of every block.
        num_heads: Number of heads, a divisor of `embedding_dim`.
        hidden_dim: Width within the feed-forward networks.
        num_layers: Number of blocks of the encoder.
        num_decoder_layers: Number of blocks of the decoder, `num_layers` by default.
        tie_embeddings: Whether the decoder's table both embeds and scores.
        share_embeddings: Whether the encoder has the decoder's table, as the paper has for a
            vocabulary of both languages; the two sizes must be the same.
        name: Name of the model.
        **options: `max_length`, `dropout`, `inner_dropout`, `positions`, `activation`,
            `normalization`, `normalize_first`, `num_key_value_heads` and `use_bias`, see
            `kzoo.models.transformer_parts.TransformerParts`.

    Returns:
        A `keras.Model` from `{"source_ids": (batch, source), "target_ids": (batch, time)}` to
        logits `(batch, time, target_vocabulary_size)`. `target_ids` begin with the start id; the
        logits of a step are for the id after it. See `kzoo.models.Seq2SeqSteps` for decoding.

    Example:

    >>> import numpy as np
    >>> sizes = {"source_vocabulary_size": 30, "target_vocabulary_size": 20}
    >>> model = transformer_seq2seq(**sizes, embedding_dim=8, num_heads=2, hidden_dim=16)
    >>> ids = {"source_ids": np.array([[7, 3, 0]]), "target_ids": np.array([[2, 5]])}
    >>> tuple(model(ids).shape)
    (1, 2, 20)
    """
    num_decoder_layers = num_layers if num_decoder_layers is None else num_decoder_layers
    check_sizes(
        source_vocabulary_size=source_vocabulary_size,
        target_vocabulary_size=target_vocabulary_size,
        num_layers=num_layers,
        num_decoder_layers=num_decoder_layers,
    )
    if share_embeddings and source_vocabulary_size != target_vocabulary_size:
        raise ValueError(
            "`share_embeddings` needs two vocabularies of one size. Received: "
            f"source_vocabulary_size={source_vocabulary_size}, "
            f"target_vocabulary_size={target_vocabulary_size}"
        )
    parts = TransformerParts(
        embedding_dim=embedding_dim, num_heads=num_heads, hidden_dim=hidden_dim, **options
    )
    # Layers
    embedding = parts.embedding(target_vocabulary_size, tie_embeddings)
    source_embedding = embedding
    if not share_embeddings:
        source_embedding = parts.embedding(source_vocabulary_size, name="source_embedding")
    encoder = _encoder(parts, source_embedding, num_layers)
    decoder = TransformerDecoder(
        embedding,
        [parts.decoder_block(f"block_{n}", attends=True) for n in range(num_decoder_layers)],
        parts.make_positions(),
        parts.max_length,
        parts.dropout,
        name="decoder",
    )
    # Wiring
    source_ids = keras.Input((None,), dtype="int32", name="source_ids")
    target_ids = keras.Input((None,), dtype="int32", name="target_ids")
    mask = ops.not_equal(source_ids, 0)
    logits = decoder(target_ids, memory=encoder(source_ids), memory_mask=mask)
    inputs = {"source_ids": source_ids, "target_ids": target_ids}
    return keras.Model(inputs, logits, name=name)


def _encoder(parts, embedding, num_layers):
    """Returns a model from source ids to the outputs of the last block."""
    # Layers
    layer = TransformerEncoder(
        embedding,
        [parts.encoder_block(f"block_{n}") for n in range(num_layers)],
        parts.make_positions(),
        parts.dropout,
        name="transformer_encoder",
    )
    # Wiring
    source_ids = keras.Input((None,), dtype="int32", name="source_ids")
    return keras.Model(source_ids, layer(source_ids), name="encoder")
