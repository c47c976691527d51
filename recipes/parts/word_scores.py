"""Measures of word vectors: correlation with what people find alike, and analogies."""

import numpy as np
from scipy.stats import spearmanr


def correlation(vectors, pairs):
    """Returns how well cosines rank pairs of words.

    Args:
        vectors: `kzoo.text.WordVectors` of words in lower case.
        pairs: What `kzoo.data.load_similarities` returns.

    Returns:
        `(rho, count)`: Spearman's rank correlation with the scores, of the pairs whose words both
        have a vector, and their number.

    Example:

    >>> from kzoo.text import WordVectors
    >>> vectors = WordVectors(["cat", "dog", "tax"], [[2, 1], [1, 0.4], [-1, 3]])
    >>> pairs = [("Cat", "dog", 9.0), ("dog", "tax", 1.0), ("cat", "tax", 2.0), ("cat", "emu", 3.0)]
    >>> tuple(map(float, correlation(vectors, pairs)))
    (1.0, 3.0)
    """
    known = [
        (vectors.id(one.lower()), vectors.id(other.lower()), score) for one, other, score in pairs
    ]
    known = [row for row in known if None not in row]
    if len(known) < 2:
        return float("nan"), len(known)
    ones, others, scores = zip(*known, strict=True)
    cosines = np.sum(vectors.directions[list(ones)] * vectors.directions[list(others)], axis=1)
    return float(spearmanr(cosines, scores).statistic), len(known)


def analogy_scores(vectors, kinds, batch_size=256):
    """Returns how many analogies the nearest word to `b - a + c`, but those three, solves.

    Args:
        vectors: `kzoo.text.WordVectors` of words in lower case.
        kinds: What `kzoo.data.load_analogies` returns.
        batch_size: Analogies solved at once.

    Returns:
        Dict from the kind to `(solved, count)`, of those whose four words all have a vector.

    Example:

    >>> from kzoo.text import WordVectors
    >>> table = [[1, 0, 0], [1, 1, 0], [0, 0, 1], [0, 1, 1], [-1, 0, 0]]
    >>> vectors = WordVectors(["man", "king", "woman", "queen", "tax"], table)
    >>> kinds = {"family": [("man", "king", "woman", "queen"), ("man", "boy", "tax", "king")]}
    >>> analogy_scores(vectors, kinds)
    {'family': (1, 1)}
    """
    scores = {}
    for kind, rows in kinds.items():
        ids = [[vectors.id(word.lower()) for word in row] for row in rows]
        ids = np.array([row for row in ids if None not in row], "int32").reshape(-1, 4)
        solved = 0
        for start in range(0, len(ids), batch_size):
            part = ids[start : start + batch_size]
            one, two, three = (vectors.directions[part[:, n]] for n in range(3))
            cosines = (two - one + three) @ vectors.directions.T
            np.put_along_axis(cosines, part[:, :3], -np.inf, axis=1)
            solved += int((cosines.argmax(axis=1) == part[:, 3]).sum())
        scores[kind] = solved, len(ids)
    return scores
