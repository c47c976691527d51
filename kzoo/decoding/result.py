"""What decoding returns."""

from typing import Any, NamedTuple


class Decoded(NamedTuple):
    """Decoded ids and their scores; beam search puts an axis of hypotheses after the batch axis.

    Attributes:
        ids: int32 `(batch, max_length)`; the end id is the last one, then comes the pad id. A row
            without an end id was cut at the maximum length.
        lengths: int32 `(batch,)`, the number of ids before the padding, the end id included.
        scores: float32 `(batch,)`. From greedy search and sampling it is
            `sum_t log p(y_t | y_<t)` with the probabilities of the step function as they are:
            before bans, temperature and penalties.
        alignments: float32 `(batch, max_length, source)`, zero after the length; None without a
            `source_mask`.

    Example:

    >>> Decoded([[3, 1]], [2], [-0.5]).lengths
    [2]
    """

    ids: Any
    lengths: Any
    scores: Any
    alignments: Any = None
