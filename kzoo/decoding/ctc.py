"""Connectionist temporal classification: from frames to symbols, by the best path or by beams.

A frame says how likely each class is; class 0 is the blank, which separates symbols and says
nothing. A path through the classes, one a frame, stands for the symbols that are left when equal
neighbours become one and blanks are taken away: `a a 0 a b b` for `a a b`.

Source: Graves, Fernandez, Gomez and Schmidhuber 2006, "Connectionist Temporal Classification".
"""

from typing import Any, NamedTuple

import numpy as np
from keras import ops

from kzoo.decoding.checks import check_integer, check_tensor
from kzoo.decoding.loop import unroll
from kzoo.decoding.result import Decoded
from kzoo.decoding.rows import take_per_row

BLANK = 0
# The logarithm of what cannot be: its share is 0 in float32, and half precision holds it exactly.
# Frames that hold it are padding.
IMPOSSIBLE = -8192.0
# Far below any sum of logarithms, those of padding included.
_NEVER = -1e30


def ctc_greedy(log_probabilities, lengths=None):
    """Reads off the best path, as if every frame stood alone; of equals, the lowest class.

        path_t = argmax_c p_t(c)

    It takes no loop: symbols that stay move to the place that their count gives them. Source:
    Graves et al. 2006, section 3.2, "best path decoding".

    Args:
        log_probabilities: float `(batch, time, classes)`.
        lengths: Optional int `(batch,)`, the number of frames that count.

    Returns:
        `Decoded`: `ids` are `(batch, time)`, the symbols and then 0; a score is the logarithm of
        the probability of the path, which is at most that of the symbols.

    Example:

    >>> frames = np.log([[[0.1, 0.8, 0.1], [0.1, 0.8, 0.1], [0.8, 0.1, 0.1], [0.1, 0.8, 0.1]]])
    >>> decoded = ctc_greedy(frames)
    >>> ops.convert_to_numpy(decoded.ids).tolist(), ops.convert_to_numpy(decoded.lengths).tolist()
    ([[1, 1, 0, 0]], [2])
    """
    frames = _known_frames(log_probabilities, lengths)
    # Keras's argmax of floats does not convert to built-in operators.
    best, path = (x[:, :, 0] for x in ops.top_k(frames, 1))
    path = ops.cast(path, "int32")
    before = ops.pad(path, [[0, 0], [1, 0]], constant_values=BLANK)[:, :-1]
    stays = ops.logical_and(path != BLANK, path != before)
    places = ops.cumsum(ops.cast(stays, "int32"), axis=1)
    batch, time = ops.shape(path)[0], ops.shape(path)[1]
    rows = ops.expand_dims(ops.arange(batch, dtype="int32") * time, 1)
    # Each row's first symbol has the count 1. What does not stay adds 0 to some place.
    places = ops.reshape(rows + ops.maximum(places - 1, 0), (-1, 1))
    symbols = ops.reshape(ops.where(stays, path, 0), (-1,))
    ids = ops.reshape(ops.scatter(places, symbols, (batch * time,)), (batch, time))
    return Decoded(ids, ops.sum(ops.cast(stays, "int32"), axis=1), ops.sum(best, axis=1))


class _Beams(NamedTuple):
    """The most probable beginnings of each row, best first; each `(batch, beams, ...)`."""

    symbols: Any  # (batch, beams, max_length), 0 behind the last one
    sizes: Any
    last: Any
    blank: Any  # log-probability of the paths that end with the blank
    symbol: Any  # and of those that end with the last symbol


def ctc_beam_search(log_probabilities, lengths=None, *, num_beams=8, num_results=1, max_length=32):
    """Finds the most probable symbols, all paths of which count, by beams of beginnings.

    A beginning `l` is kept with the probability of its paths that end with the blank, and of those
    that end with its last symbol `e`. With the next frame `p`,

        blank(l)  <- p(blank) (blank(l) + symbol(l))
        symbol(l) <- p(e) (symbol(l) + blank(m) + symbol(m) [e is not the last symbol of m])

    where `m` is `l` without `e`, if it is kept; and `l` grows by every symbol, after a blank where
    it is its last one again. The best `num_beams` beginnings are kept at every frame.

    Sources: Graves and Jaitly 2014, "Towards End-to-End Speech Recognition with Recurrent Neural
    Networks", Algorithm 1; Hannun et al. 2014, "First-Pass Large Vocabulary Continuous Speech
    Recognition using Bi-Directional Recurrent DNNs" (arXiv 1408.2873), Algorithm 1, without a
    language model.

    The cost is linear in time: beginnings are compared symbol by symbol, and hold `max_length` at
    most.

    Args:
        log_probabilities: float `(batch, time, classes)`; below -8192, as where a probability is 0,
            they count as that.
        lengths: Optional int `(batch,)`, the number of frames that count.
        num_beams: Number of beginnings that are kept.
        num_results: Number of hypotheses to return a row, `num_beams` at most.
        max_length: Number of symbols of a hypothesis, at most.

    Returns:
        `Decoded`, best first: `ids` are int32 `(batch, num_results, max_length)`, the symbols and
        then 0; a score is the logarithm of the probability of the symbols, as far as their
        beginnings were kept. Where there are fewer hypotheses than `num_results`, the rest have
        length 0 and score -inf.

    Example, where the best path is empty, and the symbol 1 has more paths:

    >>> frames = np.log([[[0.6, 0.4], [0.6, 0.4]]])
    >>> decoded = ctc_beam_search(frames, num_beams=2, num_results=2, max_length=3)
    >>> ops.convert_to_numpy(decoded.ids).tolist()
    [[[1, 0, 0], [0, 0, 0]]]
    >>> [round(float(x), 2) for x in ops.exp(decoded.scores[0])]
    [0.64, 0.36]
    """
    check_integer("num_beams", num_beams, 1)
    check_integer("num_results", num_results, 1, num_beams)
    check_integer("max_length", max_length, 1)
    frames = ops.transpose(_known_frames(log_probabilities, lengths), (1, 0, 2))
    # Of infinities the difference is NaN.
    frames = ops.maximum(frames, IMPOSSIBLE)

    def step(t, beams):
        return _advance(beams, frames[t], max_length), []

    start = _start(frames, num_beams, max_length)
    beams, _ = unroll(step, start, ops.shape(frames)[0], [], lambda t, beams: True)
    scores = _add(beams.blank, beams.symbol)
    scores = ops.where(scores <= _NEVER / 2, -np.inf, scores)
    found = beams.symbols, beams.sizes, scores
    return Decoded(*(x[:, :num_results] for x in found))


