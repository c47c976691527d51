"""The steps of beam search: one forwards, and the way back to the ids."""

from typing import Any, NamedTuple

import numpy as np
from keras import ops

from kzoo.decoding.diversity import select
from kzoo.decoding.log_total import log_total
from kzoo.decoding.loop import unroll
from kzoo.decoding.rows import repeat_rows, take_per_row, take_rows
from kzoo.decoding.wide_top_k import wide_top_k

# A source position without any attention costs as much as one with this much, and not infinity.
LEAST_COVERAGE = 1e-6


class Finished(NamedTuple):
    """The best finished hypotheses of each row, best first; each `(rows, width)`.

    Ids are not kept here: what a hypothesis is follows from where it ended, by `trace_back`.
    """

    scores: Any  # -inf where there is none
    lengths: Any
    parents: Any  # place among the live hypotheses before the last step
    ids: Any  # the last id


class Search(NamedTuple):
    """What the loop carries. A row is one group of `width` beams of one row of the batch."""

    ids: Any  # (rows * width,)
    state: Any  # list of (rows * width, ...)
    scores: Any  # (rows, width), log-probabilities of the live hypotheses, best first
    coverage: Any  # list of one (rows, width, source), or of none
    finished: Any
    done: Any  # (rows,)


class BeamSteps:
    """One step of `beam_search`, whose docstring explains it and its arguments."""

    def __init__(self, step, rules, width, options):
        self.step = step
        self.rules = rules
        self.width = width
        self.options = options
        if options.length_penalty is None:
            self.length_penalty = ops.ones_like
        else:
            self.length_penalty = options.length_penalty
        # Without a penalty nobody reads the coverage, and a runtime would carry it all the same.
        mask = step.source_mask if options.coverage_penalty else []
        self.source_mask = repeat_rows(mask, options.num_groups)
        # The beams of a row all have the same, so it need not follow them.
        self.memory = repeat_rows(step.memory, width * options.num_groups)

    def start(self):
        """Returns the `Search` before the first step."""
        num_beams = self.width * self.options.num_groups
        (ids,) = repeat_rows([self.step.ids], num_beams)
        scores = ops.zeros_like(ops.reshape(ids, (-1, self.width)), dtype="float32")
        none = scores - np.inf
        zeros = ops.zeros_like(none, dtype="int32")
        return Search(
            ids,
            repeat_rows(self.step.state, num_beams),
            # All beams begin alike, so only the first counts.
            ops.where(np.arange(self.width) == 0, scores, -np.inf),
            [ops.expand_dims(scores, 2) + 0.0 * ops.expand_dims(x, 1) for x in self.source_mask],
            Finished(none, zeros, zeros, zeros),
            ops.zeros_like(zeros[:, 0], dtype="bool"),
        )

    def goes_on(self, t, search):
        """Returns whether any row is not done."""
        return ops.logical_not(ops.all(search.done))

    def advance(self, t, search):
        """Runs one step; emits the parents and ids of the live hypotheses, and the alignments."""
        width = self.width
        logits, state, alignments = self.step(search.ids, search.state, self.memory)
        # Of every live hypothesis the continuations that can be among the chosen ones: an id that
        # other groups took is penalised, and gives its place to the next.
        count = min(width * (self.options.num_groups + 1), logits.shape[1])
        best, ids = wide_top_k(self.rules.block(logits, t), count)
        gains = best - log_total(logits)
        totals = ops.reshape(search.scores, (-1, 1)) + gains
        totals, ids = (ops.reshape(x, (-1, width * count)) for x in (totals, ids))
        picked, live = select(
            totals,
            ids,
            width,
            self.rules.end_id,
            self.options.num_groups,
            self.options.diversity_penalty,
        )
        scores, ids = take_per_row([totals, ids], picked)
        parents = ops.floor_divide(picked, count)
        coverage = [
            c + ops.reshape(a, ops.shape(c))
            for c, a in zip(search.coverage, alignments, strict=False)
        ]
        candidates = [x[:, :width] for x in (scores, parents, ids)]
        finished = self._finish(t, search, *candidates, coverage)

        # Where too few live on, `live` names candidates that have ended, which must not go on.
        scores = ops.where(ids == self.rules.end_id, -np.inf, scores)
        scores, parents, ids = take_per_row([scores, parents, ids], live)
        starts = ops.expand_dims(ops.arange(ops.shape(parents)[0], dtype="int32") * width, 1)
        beams = ops.reshape(starts + parents, (-1,))
        search = Search(
            ops.reshape(ids, (-1,)),
            [take_rows(x, beams) for x in state],
            scores,
            take_per_row(coverage, parents),
            finished,
            ops.logical_or(search.done, self._is_done(scores, finished)),
        )
        return search, [parents, ids, *alignments]

    def _finish(self, t, search, scores, parents, ids, coverage):
        """Returns the best of the finished hypotheses and of the candidates that finish now."""
        length = t + 1
        ends = ops.logical_or(ids == self.rules.end_id, length >= self.rules.max_length)
        ends = ops.logical_and(ends, ops.expand_dims(ops.logical_not(search.done), 1))
        scores = scores / self._penalty(length)
        if coverage:
            logs = ops.log(ops.clip(coverage[0], LEAST_COVERAGE, 1.0))
            logs = logs * ops.expand_dims(self.source_mask[0], 1)
            penalty = self.options.coverage_penalty * ops.sum(logs, axis=-1)
            scores = scores + take_per_row([penalty], parents)[0]
        new = Finished(ops.where(ends, scores, -np.inf), ops.zeros_like(ids) + length, parents, ids)
        both = Finished(
            *(ops.concatenate(x, axis=1) for x in zip(search.finished, new, strict=True))
        )
        best, order = ops.top_k(both.scores, self.width)
        order = ops.cast(order, "int32")
        return Finished(best, *take_per_row(both[1:], order))

    def _is_done(self, live_scores, finished):
        num_results = min(self.options.num_results, self.width)
        bound = live_scores[:, 0] / self._penalty(self.rules.max_length)
        done = bound <= finished.scores[:, num_results - 1]
        if self.options.early_stopping:
            done = ops.logical_or(done, finished.scores[:, -1] > -np.inf)
        return done

    def _penalty(self, length):
        return self.length_penalty(ops.cast(ops.convert_to_tensor(length), "float32"))


