"""Coverage, alignments and diverse groups of beam search."""

import itertools

import numpy as np
import pytest

from kzoo.decoding import beam_search, gnmt_length_penalty, loop
from tests.decoding.steps import END, exhaustive, hypotheses, log_softmax, markov, numpy, rows_of

SOURCE = 5


@pytest.mark.parametrize("num_groups", [1, 2])
def test_coverage_penalty_equals_its_formula(num_groups):
    tables, alignments, step, state, start = markov(3, 4, seed=0, source=SOURCE)
    # Padded positions have no attention, and must not count as uncovered.
    mask = np.arange(SOURCE) < np.array([[5], [3], [4]])
    alignments *= mask[:, None]
    num_beams = 2 * 4**3
    decoded = beam_search(
        step,
        state,
        start,
        END,
        3,
        num_beams=num_beams,
        num_groups=num_groups,
        num_results=num_beams // num_groups,
        coverage_penalty=0.4,
        length_penalty=gnmt_length_penalty(0.5),
        source_mask=mask,
    )

    for row, table in enumerate(tables):

        def bonus(ids, row=row):
            fed = [start[row], *ids[:-1]]
            coverage = alignments[row][fed].sum(axis=0)[mask[row]]
            return 0.4 * np.log(np.minimum(coverage, 1)).sum()

        expected = exhaustive(table, start[row], 3, lambda n: ((5 + n) / 6) ** 0.5, bonus)
        if num_groups == 2:
            # Without a penalty both groups find the same.
            expected = [pair for pair in expected for _ in range(2)]
        got = rows_of(decoded)[row]
        expected = expected[: len(got)]
        assert len(got) >= len(list(hypotheses(4, 3)))
        assert [ids for _, ids in got] == [ids for _, ids in expected]
        np.testing.assert_allclose([s for s, _ in got], [s for s, _ in expected], rtol=1e-4)


def test_attention_to_nothing_costs_much_but_not_infinity():
    _, alignments, step, state, start = markov(2, 4, seed=1, source=SOURCE)
    alignments[:, :, 0] = 0
    options = {"coverage_penalty": 1.0, "source_mask": np.ones((2, SOURCE), bool)}
    decoded = beam_search(step, state, start, END, 3, **options)
    assert np.isfinite(numpy(decoded.scores)).all()
    assert (numpy(decoded.scores) < np.log(1e-6)).all()


@pytest.mark.parametrize("block", [64, 4])
def test_alignments_follow_the_hypotheses(block, monkeypatch):
    monkeypatch.setattr(loop, "BLOCK", block)
    _, alignments, step, state, start = markov(6, 5, seed=2, source=SOURCE)
    decoded = beam_search(
        step, state, start, END, 9, num_beams=4, source_mask=np.ones((6, SOURCE), bool)
    )
    ids, lengths, got = (numpy(x) for x in (decoded.ids, decoded.lengths, decoded.alignments))
    assert got.shape == (6, 4, 9, SOURCE)
    assert len(set(lengths.ravel())) > 2
    for row in range(6):
        for k in range(4):
            length = lengths[row, k]
            fed = [start[row], *ids[row, k, : length - 1]]
            np.testing.assert_allclose(got[row, k, :length], alignments[row][fed], rtol=1e-6)
            assert not got[row, k, length:].any()


def plain_diverse(table, start, max_length, width, num_groups, diversity):
    """Diverse beam search on one row, without an early finish; the best of all groups first."""
    logs = log_softmax(table)
    live = [[(0.0, ())] for _ in range(num_groups)]
    finished = [[] for _ in range(num_groups)]
    for length in range(1, max_length + 1):
        taken = np.zeros(table.shape[-1])
        for group in range(num_groups):
            continuations = []
            for place, (score, ids) in enumerate(live[group]):
                path = [0, start, *ids]
                for new in range(table.shape[-1]):
                    total = score + logs[length - 1, path[-2], path[-1], new]
                    rank = -(total - diversity * taken[new])
                    continuations.append((rank, place, new, total, (*ids, new)))
            continuations.sort()
            for _, _, new, total, ids in continuations[:width]:
                if new == END or length == max_length:
                    finished[group].append((total, ids))
            finished[group] = sorted(finished[group], key=lambda pair: -pair[0])[:width]
            going = [c for c in continuations if c[2] != END][:width]
            live[group] = [(total, ids) for *_, total, ids in going]
            for _, _, new, _, _ in going:
                taken[new] += 1
    return sorted(itertools.chain(*finished), key=lambda pair: -pair[0])


@pytest.mark.parametrize(
    ("width", "num_groups", "diversity"), [(1, 3, 1.0), (2, 2, 0.5), (3, 2, 9)]
)
def test_diverse_groups_equal_the_plain_search(width, num_groups, diversity):
    tables, step, state, start = markov(16, 6, seed=3)
    decoded = beam_search(
        step,
        state,
        start,
        END,
        5,
        num_beams=width * num_groups,
        num_groups=num_groups,
        diversity_penalty=diversity,
    )
    for row, got in enumerate(rows_of(decoded)):
        expected = plain_diverse(tables[row], start[row], 5, width, num_groups, diversity)
        assert [ids for _, ids in got] == [ids for _, ids in expected]
        np.testing.assert_allclose([s for s, _ in got], [s for s, _ in expected], rtol=1e-4)


def test_diversity_makes_first_ids_differ():
    _, step, state, start = markov(10, 6, seed=4)
    options = {"num_beams": 3, "num_groups": 3}
    alike = numpy(beam_search(step, state, start, END, 6, **options).ids)[:, :, 0]
    diverse = numpy(
        beam_search(step, state, start, END, 6, diversity_penalty=100.0, **options).ids
    )[:, :, 0]
    assert all(len(set(row)) == 1 for row in alike)
    # Groups do not avoid an id that ended an earlier one, only what earlier ones live on with.
    others = [[i for i in row if i != END] for row in diverse]
    assert all(len(set(row)) == len(row) for row in others)
