"""The block of a Transformer's decoder."""

import keras

from kzoo.layers.multi_head_attention import MultiHeadAttention
from kzoo.layers.transformer_block import TransformerBlock


@keras.saving.register_keras_serializable(package="kzoo")
class TransformerDecoderBlock(TransformerBlock):
    """Causal attention of a sequence to itself, attention to a memory, a feed-forward network.

        x = norm(x + dropout(attention(x)))
        x = norm(x + dropout(cross_attention(x, memory)))
        y = norm(x + dropout(feed_forward(x)))

    With `normalize_first` as in `TransformerEncoderBlock`. Without `cross_attention` it is the
    block of a language model.

    To decode, `begin` gives an empty cache, `remember` what the memory's keys and values are, and
    `extend` runs the block on the steps that come next.

    Source: Vaswani et al. 2017 (arXiv 1706.03762), section 3.1.

    Args:
        attention: Causal `kzoo.layers.MultiHeadAttention`.
        feed_forward: `kzoo.layers.FeedForward`.
        cross_attention: `kzoo.layers.MultiHeadAttention` for the memory, or None.
        normalization: "layer_norm" or "rms_norm".
        normalize_first: Whether a sublayer's input is normalized rather than its result.
        epsilon: Small positive number that the normalization adds to the variance.
        dropout: Fraction dropped of what each sublayer returns.

    Call arguments:
        inputs: `(batch, time, features)`.
        memory: `(batch, source, size)`, with `cross_attention`.
        mask: Optional boolean `(batch, time)`, False at padding of the inputs.
        memory_mask: Optional boolean `(batch, source)`, False at padding of the memory.

    Returns:
        Like `inputs`.

    Example:

    >>> import numpy as np
    >>> from kzoo.layers import FeedForward, MultiHeadAttention
    >>> attentions = MultiHeadAttention(2, 4, causal=True), MultiHeadAttention(2, 4)
    >>> block = TransformerDecoderBlock(attentions[0], FeedForward(16), attentions[1])
    >>> x, memory = np.ones((2, 5, 8), "float32"), np.ones((2, 9, 3), "float32")
    >>> tuple(block(x, memory).shape)
    (2, 5, 8)
    """

    def __init__(
        self,
        attention,
        feed_forward,
        cross_attention=None,
        normalization="layer_norm",
        normalize_first=False,
        epsilon=1e-5,
        dropout=0.0,
        **kwargs,
    ):
        super().__init__(
            attention, feed_forward, normalization, normalize_first, epsilon, dropout, **kwargs
        )
        if not attention.causal:
            raise ValueError("`attention` must be causal. Received: causal=False")
        is_attention = isinstance(cross_attention, MultiHeadAttention)
        if cross_attention is not None and not is_attention:
            raise ValueError(
                "`cross_attention` must be None or a kzoo.layers.MultiHeadAttention. "
                f"Received: cross_attention={cross_attention!r}"
            )
        self.cross_attention = cross_attention
        if cross_attention is not None:
            self.cross_normalization = self.make_normalization("cross_normalization")

    def build(self, inputs_shape, memory_shape=None):
        """Builds the sublayers."""
        if (self.cross_attention is None) != (memory_shape is None):
            raise ValueError(
                "`memory` must be given with `cross_attention`, and only then. "
                f"Received: memory of shape {memory_shape}"
            )
        super().build(inputs_shape)
        if self.cross_attention is not None:
            if not self.cross_attention.built:
                self.cross_attention.build(inputs_shape, memory_shape)
            self.cross_normalization.build(inputs_shape)

    def call(self, inputs, memory=None, mask=None, memory_mask=None, training=False):
        """Runs the block; see the class."""

        def attend(x):
            return self.attention(x, mask=mask, training=training)

        def cross(x):
            return self.cross_attention(x, memory, memory_mask=memory_mask, training=training)

        outputs = self.around(attend, self.attention_normalization, inputs, training)
        if self.cross_attention is not None:
            outputs = self.around(cross, self.cross_normalization, outputs, training)
        return self.feed(outputs, training)

    def compute_output_shape(self, inputs_shape, memory_shape=None):
        """Returns the shape of the inputs."""
        return inputs_shape

    def begin(self, batch_size, max_length):
        """Returns an empty cache, see `MultiHeadAttention.begin`."""
        return self.attention.begin(batch_size, max_length)

    def remember(self, memory):
        """Returns the keys and values of the memory."""
        return self.cross_attention.remember(memory)

    def extend(self, inputs, cache, span, remembered=None, memory_mask=None):
        """Runs the block on the steps that come next.

        Args:
            inputs: `(batch, time, features)`.
            cache: What `begin` or `extend` returned.
            span: Where the steps belong, see `kzoo.layers.key_value_cache.advance`.
            remembered: What `remember` returned.
            memory_mask: Optional `(batch, source)`.

        Returns:
            The outputs, the cache with the new steps, and the weights of the attention to the
            memory `(batch, num_heads, time, source)`, or None.
        """
        weights = None

        def attend(x):
            nonlocal cache
            outputs, cache = self.attention.extend(x, cache, span)
            return outputs

        def cross(x):
            nonlocal weights
            outputs, weights = self.cross_attention.recall(x, remembered, memory_mask)
            return outputs

        outputs = self.around(attend, self.attention_normalization, inputs)
        if self.cross_attention is not None:
            outputs = self.around(cross, self.cross_normalization, outputs)
        return self.feed(outputs), cache, weights

    def get_config(self):
        """Returns the constructor arguments."""
        cross_attention = self.cross_attention
        if cross_attention is not None:
            cross_attention = keras.saving.serialize_keras_object(cross_attention)
        return {**super().get_config(), "cross_attention": cross_attention}
