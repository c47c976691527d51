"""The floor of language models: n-grams that back off to shorter ones."""

import numpy as np


def ngram_probabilities(train_ids, ids, vocabulary_size):
    """Yields how probable n-grams hold each id of a text, for n = 1, 2, ...

        P_n(w | h) = (c(h w) + t(h) P_{n-1}(w | h')) / (c(h) + t(h)),   P_0 = 1 / vocabulary_size

    with the counts c of training, the number t(h) of different ids that came after h there, and h'
    for h without its first id.

    Source: Witten and Bell 1991, "The zero-frequency problem: Estimating the probabilities of novel
    events in adaptive text compression", method C, interpolated.

    Args:
        train_ids: Ids to count.
        ids: Ids to judge, each after those before it.
        vocabulary_size: Number of ids.

    Yields:
        Array like `ids`.

    Example, where id 0 came after id 1 two times out of two, and is two of five ids:

    >>> orders = ngram_probabilities([1, 0, 1, 0, 1], [1, 0], 2)
    >>> [round(float(next(orders)[1]), 3) for n in (1, 2)]
    [0.429, 0.81]
    """
    both = np.concatenate([train_ids, ids]).astype("int64")
    count = len(train_ids)
    context = np.zeros(len(both), "int64")
    probabilities = np.full(len(ids), 1 / vocabulary_size)
    while True:
        _, first, grams = np.unique(
            context * vocabulary_size + both, return_index=True, return_inverse=True
        )
        seen = np.bincount(grams[:count], minlength=len(first))
        contexts = context.max() + 1
        followed = np.bincount(context[:count], minlength=contexts)
        kinds = np.bincount(context[first[first < count]], minlength=contexts)
        before = context[count:]
        total = followed[before] + kinds[before]
        known = seen[grams[count:]] + kinds[before] * probabilities
        probabilities = np.where(total > 0, known / np.maximum(total, 1), probabilities)
        yield probabilities
        # Nothing stands before the first id, which makes a context of its own.
        context = np.concatenate([[len(first)], grams[:-1]])


def best_ngrams(train_ids, validation_ids, ids, vocabulary_size):
    """Returns the order n that is best on validation, and the mean of -log P_n on a text.

    Args:
        train_ids: Ids to count.
        validation_ids: Ids to choose the order by.
        ids: Ids to judge; the first ones of both are given.
        vocabulary_size: Number of ids.

    Example:

    >>> text = [3, 1, 2, 2, 1, 2, 2, 1, 2, 2] * 9
    >>> order, loss = best_ngrams(text, text[:40], text[40:], 4)
    >>> order > 2, loss < 0.1
    (True, True)
    """
    count, best = len(validation_ids), (0, np.inf, np.inf)
    judged = np.concatenate([validation_ids, ids])
    for order, probabilities in enumerate(
        ngram_probabilities(train_ids, judged, vocabulary_size), start=1
    ):
        losses = -np.log(probabilities)
        loss = losses[1:count].mean()
        if loss >= best[1]:
            return best[0], float(best[2])
        best = order, loss, losses[count + 1 :].mean()
