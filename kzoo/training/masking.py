"""Which ids of a text are hidden from a masked language model, and what stands in their place."""

import numpy as np


def count_slots(length, mask_rate):
    """Returns the most ids that are hidden in a row of so many steps.

    Example:

    >>> count_slots(24, 0.15)
    4
    """
    return max(1, int(np.ceil(mask_rate * length)))


def find_words(ids, special_ids, continues=None):
    """Returns lists of the steps that are hidden together.

    Args:
        ids: Int array `(time,)`.
        special_ids: Ids that are never hidden.
        continues: Boolean array `(vocabulary_size,)`, whether an id goes on inside a word; None to
            hide each id for itself.

    Example:

    >>> continues = np.array([False, False, False, True, True])
    >>> find_words(np.array([0, 2, 3, 4, 2, 0]), [0], continues)
    [[1, 2, 3], [4]]
    """
    words = []
    for step in np.flatnonzero(~np.isin(ids, special_ids)).tolist():
        goes_on = continues is not None and continues[ids[step]]
        if goes_on and words and words[-1][-1] == step - 1:
            words[-1].append(step)
        else:
            words.append([step])
    return words


def choose_steps(words, mask_rate, slots, rng):
    """Draws the steps that are hidden: whole words until `mask_rate` of the steps is reached.

    A word that no longer fits into the slots is left out, so the longest words of a short text
    never are hidden as a whole.

    Args:
        words: What `find_words` returned.
        mask_rate: Share of the steps.
        slots: The most steps.
        rng: `np.random.Generator`.

    Returns:
        Sorted list of steps, empty where there are no words.

    Example:

    >>> choose_steps([[1, 2], [3], [4]], 0.5, 2, np.random.default_rng(0))
    [3, 4]
    """
    wanted = max(1, round(mask_rate * sum(map(len, words))))
    chosen = []
    for index in rng.permutation(len(words)):
        if len(chosen) >= wanted:
            break
        if len(chosen) + len(words[index]) <= slots:
            chosen += words[index]
    return sorted(chosen)


def hide(ids, mask_id, random_ids, rng):
    """Returns what stands in the place of ids that are guessed.

    Of ten, eight become `mask_id`, one becomes any id, and one stays, for a model that is used
    never sees `mask_id`. Source: Devlin et al. 2019 (arXiv 1810.04805), section 3.1, task 1.

    Args:
        ids: Int array of any shape.
        mask_id: Integer.
        random_ids: Int array of the ids to draw from.
        rng: `np.random.Generator`.

    Returns:
        Array like `ids`.

    Example:

    >>> hide(np.arange(5, 15), 1, np.arange(5, 30), np.random.default_rng(2)).tolist()
    [1, 1, 7, 1, 1, 1, 1, 1, 1, 1]
    """
    fate = rng.random(ids.shape)
    hidden = np.where(fate < 0.8, mask_id, ids)
    return np.where(fate >= 0.9, rng.choice(random_ids, ids.shape), hidden)
