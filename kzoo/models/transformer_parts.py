"""Layers that the factories of Transformers share."""

import keras

from kzoo.layers import (
    FeedForward,
    LearnedPositions,
    MultiHeadAttention,
    SinusoidalPositions,
    TransformerDecoderBlock,
    TransformerEncoderBlock,
)
from kzoo.layers.checks import check_sizes

POSITIONS = ("sinusoidal", "learned", "rotary", "alibi")


class TransformerParts:
    """Makes the layers of a Transformer.

    Args:
        embedding_dim: Width of the embeddings and of every block.
        num_heads: Number of heads, a divisor of `embedding_dim`.
        hidden_dim: Width within the feed-forward networks.
        max_length: Positions that "learned" knows, and slots of a cache by default.
        dropout: Fraction of features dropped after the positions and each sublayer.
        inner_dropout: Fraction of attention weights and of features within the feed-forward
            networks dropped.
        positions: "sinusoidal", "learned", "rotary" or "alibi".
        activation: As in `kzoo.layers.FeedForward`.
        normalization: As in `kzoo.layers.TransformerEncoderBlock`.
        normalize_first: As in `kzoo.layers.TransformerEncoderBlock`.
        num_key_value_heads: As in `kzoo.layers.MultiHeadAttention`.
        use_bias: Whether attentions and feed-forward networks have biases.

    Example:

    >>> parts = TransformerParts(embedding_dim=8, num_heads=2, hidden_dim=16)
    >>> parts.decoder_block("block", attends=True).cross_attention.head_dim
    4
    """

    def __init__(
        self,
        *,
        embedding_dim,
        num_heads,
        hidden_dim,
        max_length=512,
        dropout=0.1,
        inner_dropout=0.0,
        positions="sinusoidal",
        activation="relu",
        normalization="layer_norm",
        normalize_first=False,
        num_key_value_heads=None,
        use_bias=True,
    ):
        check_sizes(embedding_dim=embedding_dim, num_heads=num_heads, hidden_dim=hidden_dim)
        if embedding_dim % num_heads:
            raise ValueError(
                "`num_heads` must divide `embedding_dim`. "
                f"Received: num_heads={num_heads}, embedding_dim={embedding_dim}"
            )
        if positions not in POSITIONS:
            raise ValueError(
                f"`positions` must be one of {POSITIONS}. Received: positions={positions!r}"
            )
        self.embedding_dim = embedding_dim
        self.max_length = max_length
        self.dropout = dropout
        self.positions = positions
        self.normalize_first = normalize_first
        self._hidden_dim = hidden_dim
        self._attention = {
            "num_heads": num_heads,
            "head_dim": embedding_dim // num_heads,
            "num_key_value_heads": num_key_value_heads,
            "use_bias": use_bias,
            "dropout": inner_dropout,
        }
        self._feed_forward = {
            "activation": activation,
            "use_bias": use_bias,
            "dropout": inner_dropout,
        }
        self._block = {
            "normalization": normalization,
            "normalize_first": normalize_first,
            "dropout": dropout,
        }

    def embedding(self, vocabulary_size, tie_embeddings=True, name="embedding"):
        """Returns a table whose vectors have length one, about."""
        initializer = keras.initializers.RandomNormal(stddev=self.embedding_dim**-0.5)
        return keras.layers.ReversibleEmbedding(
            vocabulary_size,
            self.embedding_dim,
            tie_weights=tie_embeddings,
            embeddings_initializer=initializer,
            name=name,
        )

    def make_positions(self, name="positions"):
        """Returns the layer that adds positions, or None where the attentions know them."""
        if self.positions == "sinusoidal":
            return SinusoidalPositions(name=name)
        if self.positions == "learned":
            return LearnedPositions(self.max_length, name=name)
        return None

    def encoder_block(self, name, causal=False):
        """Returns a block that attends to itself."""
        return TransformerEncoderBlock(
            self._self_attention(causal), self._make_feed_forward(), **self._block, name=name
        )

    def decoder_block(self, name, attends):
        """Returns a causal block that attends to itself and, with `attends`, to a memory."""
        cross = MultiHeadAttention(**self._attention, name="cross_attention") if attends else None
        return TransformerDecoderBlock(
            self._self_attention(True), self._make_feed_forward(), cross, **self._block, name=name
        )

    def _self_attention(self, causal):
        positions = self.positions if self.positions in ("rotary", "alibi") else None
        return MultiHeadAttention(
            **self._attention, causal=causal, positions=positions, name="attention"
        )

    def _make_feed_forward(self):
        return FeedForward(self._hidden_dim, **self._feed_forward, name="feed_forward")
