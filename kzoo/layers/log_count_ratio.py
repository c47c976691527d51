"""What the texts of each class say of a feature before anything is trained."""

import numpy as np


def log_count_ratios(counts, totals):
    """Computes how much each feature speaks for each class.

        r_fc = log((n_fc + 1) / (n_f - n_fc + 1)) - log((N_c + 1) / (N - N_c + 1))

    Source: the naive Bayes log-count ratio of Wang and Manning 2012, "Baselines and Bigrams"
    (ACL P12-2018), section 2.1, on the number of texts that hold a feature, each class against the
    rest.

    Args:
        counts: `(features, classes)`, `n_fc`: texts of class `c` that hold feature `f`.
        totals: `(classes,)`, `N_c`: texts of class `c`.

    Returns:
        float `(features, classes)`; of two classes only the second, `(features, 1)`.

    Example:

    >>> log_count_ratios(np.array([[0, 3], [2, 2]]), np.array([10, 10])).round(2).tolist()
    [[1.39], [0.0]]
    """
    rest = counts.sum(axis=1, keepdims=True) - counts
    odds = (totals + 1) / (totals.sum() - totals + 1)
    ratios = np.log((counts + 1) / (rest + 1)) - np.log(odds)
    return ratios[:, 1:] if counts.shape[1] == 2 else ratios


def count_by_class(batches, encode):
    """Counts for each code the texts of each class that hold it.

    Args:
        batches: List of `(ids, labels)`: int arrays `(batch, time)`, 0 where a text has ended, and
            `(batch,)` from 0.
        encode: Function from `ids` to codes of the same shape.

    Returns:
        The different codes, sorted, and int `(codes, classes)`.
    """
    held, classes = [], []
    for ids, labels in batches:
        rows, steps = np.nonzero(ids)
        codes = encode(ids)[rows, steps].astype("int64")
        span = codes.max(initial=0) + 1
        pairs = np.unique(rows * span + codes)
        held.append(pairs % span)
        classes.append(labels[pairs // span])
    classes = np.concatenate(classes)
    codes, inverse = np.unique(np.concatenate(held), return_inverse=True)
    num_classes = max(label for _, labels in batches for label in labels) + 1
    cells = np.bincount(inverse * num_classes + classes, minlength=len(codes) * num_classes)
    return codes, cells.reshape(len(codes), num_classes)
