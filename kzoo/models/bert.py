"""BERT: the encoder of ids, mask and segment ids."""

import keras
from keras import ops

from kzoo.layers import FeedForward, LearnedPositions, MultiHeadAttention, TransformerEncoderBlock
from kzoo.layers.checks import check_sizes


def bert(
    *,
    vocabulary_size,
    embedding_dim=768,
    num_heads=12,
    hidden_dim=3072,
    num_layers=12,
    max_length=512,
    num_segments=2,
    activation="gelu",
    dropout=0.1,
    attention_dropout=0.1,
    epsilon=1e-12,
    pools=True,
    name="bert",
):
    """Builds an encoder of texts and of pairs of texts.

    Wiring: the sum of three embeddings (ids, positions, segments), normalization, blocks of
    attention and feed-forward, each normalized after its sum; of the first step a dense layer.

        x = norm(E[ids] + P[0, 1, 2, ...] + S[segment_ids])
        sequence = block_n(... block_1(x)),   pooled = tanh(sequence_0 W + b)

    Source: Devlin et al. 2019, "BERT: Pre-training of Deep Bidirectional Transformers for Language
    Understanding" (arXiv 1810.04805), section 3 and appendix A.

    Args:
        vocabulary_size: Number of ids.
        embedding_dim: Width of the embeddings and of every block.
        num_heads: Number of heads, a divisor of `embedding_dim`.
        hidden_dim: Width within the feed-forward networks.
        num_layers: Number of blocks.
        max_length: Number of positions, and with it of the steps of the longest input.
        num_segments: Number of segment ids.
        activation: As in `kzoo.layers.FeedForward`.
        dropout: Fraction of features dropped after the embeddings and each sublayer.
        attention_dropout: Fraction of attention weights dropped.
        epsilon: Small positive number that the normalizations add to the variance.
        pools: Whether there is a `pooled` output.
        name: Name of the model.

    Returns:
        A `keras.Model`. Its inputs are int32 `(batch, time)` by name, as MediaPipe and the Task
        libraries call them: `ids`, `mask` (1, and 0 at padding) and `segment_ids`. Its outputs are
        a dict: `sequence` `(batch, time, embedding_dim)`, which has no meaning at padding, and
        `pooled` `(batch, embedding_dim)`.

    Example:

    >>> import numpy as np
    >>> sizes = {"embedding_dim": 8, "num_heads": 2, "hidden_dim": 16, "num_layers": 2}
    >>> model = bert(vocabulary_size=20, **sizes)
    >>> ids = np.array([[2, 7, 9, 3, 0]])
    >>> outputs = model({"ids": ids, "mask": ids > 0, "segment_ids": 0 * ids})
    >>> tuple(outputs["sequence"].shape), tuple(outputs["pooled"].shape)
    ((1, 5, 8), (1, 8))
    """
    check_sizes(
        vocabulary_size=vocabulary_size,
        embedding_dim=embedding_dim,
        num_heads=num_heads,
        num_layers=num_layers,
        num_segments=num_segments,
    )
    if embedding_dim % num_heads:
        raise ValueError(
            "`num_heads` must divide `embedding_dim`. "
            f"Received: num_heads={num_heads}, embedding_dim={embedding_dim}"
        )
    # Layers
    embedding = keras.layers.ReversibleEmbedding(
        vocabulary_size, embedding_dim, embeddings_initializer=_initializer(), name="embedding"
    )
    segments = keras.layers.Embedding(
        num_segments, embedding_dim, embeddings_initializer=_initializer(), name="segments"
    )
    positions = LearnedPositions(max_length, name="positions")
    normalization = keras.layers.LayerNormalization(epsilon=epsilon, name="normalization")
    dropping = keras.layers.Dropout(dropout, name="dropout")
    blocks = [
        TransformerEncoderBlock(
            MultiHeadAttention(
                num_heads, embedding_dim // num_heads, dropout=attention_dropout, name="attention"
            ),
            FeedForward(hidden_dim, activation, name="feed_forward"),
            epsilon=epsilon,
            dropout=dropout,
            name=f"block_{index}",
        )
        for index in range(num_layers)
    ]
    # Wiring
    inputs = {
        key: keras.Input((None,), dtype="int32", name=key) for key in ("ids", "mask", "segment_ids")
    }
    counts = ops.cast(inputs["mask"], "bool")
    x = positions(embedding(inputs["ids"]) + segments(inputs["segment_ids"]))
    x = dropping(normalization(x))
    for block in blocks:
        x = block(x, mask=counts)
    outputs = {"sequence": keras.layers.Identity(name="sequence")(x)}
    if pools:
        pooling = keras.layers.Dense(embedding_dim, activation="tanh", name="pooled")
        outputs["pooled"] = pooling(x[:, 0])
    model = keras.Model(inputs, outputs, name=name)
    draw_kernels(model)
    return model


def draw_kernels(model):
    """Draws the kernels of a model's dense layers as BERT does, with standard deviation 0.02."""
    for weight in model.weights:
        if weight.name == "kernel":
            # One initializer gives the same numbers at every call.
            weight.assign(_initializer()(weight.shape, weight.dtype))


def _initializer():
    return keras.initializers.TruncatedNormal(stddev=0.02)