def _known_frames(log_probabilities, lengths):
    """The frames as float32; those beyond a length say the blank, for certain."""
    frames = ops.convert_to_tensor(log_probabilities)
    check_tensor("log_probabilities", frames, "float", ("batch", "time", "classes"))
    frames = ops.cast(frames, "float32")
    if lengths is None:
        return frames
    lengths = ops.convert_to_tensor(lengths)
    check_tensor("lengths", lengths, "int", (frames.shape[0],))
    numbers = ops.expand_dims(ops.arange(ops.shape(frames)[1], dtype="int32"), 0)
    counts = numbers < ops.expand_dims(ops.cast(lengths, "int32"), 1)
    padding = np.where(np.arange(frames.shape[2]) == BLANK, 0.0, IMPOSSIBLE).astype("float32")
    return ops.where(ops.expand_dims(counts, 2), frames, padding)


def _start(frames, num_beams, max_length):
    """Every row begins with no symbols; its other beams, equal to the first, never count."""
    zeros = ops.repeat(ops.zeros_like(frames[0, :, :1]), num_beams, axis=1)
    numbers = ops.cast(zeros, "int32")
    symbols = ops.repeat(ops.expand_dims(numbers, 2), max_length, axis=2)
    blank = ops.where(np.arange(num_beams) == 0, zeros, _NEVER)
    return _Beams(symbols, numbers, numbers, blank, zeros + _NEVER)


def _advance(beams, frame, max_length):
    """Returns the beams after one more frame, `(batch, classes)`."""
    num_beams, num_classes = beams.last.shape[1], frame.shape[1]
    both = _add(beams.blank, beams.symbol)
    is_last = ops.one_hot(beams.last, num_classes, dtype="float32")
    frame = ops.expand_dims(frame, 1)
    of_last = ops.sum(is_last * frame, axis=2)

    # Each beginning, with each symbol behind it.
    grown = frame + ops.where(
        is_last > 0, ops.expand_dims(beams.blank, 2), ops.expand_dims(both, 2)
    )
    is_blank = np.arange(num_classes) == BLANK
    never = ops.logical_or(ops.expand_dims(beams.sizes >= max_length, 2), frame <= IMPOSSIBLE)
    grown = ops.where(ops.logical_or(never, is_blank), _NEVER, grown)

    # Where that is another one which is kept, it adds to it.
    is_next = _is_next(beams)
    joined = ops.where(is_next > 0, ops.matmul(grown, ops.transpose(is_last, (0, 2, 1))), _NEVER)
    symbol = _add(beams.symbol + of_last, ops.max(joined, axis=1))
    grown = ops.where(ops.matmul(is_next, is_last) > 0, _NEVER, grown)

    blank = both + frame[:, :, BLANK]
    totals = ops.concatenate(
        [_add(blank, symbol), ops.reshape(grown, (-1, num_beams * num_classes))], axis=1
    )
    best, picked = ops.top_k(totals, num_beams)
    picked = ops.cast(picked, "int32")
    is_grown = picked >= num_beams
    place = ops.where(is_grown, picked - num_beams, picked * num_classes)
    parents = ops.floor_divide(place, num_classes)
    new = ops.mod(place, num_classes)

    symbols, sizes, last, blank, symbol = take_per_row([*beams[:3], blank, symbol], parents)
    is_end = np.arange(max_length) == ops.expand_dims(sizes, 2)
    is_new = ops.logical_and(is_end, ops.expand_dims(is_grown, 2))
    return _Beams(
        ops.where(is_new, ops.expand_dims(new, 2), symbols),
        sizes + ops.cast(is_grown, "int32"),
        ops.where(is_grown, new, last),
        ops.where(is_grown, _NEVER, blank),
        ops.where(is_grown, best, symbol),
    )


def _is_next(beams):
    """Whether a beginning (second axis) becomes another (third axis) by one symbol, 0 or 1."""
    one, other = ops.expand_dims(beams.symbols, 2), ops.expand_dims(beams.symbols, 1)
    # What is one symbol longer is equal but at that symbol, where the shorter one has its 0.
    differs = ops.sum(ops.cast(one != other, "int32"), axis=3)
    longer = ops.expand_dims(beams.sizes, 1) - ops.expand_dims(beams.sizes, 2)
    same = ops.equal(differs, 1)
    # With a difference of one symbol, and one symbol more, that is where the difference is.
    return ops.cast(ops.logical_and(same, ops.equal(longer, 1)), "float32")


def _add(a, b):
    """log(exp(a) + exp(b))."""
    return ops.maximum(a, b) + ops.log(1 + ops.exp(-ops.abs(a - b)))
