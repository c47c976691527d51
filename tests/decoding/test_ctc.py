"""Connectionist temporal classification: beside all paths counted one by one, on every backend."""

import itertools

import keras
import numpy as np
import pytest
from keras import ops

from kzoo.decoding import ctc_beam_search, ctc_greedy
from tests.decoding.steps import numpy


def frames(batch, time, classes, seed=0, scale=2.0):
    logits = np.random.default_rng(seed).normal(scale=scale, size=(batch, time, classes))
    return (logits - np.log(np.exp(logits).sum(-1, keepdims=True))).astype("float32")


def collapse(path):
    return tuple(symbol for symbol, _ in itertools.groupby(path) if symbol)


def shares(log_probabilities):
    """The probability of every string of symbols: that of all its paths."""
    time, classes = log_probabilities.shape
    found = {}
    for path in itertools.product(range(classes), repeat=time):
        share = np.exp(sum(log_probabilities[t, c] for t, c in enumerate(path)))
        found[collapse(path)] = found.get(collapse(path), 0.0) + share
    return found


def strings(decoded):
    """The symbols of each hypothesis, without padding."""
    ids, lengths = numpy(decoded.ids), numpy(decoded.lengths)
    assert all((row[n:] == 0).all() for row, n in zip(ids, lengths, strict=True))
    return [tuple(row[:n].tolist()) for row, n in zip(ids, lengths, strict=True)]


def test_the_best_path():
    paths = [[1, 1, 0, 1, 2, 2, 0], [0, 0, 0, 0, 0, 0, 0], [2, 1, 2, 0, 0, 2, 2]]
    logits = np.log(np.full((3, 7, 3), 0.1))
    for row, path in enumerate(paths):
        logits[row, np.arange(7), path] = np.log(0.8)
    decoded = ctc_greedy(logits.astype("float32"))
    assert strings(decoded) == [collapse(path) for path in paths]
    np.testing.assert_allclose(numpy(decoded.scores), 7 * np.log(0.8), rtol=1e-5)
    assert numpy(decoded.ids).dtype == "int32"


@pytest.mark.parametrize(("classes", "time"), [(2, 6), (3, 5), (4, 4)])
def test_beams_that_hold_all_beginnings_find_what_all_paths_say(classes, time):
    batch = frames(6, time, classes, seed=classes)
    decoded = ctc_beam_search(batch, num_beams=64, num_results=5, max_length=time)
    for row in range(6):
        expected = shares(batch[row])
        best = sorted(expected, key=expected.get, reverse=True)[:5]
        ids, lengths = numpy(decoded.ids)[row], numpy(decoded.lengths)[row]
        found = [tuple(x[:n].tolist()) for x, n in zip(ids, lengths, strict=True)]
        assert found[: len(best)] == best
        scores = np.exp(numpy(decoded.scores)[row])
        np.testing.assert_allclose(
            scores[: len(best)], [expected[string] for string in best], rtol=1e-4
        )
        # Two classes, and so many frames, make four strings and no fifth.
        assert not scores[len(best) :].any()


def reference(log_probabilities, num_beams):
    """The prefix beam search of the literature, with sets and dicts."""
    beams = {(): (0.0, -np.inf)}
    for frame in log_probabilities:
        new = {}

        def add(prefix, place, value, new=new):
            pair = list(new.get(prefix, (-np.inf, -np.inf)))
            pair[place] = np.logaddexp(pair[place], value)
            new[prefix] = tuple(pair)

        for prefix, (blank, symbol) in beams.items():
            both = np.logaddexp(blank, symbol)
            add(prefix, 0, both + frame[0])
            for c in range(1, len(frame)):
                if prefix and prefix[-1] == c:
                    add(prefix, 1, symbol + frame[c])
                    add((*prefix, c), 1, blank + frame[c])
                else:
                    add((*prefix, c), 1, both + frame[c])
        # Of a beginning that was not kept, only what follows from one that was counts.
        ranked = sorted(new, key=lambda prefix: -np.logaddexp(*new[prefix]))
        beams = {prefix: new[prefix] for prefix in ranked[:num_beams]}
    return [(prefix, np.logaddexp(*pair)) for prefix, pair in beams.items()]


