"""Greedy search: always the most probable id."""

from kzoo.decoding.rows import highest
from kzoo.decoding.single import decode
from kzoo.decoding.step import Rules, StepFunction


def greedy(
    step,
    state,
    start_ids,
    end_id,
    max_length,
    *,
    pad_id=0,
    min_length=0,
    banned_ids=(),
    source_mask=None,
):
    """Decodes by taking the most probable id at every step; of equals, the lowest.

        y_t = argmax_v p(v | y_<t)

    Each row finishes by itself: it gives in a batch what it gives alone.

    Args:
        step: Function `(ids, state) -> (logits, state)`, see `kzoo.decoding`.
        state: The state before the first step.
        start_ids: int32 `(batch,)`, what the first step is given.
        end_id: Id that ends a row; None for rows of `max_length` ids.
        max_length: Number of ids after which a row ends anyway; an integer, or a scalar int32
            tensor where the backend can do with it, as TensorFlow's graphs.
        pad_id: Id that fills a row after its end.
        min_length: Least number of ids in a row, the end id included.
        banned_ids: Ids that are never chosen.
        source_mask: Optional boolean `(batch, source)`, True where the source is no padding; asks
            for alignments, which `step` then returns as a third value, `(batch, source)`.

    Returns:
        `Decoded`.

    Example, of a step function that counts down to the end id 1:

    >>> from keras import ops
    >>> step = lambda ids, state: (ops.one_hot(ids - 1, 5), state)
    >>> decoded = greedy(step, (), [4, 2], end_id=1, max_length=4)
    >>> ops.convert_to_numpy(decoded.ids).tolist()
    [[3, 2, 1, 0], [1, 0, 0, 0]]
    >>> ops.convert_to_numpy(decoded.lengths).tolist()
    [3, 1]
    """

    def choose(logits, memory):
        return highest(logits), memory

    rules = Rules(end_id, max_length, pad_id, min_length, banned_ids)
    return decode(StepFunction(step, state, start_ids, source_mask), rules, choose)
