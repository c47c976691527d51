"""What incremental attention remembers, and where the steps that come next belong in it.

The keys and values of a layer are `(batch, max_length, num_key_value_heads, head_dim)`, and all
layers share one place: the slot of the next step and which slots count. Every row writes to the
same slot, also where the row has padding there; that padding is never attended to and has no
position, so a row gives what it gives alone.
"""

from typing import Any, NamedTuple

from keras import ops

from kzoo.layers.dot_product_attention import causal_bias, padding_bias


class Span(NamedTuple):
    """The steps that enter a cache now."""

    start: Any  # int32 scalar, the slot of the first
    positions: Any  # int32 (batch, time), how many steps of the row count before each
    mask: Any  # int32 (batch, max_length), one at the slots that count, the new ones among them
    bias: Any  # broadcastable to (batch, heads, time, max_length), hides all that is not seen


def begin_place(batch_size, max_length):
    """Returns the place before the first step: the slot of the next, and which slots count.

    Example:

    >>> place = begin_place(2, 5)
    >>> tuple(place["position"].shape), tuple(place["mask"].shape)
    ((2,), (2, 5))
    """
    return {
        "position": ops.zeros((batch_size,), "int32"),
        "mask": ops.zeros((batch_size, max_length), "int32"),
    }


def advance(place, mask, dtype):
    """Makes room for steps.

    Args:
        place: What `begin_place` or `advance` returned.
        mask: int32 `(batch, time)`, one where the new steps count.
        dtype: Type of the bias.

    Returns:
        The place after the steps, and the `Span` of the steps.

    Example:

    >>> place, span = advance(begin_place(1, 4), ops.ones((1, 3), "int32"), "float32")
    >>> place, span = advance(place, ops.ones((1, 1), "int32"), "float32")
    >>> int(span.start), int(span.positions[0, 0]), int(place["position"][0])
    (3, 3, 4)
    """
    time, start = ops.shape(mask)[1], place["position"][0]
    before = ops.sum(place["mask"], axis=1, keepdims=True)
    seen = ops.slice_update(place["mask"], (0, start), mask)
    bias = padding_bias(seen, dtype)
    if mask.shape[1] == 1:
        positions = before + mask - 1
    else:
        positions = before + ops.cumsum(mask, axis=1) - 1
        bias = ops.minimum(bias, causal_bias(time, ops.shape(seen)[1], start, dtype))
    return {"position": place["position"] + time, "mask": seen}, Span(start, positions, seen, bias)


def write(cache, span, new):
    """Returns the cache with new keys or values `(batch, time, heads, head_dim)` in their slots."""
    return ops.slice_update(cache, (0, span.start, 0, 0), new)
