"""Holds rows out of a data set."""

import numpy as np


def hold_out(texts, labels, fraction, seed=1234):
    """Chooses the rows to hold out: seeded, stratified, and no text on both sides.

    Every class gives the same fraction of its different texts, at least one of them and never all.
    Equal texts stay together, so what is held out cannot be known by heart.

    Args:
        texts: list of strings.
        labels: integer array, one class a text.
        fraction: share of each class to hold out, between 0 and 1.
        seed: the same seed always chooses the same rows.

    Returns:
        Boolean array, true for the rows held out.

    Raises:
        ValueError: if `fraction` is not between 0 and 1, or no class has two different texts.

    >>> texts, labels = ["good", "bad", "fine", "dull"], np.array([1, 0, 1, 0])
    >>> held = hold_out(texts, labels, fraction=0.5)
    >>> labels[held].tolist(), labels[~held].tolist()
    ([1, 0], [1, 0])
    """
    if not 0 < fraction < 1:
        raise ValueError(f"fraction: expected a number between 0 and 1, got {fraction}")
    first = {}
    group = np.array([first.setdefault(text, row) for row, text in enumerate(texts)])
    # Unlike default_rng, RandomState gives the same rows under every version of NumPy.
    random = np.random.RandomState(seed)
    held = np.zeros(len(texts), dtype=bool)
    for label in np.unique(labels):
        members = np.unique(group[labels[group] == label])
        count = min(max(1, round(fraction * len(members))), len(members) - 1)
        held[random.permutation(members)[: max(count, 0)]] = True
    if not held.any():
        raise ValueError("texts: expected a class with two different texts or more, got none")
    return held[group]
