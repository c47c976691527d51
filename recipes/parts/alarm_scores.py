"""How well alarms meet labelled windows."""

import numpy as np
from sklearn.metrics import roc_auc_score


def episodes(flags):
    """Returns `(begin, end)` of what is true in a row.

    Example:

    >>> episodes(np.array([False, True, True, False, True]))
    [(1, 3), (4, 5)]
    """
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flags, [0]])))
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def measure(name, scores, labels, begin, first, margin, threshold=None):
    """Returns the row of a score: windows found, and alarms outside of them, in the test part."""
    threshold = margin * scores[first:begin].max() if threshold is None else threshold
    alarms = episodes(scores[begin:] > threshold)
    windows = episodes(labels[begin:] > 0)
    hits = [any(a < end and b > start for a, b in alarms) for start, end in windows]
    false = [not any(a < end and b > start for start, end in windows) for a, b in alarms]
    return {
        "model": name,
        "windows with an alarm": f"{sum(hits)} of {len(windows)}",
        "alarms outside": sum(false),
        "area under ROC": f"{roc_auc_score(labels[begin:], scores[begin:]):.3f}",
        "threshold": f"{threshold:.3f}",
    }
