"""The choice among continuations: which ones are candidates, and which live on."""

import numpy as np
from keras import ops

from kzoo.decoding.loop import take_per_row


def select(totals, width, end_id, num_groups=1, diversity_penalty=0.0):
    """Chooses the best continuations of the live hypotheses.

    Args:
        totals: float32 `(batch * groups, width, vocabulary)`, log-probabilities.
        width: Number of hypotheses in a group.
        end_id: Id that ends a hypothesis.
        num_groups: Number of groups; later ones are penalised for ids that earlier ones took.
        diversity_penalty: What an id costs for every earlier hypothesis that has just taken it.

    Returns:
        `(picked, live)`: picked, int32 `(rows, 2 * width)`, are the best continuations, each as
        `hypothesis * vocabulary + id`; live, int32 `(rows, width)`, are the places in `picked` of
        the best without the end id.

    Example:

    >>> totals = np.array([[[-3.0, -1.0, -2.0, -4.0], [-9.0, -2.5, -2.2, -9.0]]], "float32")
    >>> picked, live = select(totals, 2, end_id=1)
    >>> ops.convert_to_numpy(picked).tolist(), ops.convert_to_numpy(live).tolist()
    ([[1, 2, 6, 5]], [[1, 2]])
    """
    vocabulary = totals.shape[2]
    if num_groups == 1:
        ranking = ops.reshape(totals, (-1, width * vocabulary))
        picked, live, _ = _select(ranking, width, end_id, vocabulary)
        return picked, live
    totals = ops.reshape(totals, (-1, num_groups, width, vocabulary))
    penalty = ops.zeros_like(totals[:, 0, 0])
    chosen = []
    for group in range(num_groups):
        ranking = ops.reshape(
            totals[:, group] - ops.expand_dims(penalty, 1), (-1, width * vocabulary)
        )
        picked, live, scores = _select(ranking, width, end_id, vocabulary)
        chosen.append((picked, live))
        ids = ops.mod(take_per_row(picked, live), vocabulary)
        # Where there are fewer hypotheses than places, the rest of the places took no id.
        ids = ops.where(scores > -np.inf, ids, -1)
        taken = ops.cast(ops.expand_dims(ids, 2) == np.arange(vocabulary), "float32")
        penalty += diversity_penalty * ops.sum(taken, axis=1)
    picked, live = (ops.stack(x, axis=1) for x in zip(*chosen, strict=True))
    return ops.reshape(picked, (-1, 2 * width)), ops.reshape(live, (-1, width))


def _select(ranking, width, end_id, vocabulary):
    """Returns what `select` does, for one group, and the ranking scores of the live ones."""
    best, picked = ops.top_k(ranking, 2 * width)
    picked = ops.cast(picked, "int32")
    ends = ops.mod(picked, vocabulary) == end_id
    scores, live = ops.top_k(ops.where(ends, -np.inf, best), width)
    return picked, ops.cast(live, "int32"), scores