def test_few_beams_are_those_of_the_literature():
    batch = frames(2, 66, 6, scale=1.5)
    decoded = ctc_beam_search(batch, num_beams=5, num_results=5, max_length=66)
    for row in range(2):
        expected = reference(batch[row], 5)
        ids, lengths = numpy(decoded.ids)[row], numpy(decoded.lengths)[row]
        found = [tuple(x[:n].tolist()) for x, n in zip(ids, lengths, strict=True)]
        assert found == [prefix for prefix, _ in expected]
        np.testing.assert_allclose(numpy(decoded.scores)[row], [s for _, s in expected], rtol=1e-4)


@pytest.mark.parametrize("search", [ctc_greedy, ctc_beam_search])
def test_frames_beyond_a_length_change_nothing(search):
    batch = frames(4, 12, 5)
    lengths = np.array([12, 7, 1, 0], "int32")
    decoded = search(batch, lengths)
    first = ctc_beam_search(batch, lengths, num_beams=8, num_results=8, max_length=12)
    for row, length in enumerate(lengths[:3]):
        alone = search(batch[row : row + 1, :length])
        if search is ctc_beam_search:
            np.testing.assert_array_equal(numpy(decoded.ids)[row], numpy(alone.ids)[0])
        assert numpy(decoded.lengths)[row] == numpy(alone.lengths)[0]
        np.testing.assert_allclose(numpy(decoded.scores)[row], numpy(alone.scores)[0], rtol=1e-5)
        alone = ctc_beam_search(batch[row : row + 1, :length], num_beams=8, num_results=8)
        np.testing.assert_array_equal(numpy(first.ids)[row], numpy(alone.ids)[0, :, :12])
    assert not numpy(decoded.ids)[3].any()
    assert not numpy(decoded.lengths)[3].any()


def test_classes_may_be_impossible_and_frames_of_half_precision():
    sure = np.eye(3, dtype="float32")[[[1, 0, 1, 2]]]
    with np.errstate(divide="ignore"):
        batch = ops.cast(np.log(sure), "bfloat16")
    for decoded in (ctc_greedy(batch), ctc_beam_search(batch, num_results=2)):
        ids, scores = numpy(decoded.ids), numpy(decoded.scores)
        assert ids.reshape(-1, ids.shape[-1])[0, :4].tolist() == [1, 1, 2, 0]
        assert np.exp(scores).ravel().tolist() == [1, 0][: scores.size]


def test_no_hypothesis_is_longer_than_asked():
    batch = np.log(np.full((1, 9, 4), 0.05, "float32"))
    batch[0, np.arange(9), [1, 0, 2, 0, 3, 0, 1, 0, 2]] = np.log(0.85)
    for longest in (1, 3, 9):
        decoded = ctc_beam_search(batch, max_length=longest)
        assert numpy(decoded.ids).shape == (1, 1, longest)
        assert numpy(decoded.lengths)[0, 0] == min(longest, 5)


def test_compiled_gives_what_eager_gives():
    def both(x, lengths):
        return [*ctc_greedy(x, lengths)[:3], *ctc_beam_search(x, lengths, num_results=2)[:3]]

    if keras.backend.backend() == "jax":
        import jax

        compiled = jax.jit(both)
    else:
        import tensorflow as tf

        specs = [tf.TensorSpec((None, None, 5)), tf.TensorSpec((None,), tf.int32)]
        compiled = tf.function(both, input_signature=specs)
    for batch, time in ((3, 70), (1, 4)):
        inputs = frames(batch, time, 5), np.full(batch, time - 1, "int32")
        for found, expected in zip(compiled(*inputs), both(*inputs), strict=True):
            np.testing.assert_allclose(numpy(found), numpy(expected), rtol=1e-5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"num_beams": 0}, "`num_beams` must be an integer of at least 1"),
        ({"num_beams": 2, "num_results": 3}, "`num_results` must be an integer from 1 to 2"),
        ({"max_length": 0}, "`max_length` must be an integer of at least 1"),
        ({"lengths": np.zeros((1, 2), "int32")}, "`lengths` must be int of shape"),
    ],
)
def test_wrong_arguments_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        ctc_beam_search(frames(1, 3, 4), **options)
    with pytest.raises(ValueError, match="`log_probabilities` must be float of shape"):
        ctc_greedy(ops.zeros((2, 3), "int32"))
