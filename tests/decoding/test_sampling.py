"""Sampling: frequencies, filters, seeds, and the same ids on every backend."""

import numpy as np
import pytest
from keras import ops

from kzoo.decoding import greedy, sample, score
from kzoo.decoding.random_numbers import next_uniform, seed_rows
from kzoo.decoding.sampling import draw
from tests.decoding.steps import END, log_softmax, markov, numpy

ROWS = 20_000
LOGITS = np.array([-1.0, 0.3, 1.2, 0.31, -2.0, 0.9], "float32")
# 99.9 % quantiles of the chi-square distribution by degrees of freedom.
QUANTILE = {1: 10.83, 2: 13.82, 3: 16.27, 4: 18.47, 5: 20.52, 15: 37.70, 31: 61.10, 255: 330.5}


def chi_square(counts, probabilities):
    """The statistic, and its quantile; ids of probability zero must not have been drawn."""
    possible = probabilities > 0
    assert not counts[~possible].any()
    expected = probabilities[possible] * counts.sum()
    statistic = ((counts[possible] - expected) ** 2 / expected).sum()
    return statistic, QUANTILE[possible.sum() - 1]


def constant(ids, state):
    """Logits that are the same for all rows and steps."""
    return ops.expand_dims(ops.zeros_like(ids, dtype="float32"), 1) + LOGITS, state


def filtered(temperature=1.0, top_k=None, top_p=None, banned=()):
    """The distribution that should be drawn from."""
    logits = LOGITS.astype("float64") / temperature
    logits[list(banned)] = -np.inf
    order = np.argsort(-logits, kind="stable")
    probabilities = np.exp(logits) / np.exp(logits).sum()
    if top_k is not None:
        probabilities[order[top_k:]] = 0
        probabilities /= probabilities.sum()
    if top_p is not None:
        needed = np.searchsorted(np.cumsum(probabilities[order]), top_p) + 1
        probabilities[order[needed:]] = 0
        probabilities /= probabilities.sum()
    return probabilities


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"temperature": 0.5},
        {"temperature": 3.0},
        {"top_k": 3},
        {"top_k": 100},
        {"top_p": 0.7},
        {"top_p": 1.0},
        {"top_k": 4, "top_p": 0.8, "temperature": 1.5},
        {"top_p": 0.9, "banned": (2, 4)},
    ],
    ids=str,
)
def test_frequencies_are_probabilities(options):
    arguments = {key: value for key, value in options.items() if key != "banned"}
    decoded = sample(
        constant,
        (),
        np.zeros(ROWS, "int32"),
        END,
        1,
        seed=11,
        banned_ids=options.get("banned", ()),
        **arguments,
    )
    counts = np.bincount(numpy(decoded.ids)[:, 0], minlength=len(LOGITS))
    statistic, quantile = chi_square(counts, filtered(**options))
    assert statistic < quantile


def test_top_k_of_one_and_a_tiny_top_p_are_greedy():
    _, step, state, start = markov(8, 6, seed=0)
    expected = greedy(step, state, start, END, 8)
    for options in ({"top_k": 1}, {"top_p": 1e-6}, {"temperature": 1e-3}):
        decoded = sample(step, state, start, END, 8, seed=1, **options)
        np.testing.assert_array_equal(decoded.ids, expected.ids)


def test_of_equals_the_lowest_ids_are_kept():
    logits = np.zeros((500, 6), "float32")
    u = (np.arange(500, dtype="float32") + 0.5) / 500
    assert set(numpy(draw(logits, u, top_k=2))) == {0, 1}
    assert set(numpy(draw(logits, u, top_p=0.45))) == {0, 1, 2}


def test_draw_never_takes_what_is_impossible():
    logits = np.full((4, 5), -np.inf, "float32")
    logits[:, [1, 3]] = 0
    u = np.array([0.0, 0.49999997, 0.5, 1 - 2.0**-24], "float32")
    assert numpy(draw(logits, u)).tolist() == [1, 1, 3, 3]
    assert numpy(draw(logits, u, top_k=4, top_p=1.0)).tolist() == [1, 1, 3, 3]


def test_steps_follow_the_distribution_given_the_past():
    tables, step, _, _ = markov(1, 4, seed=3)
    zeros = np.zeros(ROWS, "int32")
    decoded = sample(step, (zeros, zeros), zeros, END, 3, seed=5, min_length=3)
    ids = numpy(decoded.ids)
    logits = tables[0].copy()
    logits[:2, :, :, END] = -np.inf
    probabilities = np.exp(log_softmax(logits))
    first = probabilities[0, 0, 0]
    joint = first[:, None, None] * probabilities[1, 0][:, :, None] * probabilities[2]
    counts = np.zeros((4, 4, 4))
    np.add.at(counts, tuple(ids.T), 1)
    assert not counts[joint == 0].any()
    expected = joint * ROWS
    kept = expected > 5
    statistic = ((counts - expected)[kept] ** 2 / expected[kept]).sum()
    # Three standard deviations above the mean.
    assert statistic < kept.sum() + 3 * np.sqrt(2 * kept.sum())


