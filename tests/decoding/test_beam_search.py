"""Beam search against enumeration of everything, and against a plain one in NumPy."""

import functools
import math

import numpy as np
import pytest
from keras import ops

from kzoo.decoding import (
    beam_search,
    gnmt_length_penalty,
    greedy,
    score,
    simple_length_penalty,
)
from tests.decoding.steps import (
    END,
    exhaustive,
    hypotheses,
    log_softmax,
    markov,
    numpy,
    plain_beam_search,
    read,
    rows_of,
    speller,
)

PENALTIES = {
    "none": (None, lambda n: 1.0),
    "gnmt": (gnmt_length_penalty(0.7), lambda n: ((5 + n) / 6) ** 0.7),
    "simple": (simple_length_penalty(1.0), lambda n: float(n)),
}


def assert_same(got, expected):
    """The same hypotheses in the same order with the same scores."""
    for row, pairs in zip(got, expected, strict=True):
        assert [ids for _, ids in row] == [ids for _, ids in pairs]
        np.testing.assert_allclose([s for s, _ in row], [s for s, _ in pairs], rtol=1e-4)


@pytest.mark.parametrize(
    ("vocabulary", "max_length", "penalty"),
    [(4, 4, "none"), (5, 3, "gnmt"), (6, 3, "simple"), (4, 5, "simple"), (3, 5, "gnmt")],
)
def test_a_wide_beam_finds_everything(vocabulary, max_length, penalty):
    tables, step, state, start = markov(4, vocabulary, seed=vocabulary)
    ours, theirs = PENALTIES[penalty]
    everything = len(list(hypotheses(vocabulary, max_length)))
    num_beams = vocabulary**max_length
    assert num_beams > everything
    decoded = beam_search(
        step, state, start, END, max_length, num_beams=num_beams, length_penalty=ours
    )
    expected = [
        exhaustive(table, start[row], max_length, theirs) for row, table in enumerate(tables)
    ]
    # All of them, to the last, each once; the places beyond them stay empty.
    assert_same(rows_of(decoded), expected)
    assert np.isneginf(numpy(decoded.scores)[:, everything:]).all()
    assert (numpy(decoded.ids)[:, everything:] == 0).all()


@pytest.mark.parametrize(
    ("num_beams", "penalty", "options"),
    [
        (1, "simple", {}),
        (2, "none", {}),
        (3, "gnmt", {}),
        (5, "simple", {}),
        (8, "gnmt", {}),
        (3, "none", {"min_length": 3}),
        (4, "simple", {"min_length": 5, "banned": (3,)}),
        (5, "gnmt", {"banned": (2, 4)}),
        (9, "none", {"banned": (1, 2, 3, 4)}),
    ],
    ids=str,
)
def test_a_narrow_beam_equals_the_plain_one(num_beams, penalty, options):
    tables, step, state, start = markov(24, 6, seed=num_beams, spread=2.0)
    ours, theirs = PENALTIES[penalty]
    decoded = beam_search(
        step,
        state,
        start,
        END,
        7,
        num_beams=num_beams,
        length_penalty=ours,
        min_length=options.get("min_length", 0),
        banned_ids=options.get("banned", ()),
    )
    expected = [
        plain_beam_search(table, start[row], 7, num_beams, theirs, **options)
        for row, table in enumerate(tables)
    ]
    # The plain search never stops early, so this also shows that stopping early loses nothing.
    assert_same(rows_of(decoded), expected)


def test_early_stopping_takes_the_first_that_finish():
    tables, step, state, start = markov(24, 6, seed=7, spread=2.0)
    ours, theirs = PENALTIES["simple"]
    options = {"num_beams": 3, "length_penalty": ours}
    eager = beam_search(step, state, start, END, 8, early_stopping=True, **options)
    patient = beam_search(step, state, start, END, 8, **options)
    expected = [
        plain_beam_search(table, start[row], 8, 3, theirs, eager=True)
        for row, table in enumerate(tables)
    ]
    assert_same(rows_of(eager), expected)
    assert (numpy(eager.scores)[:, 0] <= numpy(patient.scores)[:, 0] + 1e-6).all()
    assert (numpy(eager.scores)[:, 0] < numpy(patient.scores)[:, 0] - 1e-3).any()


