"""Holds rows out of a data set."""

import numpy as np


def hold_out(texts, labels, fraction, seed=1234, fold=0):
    """Chooses the rows to hold out: seeded, stratified, and no text on both sides.

    Every class gives the same fraction of its different texts, at least one of them and never all.
    Equal texts stay together, so what is held out cannot be known by heart.

    Args:
        texts: list of strings.
        labels: integer array, one class a text.
        fraction: share of each class to hold out, between 0 and 1.
        seed: the same seed always chooses the same rows.
        fold: which share to hold out, from 0; every row is in one of `1 / fraction` folds.

    Returns:
        Boolean array, true for the rows held out.

    Raises:
        ValueError: if `fraction` is not between 0 and 1, `fold` is beyond the last, or no class has
            two different texts.

    Example:

    >>> texts, labels = ["good", "bad", "fine", "dull"], np.array([1, 0, 1, 0])
    >>> held = hold_out(texts, labels, fraction=0.5)
    >>> labels[held].tolist(), labels[~held].tolist()
    ([1, 0], [1, 0])
    """
    if not 0 < fraction < 1:
        raise ValueError(f"fraction: expected a number between 0 and 1, got {fraction}")
    if not 0 <= fold < round(1 / fraction):
        raise ValueError(f"fold: expected 0 to {round(1 / fraction) - 1}, got {fold}")
    first = {}
    group = np.array([first.setdefault(text, row) for row, text in enumerate(texts)])
    # Unlike default_rng, RandomState gives the same rows under every version of NumPy.
    random = np.random.RandomState(seed)
    held = np.zeros(len(texts), dtype=bool)
    for label in np.unique(labels):
        members = np.unique(group[labels[group] == label])
        start, stop = (round(part * fraction * len(members)) for part in (fold, fold + 1))
        chosen = random.permutation(members)[start : max(stop, start + 1)]
        held[chosen[: len(members) - 1]] = True
    if not held.any():
        raise ValueError("texts: expected a class with two different texts or more, got none")
    return held[group]
