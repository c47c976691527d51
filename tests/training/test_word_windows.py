"""Stretches of text for word2vec: every pair once, words kept and noise drawn as they should be."""

import numpy as np
import pytest

from kzoo.training import NegativeSamplingLoss, WordWindows
from kzoo.training.word_windows import keep_probabilities

# Every word occurs once, so that its id says where it stands.
SENTENCES = [list(range(4, 204)), [1, *range(204, 207)], [], [207], list(range(208, 400))]
SENTENCE_OF = {id: n for n, sentence in enumerate(SENTENCES) for id in sentence}


def batches(windows):
    return [windows[index] for index in range(len(windows))]


def found_pairs(windows):
    """Every pair (input, output) of an epoch, with repeats."""
    pairs = []
    for inputs, targets in batches(windows):
        for ids, target in zip(inputs["ids"], targets, strict=True):
            rows, columns = np.nonzero(target[:, : windows.LENGTH])
            pairs += zip(ids[rows].tolist(), ids[columns].tolist(), strict=True)
    return pairs


@pytest.mark.parametrize("window", [1, 5, 20])
def test_every_pair_of_the_largest_windows_can_come_and_comes_once(window):
    windows = WordWindows(SENTENCES, 400, window=window, sample=0, batch_size=3)
    seen = set()
    for _ in range(12):
        pairs = found_pairs(windows)
        assert len(set(pairs)) == len(pairs)
        seen |= set(pairs)
        # A window is whole: whoever is seen at a distance is seen with all between.
        reach = {}
        for one, other in pairs:
            reach.setdefault(one, set()).add(other)
        for one, others in reach.items():
            size = max(abs(one - other) for other in others)
            whole = {one + n for n in range(-size, size + 1) if n} & set(SENTENCE_OF)
            assert others == {n for n in whole if SENTENCE_OF[n] == SENTENCE_OF[one]}
        windows.on_epoch_end()
    possible = {
        (one, one + step)
        for one in SENTENCE_OF
        for step in range(-window, window + 1)
        if step and SENTENCE_OF.get(one + step) == SENTENCE_OF[one] and min(one, one + step) > 3
    }
    assert seen <= possible
    assert len(seen) > 0.9 * len(possible)


def test_noise_weighs_as_the_words_that_each_pair_would_draw():
    windows = WordWindows(SENTENCES, 400, negatives=7, sample=0)
    for _, targets in batches(windows):
        pairs, against = np.split(targets, [windows.LENGTH], axis=2)
        np.testing.assert_allclose(against.sum(2), -7 * pairs.sum(2), rtol=1e-5)


def test_a_bag_has_its_word_as_target_and_its_window_around_it():
    skip = WordWindows(SENTENCES, 400, sample=0, batch_size=4, seed=3)
    bag = WordWindows(SENTENCES, 400, bag=True, sample=0, batch_size=4, seed=3)
    for (inputs, targets), (others, pairs) in zip(batches(bag), batches(skip), strict=True):
        np.testing.assert_array_equal(inputs["ids"], others["ids"])
        np.testing.assert_array_equal(inputs["windows"], pairs[:, :, : skip.LENGTH])
        has_window = inputs["windows"].any(axis=2)
        np.testing.assert_array_equal(targets[:, :, 0], has_window)
        np.testing.assert_allclose(targets[:, :, 1:].sum(2), -5.0 * has_window, rtol=1e-5)


def test_frequent_words_are_left_out_and_noise_is_smoothed():
    rng = np.random.default_rng(0)
    text = rng.choice([4, 5, 6], 60_000, p=[0.9, 0.09, 0.01])
    windows = WordWindows([text], 7, sample=0.01, batch_size=8)
    kept = np.bincount(windows._ids, minlength=7)[4:] / np.bincount(text, minlength=7)[4:]
    np.testing.assert_allclose(kept, [0.117, 0.444, 1], atol=0.02)
    noise = np.concatenate([inputs["noise"].ravel() for inputs, _ in batches(windows)])
    expected = np.array([0.9, 0.09, 0.01]) ** 0.75
    shares = np.bincount(noise, minlength=7)[4:] / noise.size
    np.testing.assert_allclose(shares, expected / expected.sum(), atol=0.02)
    assert keep_probabilities(np.array([5.0, 0.0]), 0).tolist() == [1, 1]


def test_an_epoch_depends_on_seed_and_number_alone():
    def epoch(windows):
        return [(inputs["ids"], inputs["noise"], y) for inputs, y in batches(windows)]

    windows = WordWindows(SENTENCES, 400, sample=0.01, seed=3)
    first = epoch(windows)
    windows.on_epoch_end()
    resumed = WordWindows(SENTENCES, 400, sample=0.01, seed=3)
    resumed.start_epoch(1)
    for ours, theirs in zip(epoch(windows), epoch(resumed), strict=True):
        for one, other in zip(ours, theirs, strict=True):
            np.testing.assert_array_equal(one, other)
    assert first[0][0].tolist() != epoch(resumed)[0][0].tolist()


def test_all_epochs_have_as_many_batches():
    text = np.random.default_rng(0).choice([4, 5, 6, 7], 6000)
    windows = WordWindows([text], 8, sample=0.02, batch_size=2)
    counts = []
    for _ in range(4):
        counts.append((len(windows), len(batches(windows))))
        windows.on_epoch_end()
    assert len(set(counts)) == 1
    assert windows[len(windows) - 1][0]["ids"].size


def test_the_loss_is_that_of_logistic_regression_with_weights():
    rng = np.random.default_rng(0)
    scores = rng.normal(size=(2, 3, 4)).astype("float32") * 5
    weights = rng.choice([1, 0, -2.5], size=(2, 3, 4)).astype("float32")
    p = 1 / (1 + np.exp(-scores.astype("float64")))
    losses = -np.where(weights > 0, weights * np.log(p), -weights * np.log(1 - p))
    loss = NegativeSamplingLoss()(weights, scores)
    np.testing.assert_allclose(float(loss), losses.sum(), rtol=1e-5)


@pytest.mark.parametrize(
    ("sentences", "options", "message"),
    [
        ([[4, 5]], {"window": 32}, r"`window` must be in \[1, 31\]. Received: window=32"),
        ([[4, 5]], {"negatives": 0}, "`negatives` must be positive"),
        ([[4, 9]], {}, r"ids in \[4, 8\]. Received: 2 of them, the largest 9"),
        ([[1, 2], []], {}, "Received: 0 of them"),
        ([], {}, "Received: 0 of them"),
    ],
)
def test_bad_arguments_are_named(sentences, options, message):
    with pytest.raises(ValueError, match=message):
        WordWindows(sentences, 9, **options)
