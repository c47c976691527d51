"""The choice among continuations: which ones are candidates, and which live on."""

import numpy as np
from keras import ops

from kzoo.decoding.rows import take_per_row


def select(totals, ids, width, end_id, num_groups=1, diversity_penalty=0.0):
    """Chooses the best continuations of the live hypotheses.

    Args:
        totals: float32 `(batch * groups, n)`, log-probabilities of the continuations among which
            the best must be: of every live hypothesis the `width * (groups + 1)` best.
        ids: int32 `(batch * groups, n)`, the ids that they end in.
        width: Number of hypotheses in a group.
        end_id: Id that ends a hypothesis.
        num_groups: Number of groups; later ones are penalised for ids that earlier ones took.
        diversity_penalty: What an id costs for every earlier hypothesis that has just taken it.

    Returns:
        `(picked, live)`: picked, int32 `(rows, 2 * width)`, are the places of the best
        continuations; live, int32 `(rows, width)`, are the places in `picked` of the best without
        the end id.

    Example:

    >>> totals, ids = np.array([[-1.0, -2.0, -3.0, -2.2, -2.5]], "float32"), [[1, 2, 0, 2, 1]]
    >>> picked, live = select(totals, ops.convert_to_tensor(ids), 2, end_id=1)
    >>> ops.convert_to_numpy(picked).tolist(), ops.convert_to_numpy(live).tolist()
    ([[0, 1, 3, 4]], [[1, 2]])
    """
    if num_groups == 1:
        return _select(totals, ids, width, end_id)[:2]
    totals, ids = (ops.reshape(x, (-1, num_groups, x.shape[1])) for x in (totals, ids))
    chosen, taken = [], []
    for group in range(num_groups):
        ranking, names = totals[:, group], ids[:, group]
        for earlier in taken:
            same = ops.expand_dims(names, 2) == ops.expand_dims(earlier, 1)
            ranking -= diversity_penalty * ops.sum(ops.cast(same, "float32"), axis=2)
        picked, live, scores = _select(ranking, names, width, end_id)
        chosen.append((picked, live))
        # Where there are fewer hypotheses than places, the rest of the places took no id.
        (names,) = take_per_row(take_per_row([names], picked), live)
        taken.append(ops.where(scores > -np.inf, names, -1))
    picked, live = (ops.stack(x, axis=1) for x in zip(*chosen, strict=True))
    return ops.reshape(picked, (-1, 2 * width)), ops.reshape(live, (-1, width))


def _select(ranking, ids, width, end_id):
    """Returns what `select` does, for one group, and the ranking scores of the live ones."""
    best, picked = ops.top_k(ranking, 2 * width)
    picked = ops.cast(picked, "int32")
    (last,) = take_per_row([ids], picked)
    scores, live = ops.top_k(ops.where(last == end_id, -np.inf, best), width)
    return picked, ops.cast(live, "int32"), scores
