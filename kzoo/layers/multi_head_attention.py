"""Multi-head attention: at once, to a memory, and step by step with a cache."""

import keras
from keras import ops

from kzoo.layers.alibi import alibi_bias
from kzoo.layers.checks import check_sizes
from kzoo.layers.dot_product_attention import (
    causal_bias,
    dot_product_attention,
    padding_bias,
)
from kzoo.layers.key_value_cache import write
from kzoo.layers.rotary import rotate

POSITIONS = (None, "rotary", "alibi")


@keras.saving.register_keras_serializable(package="kzoo")
class MultiHeadAttention(keras.layers.Layer):
    """Attention of a sequence to itself, or to a memory, with several heads.

        q, k, v = x W_q + b_q, m W_k + b_k, m W_v + b_v      (m = x without a memory)
        head_h = softmax(q_h k_h^T / sqrt(head_dim)) v_h
        y = [head_1; ...; head_n] W_o + b_o

    Each kernel is a matrix: the columns of head `h` of `W_q` are `h * head_dim` and those after it.

    Padding is neither attended to nor counted by positions, so a row gives what it gives alone. A
    step that may attend to nothing has a context of zeros, of which `b_o` is left.

    Decoding takes two other ways to the same result: `begin` and `extend` for attention to itself,
    which needs `causal`, and `remember` and `recall` for attention to a memory.

    Source: Vaswani et al. 2017, "Attention Is All You Need" (arXiv 1706.03762), section 3.2.2.

    Args:
        num_heads: Positive integer, the number of query heads.
        head_dim: Positive integer, the width of a head.
        num_key_value_heads: Number of key and value heads, a divisor of `num_heads` and by default
            `num_heads`; see `kzoo.layers.dot_product_attention`.
        use_bias: Whether the four projections have a bias.
        dropout: Fraction of attention weights dropped.
        causal: Whether a step attends to itself and earlier steps alone.
        positions: None, "rotary" (Su et al. 2021, arXiv 2104.09864) or "alibi" (Press et al. 2022,
            arXiv 2108.12409), for attention to itself.

    Call arguments:
        inputs: `(batch, time, features)`.
        memory: Optional `(batch, source, size)`.
        mask: Optional boolean `(batch, time)`, False at padding of the inputs.
        memory_mask: Optional boolean `(batch, source)`, False at padding of the memory.

    Returns:
        `(batch, time, features)`.

    Example:

    >>> import numpy as np
    >>> layer = MultiHeadAttention(num_heads=4, head_dim=8, num_key_value_heads=2)
    >>> tuple(layer(np.ones((2, 5, 3), "float32")).shape)
    (2, 5, 3)
    >>> tuple(layer.query_projection.kernel.shape), tuple(layer.key_projection.kernel.shape)
    ((3, 32), (3, 16))
    """

    def __init__(
        self,
        num_heads,
        head_dim,
        num_key_value_heads=None,
        use_bias=True,
        dropout=0.0,
        causal=False,
        positions=None,
        **kwargs,
    ):
        num_key_value_heads = num_heads if num_key_value_heads is None else num_key_value_heads
        check_sizes(num_heads=num_heads, head_dim=head_dim, num_key_value_heads=num_key_value_heads)
        if num_heads % num_key_value_heads:
            raise ValueError(
                "`num_key_value_heads` must divide `num_heads`. "
                f"Received: num_key_value_heads={num_key_value_heads}, num_heads={num_heads}"
            )
        if positions not in POSITIONS:
            raise ValueError(
                f"`positions` must be one of {POSITIONS}. Received: positions={positions!r}"
            )
        if positions == "rotary" and head_dim % 2:
            raise ValueError(
                f"`head_dim` must be even with rotary positions. Received: head_dim={head_dim}"
            )
        super().__init__(**kwargs)
        self.supports_masking = True
        self.num_heads = num_heads
        self.head_dim = head_dim
        self.num_key_value_heads = num_key_value_heads
        self.use_bias = use_bias
        self.dropout = keras.layers.Dropout(dropout, dtype=self.dtype_policy)
        self.causal = causal
        self.positions = positions
        self.query_projection = self._dense("query", num_heads * head_dim)
        self.key_projection = self._dense("key", num_key_value_heads * head_dim)
        self.value_projection = self._dense("value", num_key_value_heads * head_dim)
        self.output_projection = None

    def _dense(self, name, units):
        return keras.layers.Dense(units, use_bias=self.use_bias, name=name, dtype=self.dtype_policy)

    def build(self, inputs_shape, memory_shape=None):
        """Builds the four projections."""
        if len(inputs_shape) != 3:
            raise ValueError(
                "`inputs` must have shape (batch, time, features). "
                f"Received: shape={tuple(inputs_shape)}"
            )
        if memory_shape is not None and (self.causal or self.positions):
            raise ValueError(
                "`memory` must not be given with `causal` or `positions`. "
                f"Received: causal={self.causal}, positions={self.positions!r}"
            )
        self.attends_to_memory = memory_shape is not None
        source_shape = memory_shape if self.attends_to_memory else inputs_shape
        self.query_projection.build(inputs_shape)
        self.key_projection.build(source_shape)
        self.value_projection.build(source_shape)
        self.output_projection = self._dense("output", inputs_shape[-1])
        self.output_projection.build((*inputs_shape[:2], self.num_heads * self.head_dim))

    def call(self, inputs, memory=None, mask=None, memory_mask=None, training=False):
        """Attends; see the class."""
        if self.attends_to_memory != (memory is not None):
            raise ValueError(
                "`memory` must be given always or never. "
                f"Received: memory={memory!r}, where the layer was built otherwise"
            )
        if self.attends_to_memory:
            return self.recall(inputs, self.remember(memory), memory_mask, training)[0]
        time, dtype = ops.shape(inputs)[1], self.compute_dtype
        bias = causal_bias(time, time, 0, dtype) if self.causal else None
        if mask is None:
            positions = ops.expand_dims(ops.arange(time, dtype="int32"), 0)
            seen = None
        else:
            positions = ops.cumsum(ops.cast(mask, "int32"), axis=1) - 1
            padding = padding_bias(mask, dtype)
            bias = padding if bias is None else ops.minimum(bias, padding)
            seen = positions if self.causal else ops.max(positions, axis=1, keepdims=True)
        queries, keys, values = self._project(inputs, positions)
        if self.positions == "alibi":
            bias = self._add_distances(bias, positions, positions)
        return self._attend(queries, keys, values, bias, seen, training)[0]

    def begin(self, batch_size, max_length):
        """Returns an empty cache: keys and values of zeros.

        Both are `(batch, max_length, num_key_value_heads, head_dim)`.
        """
        shape = (batch_size, max_length, self.num_key_value_heads, self.head_dim)
        return [ops.zeros(shape, self.compute_dtype), ops.zeros(shape, self.compute_dtype)]

    def extend(self, inputs, cache, span):
        """Attends from new steps to themselves and to all that is in the cache.

        Args:
            inputs: `(batch, time, features)`: one step, or several at once as of a prompt.
            cache: What `begin` or `extend` returned.
            span: Where the steps belong, see `kzoo.layers.key_value_cache.advance`.

        Returns:
            `(batch, time, features)` and the cache with the new steps.
        """
        if not self.causal:
            raise ValueError("`causal` must be True for `extend`. Received: causal=False")
        queries, keys, values = self._project(inputs, span.positions)
        keys, values = write(cache[0], span, keys), write(cache[1], span, values)
        bias = span.bias
        if self.positions == "alibi":
            slots = ops.cumsum(span.mask, axis=1) - 1
            bias = self._add_distances(bias, span.positions, slots)
        outputs, _ = self._attend(queries, keys, values, bias, span.positions, False)
        return outputs, [keys, values]

    def remember(self, memory):
        """Returns the keys and values of a memory, in the layout of the cache."""
        return [
            self._split(self.key_projection(memory), self.num_key_value_heads),
            self._split(self.value_projection(memory), self.num_key_value_heads),
        ]

    def recall(self, inputs, remembered, memory_mask=None, training=False):
        """Attends to what `remember` returned.

        Returns:
            `(batch, time, features)` and the weights `(batch, num_heads, time, source)`.
        """
        bias = seen = None
        if memory_mask is not None:
            bias = padding_bias(memory_mask, self.compute_dtype)
            memory_mask = ops.cast(memory_mask, "int32")
            seen = ops.max(memory_mask, axis=1, keepdims=True) - 1
        queries = self._split(self.query_projection(inputs), self.num_heads)
        return self._attend(queries, *remembered, bias, seen, training)

    def _project(self, inputs, positions):
        queries = self._split(self.query_projection(inputs), self.num_heads)
        keys, values = self.remember(inputs)
        if self.positions == "rotary":
            queries, keys = rotate(queries, positions), rotate(keys, positions)
        return queries, keys, values

    def _split(self, projected, num_heads):
        return ops.reshape(projected, (-1, ops.shape(projected)[1], num_heads, self.head_dim))

    def _add_distances(self, bias, query_positions, key_positions):
        distances = alibi_bias(query_positions, key_positions, self.num_heads, self.compute_dtype)
        return distances if bias is None else bias + distances

    def _attend(self, queries, keys, values, bias, seen, training):
        """Attends; `seen` is negative at the steps that may attend to nothing."""
        dropout = None
        if training and self.dropout.rate:

            def dropout(weights):
                return self.dropout(weights, training=training)

        context, weights = dot_product_attention(queries, keys, values, bias, dropout)
        if seen is not None:
            context = context * ops.expand_dims(ops.cast(seen >= 0, context.dtype), -1)
        return self.output_projection(context), weights

    def compute_output_shape(self, inputs_shape, memory_shape=None):
        """Returns the shape of the inputs."""
        return inputs_shape

    def get_config(self):
        """Returns the constructor arguments."""
        return {
            **super().get_config(),
            "num_heads": self.num_heads,
            "head_dim": self.head_dim,
            "num_key_value_heads": self.num_key_value_heads,
            "use_bias": self.use_bias,
            "dropout": self.dropout.rate,
            "causal": self.causal,
            "positions": self.positions,
        }
