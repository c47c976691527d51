"""Beam search."""

from typing import Any, NamedTuple

from keras import ops

from kzoo.decoding.beam_steps import BeamSteps, trace_back
from kzoo.decoding.checks import check_integer, check_number
from kzoo.decoding.loop import unroll
from kzoo.decoding.result import Decoded
from kzoo.decoding.rows import repeat_rows, take_per_row
from kzoo.decoding.step import Rules, StepFunction


class _Options(NamedTuple):
    """Arguments of `beam_search`."""

    num_beams: int
    num_results: int
    length_penalty: Any
    coverage_penalty: float
    early_stopping: bool
    num_groups: int
    diversity_penalty: float


def beam_search(
    step,
    state,
    start_ids,
    end_id,
    max_length,
    *,
    num_beams=4,
    num_results=None,
    length_penalty=None,
    coverage_penalty=0.0,
    early_stopping=False,
    num_groups=1,
    diversity_penalty=0.0,
    pad_id=0,
    min_length=0,
    banned_ids=(),
    source_mask=None,
):
    """Decodes by keeping the `num_beams` most probable beginnings at every step.

    Finished hypotheses are kept apart from live ones and ranked by

        s(Y, X) = log P(Y|X) / lp(|Y|) + cp(X, Y)
        cp(X, Y) = coverage_penalty * sum_i log(min(sum_t a_ti, 1))

    where `a_ti` is how much step `t` attended to source position `i`, and `|Y|` counts the end id.
    Source: Wu et al. 2016, "Google's Neural Machine Translation System", section 7, Eq. 14. Live
    hypotheses are all of one length and are ranked by `log P` alone. At every step:

    1. the `2 * num_beams` best continuations of all live hypotheses are found; of equals, those of
       the better hypothesis come first, then those with the lower id;
    2. of the best `num_beams` of them, those with the end id are finished, and at the maximum
       length all are; the best `num_beams` finished ones of all steps are kept;
    3. the best `num_beams` without the end id live on.

    A row stops when no live hypothesis can come among its results any more: when

        log P(best live) / lp(max_length) <= s(last of the num_results best finished ones)

    which holds for the rest of time, because `log P` and `cp` are never positive and `lp` does not
    fall with length. So stopping early changes no result (the criterion of Huang et al. 2017, "When
    to Finish? Optimal Beam Search for Neural Text Generation", for a length penalty). With
    `early_stopping` it stops as well once `num_beams` hypotheses are finished: quicker, but a live
    one could have become better.

    With one beam and no penalty this is greedy search. A beam wider than the vocabulary is as good
    as any; where there are fewer hypotheses than `num_results`, the rest have length 0 and score
    -inf.

    Diverse beams: the beams are split into groups, each a beam search of its own, where at each
    step an id costs a group `diversity_penalty` for every live hypothesis of earlier groups that
    has just taken it (Vijayakumar et al. 2016, "Diverse Beam Search", with Hamming diversity). The
    penalty steers the search and is no part of a score.

    Args:
        step: Function `(ids, state) -> (logits, state)`, see `kzoo.decoding`.
        state: The state before the first step, with one row for each row of `start_ids`.
        start_ids: int32 `(batch,)`, what the first step is given.
        end_id: Id that ends a hypothesis; None for hypotheses of `max_length` ids.
        max_length: Number of ids after which a hypothesis ends anyway, as in `greedy`.
        num_beams: Number of live hypotheses a row.
        num_results: Number of hypotheses to return a row, `num_beams` by default. Fewer may stop
            earlier.
        length_penalty: Optional function of a float32 tensor of lengths, positive and not falling,
            as `gnmt_length_penalty(0.6)`; 1 by default.
        coverage_penalty: Non-negative number, the paper's beta; needs a `source_mask`.
        early_stopping: Whether to stop once `num_beams` hypotheses are finished.
        num_groups: Number of groups, a divisor of `num_beams`.
        diversity_penalty: Non-negative number, for more than one group.
        pad_id: Id that fills a hypothesis after its end.
        min_length: Least number of ids in a hypothesis, the end id included.
        banned_ids: Ids that are never chosen.
        source_mask: As in `greedy`.

    Returns:
        `Decoded`, best first, with shapes `(batch, num_results, ...)`.

    Example, where the most probable first id leads to less than the second:

    >>> table = ops.log([[0, 0, 0.6, 0.4], [0, 1, 0, 0], [0, 0.5, 0.5, 0], [0, 1, 0, 0.0]])
    >>> decoded = beam_search(
    ...     lambda ids, state: (ops.take(table, ids, axis=0), state), (), [0], 1, 3, num_beams=2
    ... )
    >>> ops.convert_to_numpy(decoded.ids).tolist()
    [[[3, 1, 0], [2, 1, 0]]]
    >>> [round(float(x), 2) for x in ops.exp(decoded.scores[0])]
    [0.4, 0.3]
    """
    rules = Rules(end_id, max_length, pad_id, min_length, banned_ids)
    options = _Options(
        num_beams,
        num_beams if num_results is None else num_results,
        length_penalty,
        coverage_penalty,
        early_stopping,
        num_groups,
        diversity_penalty,
    )
    _check(options, source_mask)
    step = StepFunction(step, state, start_ids, source_mask)
    steps = BeamSteps(step, rules, num_beams // num_groups, options)
    search = steps.start()
    zeros = ops.zeros_like(search.finished.ids)
    blank = [zeros, zeros, *map(ops.zeros_like, repeat_rows(step.source_mask, num_beams))]
    search, history = unroll(steps.advance, search, rules.max_length, blank, steps.goes_on)
    found = trace_back(search.finished, history, rules.max_length, pad_id)
    # The groups of a row side by side, and the best of them all.
    scores, lengths, *found = (
        ops.reshape(x, (-1, num_beams, *ops.shape(x)[2:])) for x in (*search.finished[:2], *found)
    )
    scores, order = ops.top_k(scores, options.num_results)
    order = ops.cast(order, "int32")
    lengths, ids, *alignments = take_per_row([lengths, *found], order)
    return Decoded(ids, lengths, scores, *alignments)


def _check(options, source_mask):
    check_integer("num_beams", options.num_beams, 1)
    check_integer("num_results", options.num_results, 1, options.num_beams)
    check_integer("num_groups", options.num_groups, 1, options.num_beams)
    for name in ("coverage_penalty", "diversity_penalty"):
        check_number(name, getattr(options, name), "of at least 0", lambda x: x >= 0)
    if options.num_beams % options.num_groups:
        raise ValueError(
            f"`num_groups` must divide num_beams={options.num_beams}. "
            f"Received: num_groups={options.num_groups}"
        )
    if options.diversity_penalty and options.num_groups == 1:
        raise ValueError(
            "`diversity_penalty` needs groups. "
            f"Received: diversity_penalty={options.diversity_penalty}, num_groups=1"
        )
    if not isinstance(options.early_stopping, bool):
        raise ValueError(
            "`early_stopping` must be True or False. "
            f"Received: early_stopping={options.early_stopping!r}"
        )
    if options.length_penalty is not None and not callable(options.length_penalty):
        raise ValueError(
            "`length_penalty` must be a function of lengths, as gnmt_length_penalty(0.6). "
            f"Received: length_penalty={options.length_penalty!r}"
        )
    if source_mask is None and options.coverage_penalty:
        raise ValueError(
            "`coverage_penalty` needs a `source_mask`, and alignments from `step`. "
            f"Received: coverage_penalty={options.coverage_penalty}, source_mask=None"
        )