def trace_back(finished, history, max_length, pad_id):
    """Follows finished hypotheses from their last id to their first.

    Args:
        finished: `Finished`.
        history: List of the parents and the ids of the live hypotheses after each step,
            `(max_length, rows, width)`, and optionally of the alignments of those before it,
            `(max_length, rows * width, source)`.
        max_length: Integer or scalar int32 tensor.
        pad_id: Id that fills a hypothesis after its end.

    Returns:
        List of the ids `(rows, width, max_length)` and optionally the alignments
        `(rows, width, max_length, source)`.

    Example, where the live hypotheses are 5 and 6, then 6 7 and 5 8:

    >>> parents, ids = np.array([[[0, 0]], [[1, 0]]]), np.array([[[5, 6]], [[7, 8]]])
    >>> finished = Finished(*np.array([[[0, 0]], [[2, 1]], [[1, 0]], [[3, 4]]], "int32"))
    >>> history = [ops.convert_to_tensor(x, "int32") for x in (parents, ids)]
    >>> ops.convert_to_numpy(trace_back(finished, history, 2, pad_id=0)[0]).tolist()
    [[[6, 3], [4, 0]]]
    """
    parents, ids, *alignments = history
    width = finished.ids.shape[1]
    longest = ops.max(finished.lengths)

    def step(n, place):
        t = longest - 1 - n
        (before,) = take_per_row([parents[t]], place)
        place = ops.where(t < finished.lengths - 1, before, place)
        place = ops.where(t == finished.lengths - 1, finished.parents, place)
        return place, [place]

    # The loop finds places alone: what stands at them is taken at once, for all steps.
    blank = ops.zeros_like(finished.parents)
    _, (reverse,) = unroll(step, blank, max_length, [blank], lambda n, place: n < longest)
    t = ops.arange(max_length, dtype="int32")

    def follow(x, last):
        places = take_rows(reverse, ops.maximum(last - t, 0))
        (x,) = take_per_row([x], ops.reshape(places, (-1, width)))
        x = ops.reshape(x, (-1, *ops.shape(finished.ids), *ops.shape(x)[2:]))
        return ops.moveaxis(x, 0, 2)

    lengths = ops.expand_dims(finished.lengths, 2)
    # An id was chosen where the next step starts, and the last one is not among the live.
    ids = follow(ops.reshape(ids, (-1, width)), longest - 2)
    ids = ops.where(t == lengths - 1, ops.expand_dims(finished.ids, 2), ids)
    ids = ops.where(t < lengths, ids, ops.full_like(ids, pad_id))
    alignments = [
        follow(ops.reshape(x, (-1, width, ops.shape(x)[2])), longest - 1) for x in alignments
    ]
    reached = ops.expand_dims(t < lengths, 3)
    return [ids, *(ops.where(reached, x, 0.0) for x in alignments)]
