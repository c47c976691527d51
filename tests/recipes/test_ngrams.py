"""Interpolated n-grams, against counting by hand."""

import collections

import numpy as np

from kzoo.recipes.parts.ngrams import best_ngrams, ngram_probabilities

RNG = np.random.default_rng(0)
TRAIN, IDS = RNG.integers(0, 4, 300), RNG.integers(0, 5, 40)


def by_hand(order, text, position):
    """The probability of an id of a text, by recursion over orders."""
    if order == 0:
        return 1 / 5
    lower = by_hand(order - 1, text, position)
    context = tuple(text[position - order + 1 : position])
    after = collections.Counter(
        TRAIN[end]
        for end in range(order - 1, len(TRAIN))
        if tuple(TRAIN[end - order + 1 : end]) == context
    )
    if not after:
        return lower
    return (after[text[position]] + len(after) * lower) / (after.total() + len(after))


def test_equals_counting_by_hand():
    text = np.concatenate([TRAIN, IDS])
    orders = ngram_probabilities(TRAIN, IDS, 5)
    for order, probabilities in zip(range(1, 5), orders, strict=False):
        expected = [by_hand(order, text, position) for position in range(300, 340)]
        np.testing.assert_allclose(probabilities, expected, rtol=1e-12)


def test_probabilities_add_up_to_one():
    sums = 0
    for id in range(5):
        orders = ngram_probabilities(TRAIN, [id], 5)
        sums += np.array([next(orders)[0] for _ in range(4)])
    np.testing.assert_allclose(sums, 1)


def test_the_order_is_chosen_on_validation():
    order, loss = best_ngrams(TRAIN, IDS, IDS, 5)
    losses = [
        -np.log(probabilities[1:]).mean()
        for _, probabilities in zip(range(4), ngram_probabilities(TRAIN, IDS, 5), strict=False)
    ]
    assert order == int(np.argmin(losses)) + 1
    # The context of the first ids is what stands before them.
    assert abs(loss - losses[order - 1]) < 0.1
