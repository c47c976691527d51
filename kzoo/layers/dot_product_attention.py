"""Scaled dot-product attention of many heads: the equations, and the masks as what they add."""

from keras import ops

from kzoo.layers.attention import LOWEST


def dot_product_attention(queries, keys, values, bias=None, dropout=None):
    """Attends with every head.

        weights = softmax(q k^T / sqrt(head_dim) + bias),   context = weights v

    With fewer key heads than query heads, neighbouring query heads share one: query head `h` reads
    key head `h // (num_heads / num_key_value_heads)`.

    Source: Vaswani et al. 2017, "Attention Is All You Need" (arXiv 1706.03762), Eq. 1; grouped
    queries: Ainslie et al. 2023 (arXiv 2305.13245), section 2.2.

    Args:
        queries: `(batch, time, num_heads, head_dim)`.
        keys: `(batch, source, num_key_value_heads, head_dim)`.
        values: Like `keys`.
        bias: Optional, broadcastable to `(batch, num_heads, time, source)`.
        dropout: Optional function of the weights.

    Returns:
        The context `(batch, time, num_heads * head_dim)` and the weights
        `(batch, num_heads, time, source)`.

    Example, where the second step alone counts:

    >>> import numpy as np
    >>> x = np.array([[[[1.0]], [[5.0]]]], "float32")
    >>> bias = padding_bias(np.array([[False, True]]), "float32")
    >>> context, weights = dot_product_attention(x, x, x, bias)
    >>> ops.convert_to_numpy(context).tolist(), ops.convert_to_numpy(weights[0, 0, 0]).tolist()
    ([[[5.0], [5.0]]], [0.0, 1.0])
    """
    num_heads, head_dim = queries.shape[2:]
    num_groups = keys.shape[2]
    time, source = ops.shape(queries)[1], ops.shape(keys)[1]
    # The heads that share a key stand below each other as rows of one product.
    rows = time * (num_heads // num_groups)
    queries = ops.transpose(queries * head_dim**-0.5, (0, 2, 1, 3))
    if num_groups != num_heads:
        queries = ops.reshape(queries, (-1, num_groups, rows, head_dim))
    weights = ops.matmul(queries, ops.transpose(keys, (0, 2, 3, 1)))
    if num_groups != num_heads:
        weights = ops.reshape(weights, (-1, num_heads, time, source))
    weights = ops.softmax(weights if bias is None else weights + bias, axis=-1)
    kept = weights if dropout is None else dropout(weights)
    if num_groups != num_heads:
        kept = ops.reshape(kept, (-1, num_groups, rows, source))
    context = ops.matmul(kept, ops.transpose(values, (0, 2, 1, 3)))
    if num_groups != num_heads:
        context = ops.reshape(context, (-1, num_heads, time, head_dim))
    context = ops.transpose(context, (0, 2, 1, 3))
    return ops.reshape(context, (-1, time, num_heads * head_dim)), weights


def padding_bias(mask, dtype):
    """Returns the bias `(batch, 1, 1, source)` that hides what a mask `(batch, source)` hides."""
    hidden = (1 - ops.cast(mask, dtype)) * LOWEST
    return ops.expand_dims(ops.expand_dims(hidden, 1), 1)


def causal_bias(time, source, start, dtype):
    """Returns the bias `(time, source)` that hides from step `start + t` all that is after it.

    Example:

    >>> ops.convert_to_numpy(causal_bias(2, 3, 0, "float32") < 0).tolist()
    [[False, True, True], [False, False, True]]
    """
    queries = start + ops.expand_dims(ops.arange(time, dtype="int32"), 1)
    keys = ops.expand_dims(ops.arange(source, dtype="int32"), 0)
    return ops.cast(keys > queries, dtype) * LOWEST