def test_repetition_penalty_equals_its_formula():
    # With k = 1 it is deterministic: the best id after the penalty.
    logits = np.array([[-9.0, 2.0, 1.9, -0.1, 1.0]] * 2, "float32")
    decoded = sample(
        lambda ids, s: (ops.convert_to_tensor(logits), s),
        (),
        [0, 3],
        END,
        4,
        top_k=1,
        repetition_penalty=4.0,
    )
    # 2.0, 1.9, 1.0 one after the other; then 0.5 for id 1 against 0.475, -0.1 and 0.25.
    assert numpy(decoded.ids).tolist() == [[1, 2, 4, 1]] * 2
    negative = sample(
        lambda ids, s: (ops.convert_to_tensor(-1 - np.abs(logits)), s),
        (),
        [0, 3],
        END,
        4,
        top_k=1,
        repetition_penalty=4.0,
    )
    # -1.1, then -2; -2.9 and -3 follow, and beat -4.4 for id 3.
    assert numpy(negative.ids).tolist() == [[3, 4, 2, 1]] * 2


def test_a_penalty_of_one_changes_nothing_and_a_tiny_one_repeats():
    _, step, state, start = markov(5, 6, seed=1)
    plain = sample(step, state, start, None, 9, seed=3)
    given = sample(step, state, start, None, 9, seed=3, repetition_penalty=ops.ones(()))
    np.testing.assert_array_equal(given.ids, plain.ids)
    tiny = sample(constant, (), start, None, 9, seed=3, top_k=1, repetition_penalty=1e-30)
    assert numpy(tiny.ids).tolist() == [[2] * 9] * 5


def test_scores_are_of_the_unchanged_distribution():
    _, step, state, start = markov(10, 6, seed=1)
    decoded = sample(
        step, state, start, END, 8, seed=2, temperature=2.0, top_k=4, repetition_penalty=1.5
    )
    expected = score(step, state, start, decoded.ids, decoded.lengths)
    np.testing.assert_allclose(decoded.scores, expected, rtol=1e-5)


def test_a_seed_decides_everything():
    _, step, state, start = markov(6, 6, seed=1)
    first = sample(step, state, start, END, 20, seed=4)
    again = sample(step, state, start, END, 20, seed=np.int32(4))
    other = sample(step, state, start, END, 20, seed=5)
    np.testing.assert_array_equal(first.ids, again.ids)
    assert (numpy(first.ids) != numpy(other.ids)).any()


def test_with_a_seed_for_each_a_row_gives_in_a_batch_what_it_gives_alone():
    _, step, state, start = markov(4, 6, seed=1)
    seeds = np.array([7, 7, 2**31 - 1, 0], "int32")
    together = sample(step, state, start, END, 20, seed=seeds)
    for row in range(4):
        one = slice(row, row + 1)
        alone = sample(step, tuple(s[one] for s in state), start[one], END, 20, seed=seeds[one])
        np.testing.assert_array_equal(numpy(alone.ids)[0], numpy(together.ids)[row])
    same = sample(constant, (), [0, 0, 0], END, 20, seed=[7, 7, 8])
    ids = numpy(same.ids)
    assert (ids[0] == ids[1]).all()
    assert (ids[0] != ids[2]).any()


def uniforms(rows, steps, seed=0):
    """Draws `(steps, rows)`."""
    state, drawn = seed_rows(seed, rows), []
    for _ in range(steps):
        u, state = next_uniform(state)
        drawn.append(numpy(u))
    return np.stack(drawn)


def test_uniforms_have_their_resolution_and_range():
    u = uniforms(50_000, 2)
    assert u.dtype == np.float32
    assert 0 <= u.min() < 1e-4
    assert 1 - 1e-4 < u.max() < 1
    np.testing.assert_array_equal(u * 2**24, np.floor(u * 2**24))
    assert len(np.unique(u)) > 0.99 * u.size


@pytest.mark.parametrize(
    "pairs",
    [
        lambda: uniforms(30_000, 1)[0],
        lambda: uniforms(3, 10_000).ravel(),
        # Each step beside the next one of its row.
        lambda: uniforms(15, 2_000).T.ravel(),
        # One row of many neighbouring seeds.
        lambda: uniforms(30_000, 1, seed=np.arange(30_000, dtype="int32"))[0],
        lambda: uniforms(30_000, 1, seed=np.arange(0, 30_000 * 65_536, 65_536, dtype="int32"))[0],
    ],
    ids=["rows", "rows of many steps", "steps", "seeds", "far seeds"],
)
def test_uniforms_are_uniform_and_neighbours_independent(pairs):
    u = pairs()
    cells = (u[:-1] * 16).astype(int) * 16 + (u[1:] * 16).astype(int)
    statistic, quantile = chi_square(np.bincount(cells, minlength=256), np.full(256, 1 / 256))
    assert statistic < quantile
    # Nor are they too even, as a lattice would be: the 0.1 % quantile.
    assert statistic > 190.9
    # The low bits as well.
    low = (u * 2**24).astype(int) % 32
    statistic, quantile = chi_square(np.bincount(low, minlength=32), np.full(32, 1 / 32))
    assert statistic < quantile


def test_different_seeds_and_rows_have_different_states():
    seeds = np.concatenate([np.arange(20_000), 2**31 - 1 - np.arange(20_000)]).astype("int32")
    assert len(np.unique(numpy(seed_rows(seeds, 40_000)), axis=0)) == 40_000
    # More rows than each of the moduli.
    states = numpy(seed_rows(9, 100_000))
    assert len(np.unique(states, axis=0)) == 100_000
    assert (states > 0).all()
