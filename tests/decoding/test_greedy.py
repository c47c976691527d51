"""Greedy search: words, ends, bans, and rows that know nothing of each other."""

import numpy as np
import pytest
from keras import ops

from kzoo.decoding import greedy, score
from tests.decoding.steps import END, markov, numpy, read, speller, walk


def test_spells_words_and_pads():
    words = ["recurrent", "a", "", "transducer"]
    decoded = greedy(*speller(words), END, 20, pad_id=-1)
    assert read(decoded) == words
    assert numpy(decoded.lengths).tolist() == [len(word) + 1 for word in words]
    ids = numpy(decoded.ids)
    assert ids.shape == (4, 20)
    assert ids.dtype == np.int32
    for row, word in zip(ids, words, strict=True):
        assert row[len(word)] == END
        assert (row[len(word) + 1 :] == -1).all()
    assert decoded.alignments is None


def test_scores_are_log_probabilities():
    tables, step, state, start = markov(8, 5, seed=0)
    decoded = greedy(step, state, start, END, 6)
    for row, table in enumerate(tables):
        ids = numpy(decoded.ids)[row, : numpy(decoded.lengths)[row]]
        # Every id is the best one after those before it.
        expected = walk(table, start[row], ids)
        for t in range(len(ids)):
            others = [walk(table, start[row], [*ids[:t], new])[-1] for new in range(5)]
            assert np.argmax(others) == ids[t]
        np.testing.assert_allclose(numpy(decoded.scores)[row], sum(expected), rtol=1e-5)
    scored = score(step, state, start, decoded.ids, decoded.lengths)
    np.testing.assert_allclose(scored, decoded.scores, rtol=1e-6)


def test_a_row_gives_in_a_batch_what_it_gives_alone():
    _, step, state, start = markov(5, 6, seed=1)
    together = greedy(step, state, start, END, 12)
    lengths = numpy(together.lengths)
    assert len(set(lengths)) > 2
    for row in range(5):
        one = slice(row, row + 1)
        alone = greedy(step, tuple(s[one] for s in state), start[one], END, 12)
        for x, y in zip(alone[:3], together[:3], strict=True):
            np.testing.assert_array_equal(numpy(x)[0], numpy(y)[row])


@pytest.mark.parametrize("max_length", [1, 63, 64, 65, 200])
def test_lengths_around_the_blocks_of_the_loop(max_length):
    # Counts up to 150 and ends; the fed id plus one is the only likely one.
    def step(ids, state):
        target = ops.where(ids == 150, END, ids + 1)
        return ops.cast(target[:, None] == np.arange(160), "float32") * 30, state

    decoded = greedy(step, (), [0, 148], END, max_length)
    expected = np.zeros((2, max_length), "int32")
    expected[0, :150] = np.arange(1, 151)[:max_length]
    expected[1, :2] = [149, 150][:max_length]
    np.testing.assert_array_equal(decoded.ids, expected)
    assert numpy(decoded.lengths).tolist() == [min(max_length, 151), min(max_length, 3)]


def test_minimum_length_and_bans():
    step, state, start = speller(["ab", "zebra"])
    decoded = greedy(step, state, start, END, 8, min_length=5, banned_ids=[2], pad_id=99)
    ids, lengths = numpy(decoded.ids), numpy(decoded.lengths)
    assert lengths.tolist() == [5, 6]
    assert not (ids == 2).any()
    # Where all are equal, the lowest id that is allowed: a, not the end and not b.
    assert ids[0].tolist() == [1, 1, 1, 1, END, 99, 99, 99]
    # The score is that of the unchanged distribution.
    assert numpy(decoded.scores)[0] < -100


def test_equal_logits_give_the_lowest_id():
    decoded = greedy(lambda ids, s: (ops.zeros((2, 4)), s), (), [0, 0], 3, 2)
    assert numpy(decoded.ids).tolist() == [[0, 0], [0, 0]]


def test_stops_when_all_rows_have_ended():
    calls = []

    def step(ids, state):
        calls.append(ids)
        return ops.ones((2, 3)) * np.array([0.0, 5.0, 0.0], "float32"), state

    # Eagerly every call is a step; a backend that traces the loop calls a few times at all.
    decoded = greedy(step, (), [0, 0], 1, 1000)
    assert numpy(decoded.lengths).tolist() == [1, 1]
    assert len(calls) <= 3


def test_alignments_are_collected_and_zero_after_the_end():
    _, alignments, step, state, start = markov(4, 5, seed=3, source=7)
    decoded = greedy(step, state, start, END, 10, source_mask=np.ones((4, 7), bool))
    ids, lengths, got = (numpy(x) for x in (decoded.ids, decoded.lengths, decoded.alignments))
    assert got.shape == (4, 10, 7)
    for row in range(4):
        fed = [start[row], *ids[row, : lengths[row] - 1]]
        np.testing.assert_allclose(got[row, : lengths[row]], alignments[row][fed], rtol=1e-6)
        assert not got[row, lengths[row] :].any()


def test_state_may_be_any_tree_of_any_rank_and_type():
    state = {"a": (np.ones((2, 3, 4), "float32"), np.array([True, False])), "b": [np.zeros(2)]}

    def step(ids, state):
        (cache, flag), count = state["a"], state["b"][0]
        logits = ops.stack([ops.sum(cache, axis=(1, 2)), ops.cast(count, "float32") * 7], axis=1)
        return logits, {"a": (cache + 0, ops.logical_not(flag)), "b": [count + 1]}

    # 12 against 0, 7 and then 14.
    decoded = greedy(step, state, [0, 0], 1, 5)
    assert numpy(decoded.ids).tolist() == [[0, 0, 1, 0, 0]] * 2


def test_half_precision_logits_are_scored_in_float32():
    logits = np.array([[0.1, 3.0, 0.2]] * 2, "float16")
    decoded = greedy(lambda ids, s: (ops.convert_to_tensor(logits), s), (), [0, 0], 1, 3)
    assert numpy(decoded.scores).dtype == np.float32
    assert numpy(decoded.ids)[:, 0].tolist() == [1, 1]
