"""The block of a Transformer's encoder."""

import keras

from kzoo.layers.transformer_block import TransformerBlock


@keras.saving.register_keras_serializable(package="kzoo")
class TransformerEncoderBlock(TransformerBlock):
    """Attention of a sequence to itself, then a feed-forward network.

        x = norm(x + dropout(attention(x)))
        y = norm(x + dropout(feed_forward(x)))

    With `normalize_first` the normalization stands before the sublayer, `x + dropout(f(norm(x)))`;
    after the last of such blocks one more normalization belongs.

    Sources: Vaswani et al. 2017 (arXiv 1706.03762), section 3.1; Xiong et al. 2020 (arXiv
    2002.04745), Table 1, for `normalize_first`; Zhang and Sennrich 2019 (arXiv 1910.07467), Eq. 4,
    for "rms_norm".

    Args:
        attention: `kzoo.layers.MultiHeadAttention`; a causal one makes the block of a language
            model.
        feed_forward: `kzoo.layers.FeedForward`.
        normalization: "layer_norm" or "rms_norm".
        normalize_first: Whether a sublayer's input is normalized rather than its result.
        epsilon: Small positive number that the normalization adds to the variance.
        dropout: Fraction dropped of what each sublayer returns.

    Call arguments:
        inputs: `(batch, time, features)`.
        mask: Optional boolean `(batch, time)`, False at padding.

    Returns:
        Like `inputs`; what padding gives has no meaning.

    Example:

    >>> import numpy as np
    >>> from kzoo.layers import FeedForward, MultiHeadAttention
    >>> block = TransformerEncoderBlock(MultiHeadAttention(2, 4), FeedForward(16, "gelu"))
    >>> tuple(block(np.ones((2, 5, 8), "float32")).shape)
    (2, 5, 8)
    """

    def call(self, inputs, mask=None, training=False):
        """Runs the block; see the class."""

        def attend(x):
            return self.attention(x, mask=mask, training=training)

        outputs = self.around(attend, self.attention_normalization, inputs, training)
        return self.feed(outputs, training)