def test_one_beam_without_penalty_is_greedy():
    _, step, state, start = markov(30, 6, seed=2)
    beam = beam_search(step, state, start, END, 9, num_beams=1)
    alone = greedy(step, state, start, END, 9)
    np.testing.assert_array_equal(numpy(beam.ids)[:, 0], alone.ids)
    np.testing.assert_array_equal(numpy(beam.lengths)[:, 0], alone.lengths)
    np.testing.assert_allclose(numpy(beam.scores)[:, 0], alone.scores, rtol=1e-5)


def test_scores_without_penalty_are_those_of_the_ids():
    _, step, state, start = markov(9, 6, seed=4)
    decoded = beam_search(step, state, start, END, 6, num_beams=3)
    for k in range(3):
        ids, lengths = numpy(decoded.ids)[:, k], numpy(decoded.lengths)[:, k]
        expected = score(step, state, start, ids, lengths)
        np.testing.assert_allclose(numpy(decoded.scores)[:, k], expected, rtol=1e-5)


def test_a_row_gives_in_a_batch_what_it_gives_alone():
    _, step, state, start = markov(4, 6, seed=5)
    search = functools.partial(beam_search, num_beams=3, length_penalty=gnmt_length_penalty(1.0))
    together = search(step, state, start, END, 70, pad_id=-1)
    assert len(set(numpy(together.lengths)[:, 0])) > 1
    for row in range(4):
        one = slice(row, row + 1)
        alone = search(step, tuple(s[one] for s in state), start[one], END, 70, pad_id=-1)
        for x, y in zip(alone[:3], together[:3], strict=True):
            np.testing.assert_array_equal(numpy(x)[0], numpy(y)[row])


def test_fewer_results_are_the_best_ones():
    _, step, state, start = markov(20, 6, seed=6)
    options = {"num_beams": 4, "length_penalty": gnmt_length_penalty(0.6)}
    everything = beam_search(step, state, start, END, 8, **options)
    best = beam_search(step, state, start, END, 8, num_results=2, **options)
    assert numpy(best.ids).shape == (20, 2, 8)
    for x, y in zip(best[:3], everything[:3], strict=True):
        np.testing.assert_array_equal(x, numpy(y)[:, :2])


def test_spells_long_words_with_padding():
    words = ["abracadabra", "no", ""]
    decoded = beam_search(*speller(words, sharpness=8.0), END, 90, num_beams=3, pad_id=-7)
    best = decoded._replace(ids=decoded.ids[:, 0], lengths=decoded.lengths[:, 0])
    assert read(best) == words
    ids, lengths = numpy(decoded.ids), numpy(decoded.lengths)
    for row in range(3):
        for k in range(3):
            end = lengths[row, k]
            assert ids[row, k, end - 1] == END
            assert (ids[row, k, end:] == -7).all()
            assert (ids[row, k, :end] >= 0).all()


def test_maximum_length_one_with_a_beam_wider_than_the_vocabulary():
    tables, step, state, start = markov(3, 4, seed=8)
    decoded = beam_search(step, state, start, END, 1, num_beams=6, pad_id=9)
    for row, table in enumerate(tables):
        logs = log_softmax(table[0, 0, start[row]])
        order = np.argsort(-logs)
        assert numpy(decoded.ids)[row, :, 0].tolist() == [*order, 9, 9]
        np.testing.assert_allclose(numpy(decoded.scores)[row, :4], logs[order], rtol=1e-5)
    assert numpy(decoded.lengths).tolist() == [[1, 1, 1, 1, 0, 0]] * 3
    assert np.isneginf(numpy(decoded.scores)[:, 4:]).all()


def test_of_equals_the_lower_ids_come_first():
    decoded = beam_search(
        lambda ids, s: (ops.zeros_like(ids, dtype="float32")[:, None] + np.zeros(4, "float32"), s),
        (),
        [0],
        end_id=3,
        max_length=2,
        num_beams=3,
        min_length=2,
    )
    assert numpy(decoded.ids).tolist() == [[[0, 0], [0, 1], [0, 2]]]


def test_impossible_ids_leave_places_empty():
    # Only id 1 and then the end are possible.
    table = np.full((3, 3), -np.inf, "float32")
    table[0, 1] = table[1, 2] = 0
    step = lambda ids, s: (ops.take(table, ids, axis=0), s)  # noqa: E731
    decoded = beam_search(step, (), [0], end_id=2, max_length=2, num_beams=3)
    assert numpy(decoded.ids)[0, 0].tolist() == [1, 2]
    assert numpy(decoded.lengths).tolist() == [[2, 0, 0]]
    assert numpy(decoded.scores).tolist() == [[0.0, -math.inf, -math.inf]]
