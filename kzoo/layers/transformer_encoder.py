"""A Transformer's encoder, from ids to what a decoder or a head reads."""

import keras
from keras import ops

from kzoo.layers.transformer_encoder_block import TransformerEncoderBlock
from kzoo.layers.transformer_stack import TransformerStack


@keras.saving.register_keras_serializable(package="kzoo")
class TransformerEncoder(TransformerStack):
    """A stack of encoder blocks over embedded ids.

        x_t = sqrt(size) E y_t + positions(t),   y = blocks(x)

    Id 0 is padding: it is not attended to, and the outputs carry the mask. After blocks that
    normalize first, one more normalization stands at the end.

    Source: Vaswani et al. 2017 (arXiv 1706.03762), sections 3.1 and 3.4.

    Args:
        embedding: `keras.layers.Embedding`; a decoder's own, to share its table.
        blocks: List of `kzoo.layers.TransformerEncoderBlock`.
        positions: `SinusoidalPositions`, `LearnedPositions` or None, as where the attentions of the
            blocks have positions of their own.
        dropout: Fraction of features dropped after the positions.

    Call arguments:
        ids: int32 `(batch, time)`.

    Returns:
        `(batch, time, size)`.

    Example:

    >>> import numpy as np
    >>> from kzoo.layers import FeedForward, MultiHeadAttention
    >>> block = TransformerEncoderBlock(MultiHeadAttention(2, 4), FeedForward(16))
    >>> encoder = TransformerEncoder(keras.layers.Embedding(20, 8), [block])
    >>> tuple(encoder(np.array([[7, 3, 0]])).shape)
    (1, 3, 8)
    """

    embedding_class = keras.layers.Embedding
    block_class = TransformerEncoderBlock

    def build(self, ids_shape):
        """Builds the layers."""
        super().build(ids_shape)

    def call(self, ids, training=False):
        """Encodes; see the class."""
        outputs, mask = self.embed(ids, None, training), ops.not_equal(ids, 0)
        for block in self.blocks:
            outputs = block(outputs, mask=mask, training=training)
        return self.normalize(outputs)

    def compute_mask(self, ids, mask=None):
        """Returns True where an id is no padding."""
        return ops.not_equal(ids, 0)

    def compute_output_shape(self, ids_shape):
        """Returns `(batch, time, size)`."""
        return (*ids_shape, self.embedding.output_dim)
