"""What a row of pretraining holds: a line, as many lines as fit, or two texts.

A document is a list of lines that belong together, and a line a list of ids.
"""

from typing import NamedTuple

import numpy as np


class SentencePair(NamedTuple):
    """Two texts, for the task of the next sentence; see `sentence_pairs`.

    Attributes:
        first: List of ids.
        second: List of ids.
        label: 0 where the second text goes on with the first, 1 where it is from elsewhere.

    Example:

    >>> SentencePair([7, 8], [9], label=0).second
    [9]
    """

    first: list
    second: list
    label: int


def single_lines(documents, length):
    """Returns every line for itself; one of more than `length` ids becomes several rows.

    Args:
        documents: List of lists of lines, each a list of ids.
        length: The most ids of a row.

    Returns:
        List of lists of ids.

    Example:

    >>> single_lines([[[1, 2, 3], []], [[4, 5]]], 2)
    [[1, 2], [3], [4, 5]]
    """
    return [
        line[start : start + length]
        for document in documents
        for line in document
        for start in range(0, len(line), length)
    ]


def filled_rows(documents, length):
    """Returns rows of as many lines of one document as `length` ids hold.

    Source: Liu et al. 2019 (arXiv 1907.11692), section 4.2, "DOC-SENTENCES".

    Args:
        documents: As in `single_lines`.
        length: The most ids of a row.

    Returns:
        List of lists of ids.

    Example:

    >>> filled_rows([[[1, 2], [3], [4, 5]], [[6]]], 3)
    [[1, 2, 3], [4, 5], [6]]
    """
    rows = []
    for document in documents:
        row = []
        for line in single_lines([document], length):
            if row and len(row) + len(line) > length:
                rows.append(row)
                row = []
            row = row + line
        if row:
            rows.append(row)
    return rows


def sentence_pairs(documents, length, rng, short_share=0.1):
    """Draws pairs of texts for the task of the next sentence.

    The first text is some lines of a document, the second, in half of the pairs each, the lines
    after them, or lines from another document. A tenth of the pairs is short.

    Source: Devlin et al. 2019 (arXiv 1810.04805), appendix A.2; google-research/bert,
    create_pretraining_data.py.

    Args:
        documents: List of at least two lists of lines.
        length: The most ids of both texts together, at least 2.
        rng: `np.random.Generator`.
        short_share: Share of the pairs that are to be short.

    Returns:
        List of `SentencePair`.

    Raises:
        ValueError: if there are fewer than two documents, or `length` is below 2.

    Example:

    >>> documents = [[[1], [2], [3], [4]], [[5], [6], [7], [8]]]
    >>> for pair in sentence_pairs(documents, 4, np.random.default_rng(0), short_share=0):
    ...     print(*pair)
    [1, 2] [6, 7] 1
    [3] [4] 0
    [5, 6] [7, 8] 0
    """
    if length < 2:
        raise ValueError(f"`length` must be at least 2. Received: length={length}")
    documents = [[line for line in document if line] for document in documents]
    documents = [document for document in documents if document]
    if len(documents) < 2:
        raise ValueError(
            "`documents` must be at least two with text, so that a text can come from elsewhere. "
            f"Received: {len(documents)}"
        )
    pairs = []
    for index, document in enumerate(documents):
        start = 0
        while start < len(document):
            is_short = rng.random() < short_share
            target = int(rng.integers(2, length + 1)) if is_short else length
            stop = _stop(document, start, target)
            middle = start + 1
            if stop - start > 1:
                middle = int(rng.integers(start + 1, stop))
            first = _join(document[start:middle])
            if stop - start == 1 or rng.random() < 0.5:
                other = documents[(index + int(rng.integers(1, len(documents)))) % len(documents)]
                begin = int(rng.integers(len(other)))
                end = _stop(other, begin, max(1, target - len(first)))
                # What was to be the next text is still to be read.
                second, start, label = _join(other[begin:end]), middle, 1
            else:
                second, start, label = _join(document[middle:stop]), stop, 0
            pairs.append(SentencePair(*_cut(first, second, length, rng), label))
    return pairs


def _stop(document, start, target):
    """Returns the line before which at least `target` ids have been read, or the end."""
    counts = np.cumsum([len(line) for line in document[start : start + target]])
    return min(start + int(np.searchsorted(counts, target)) + 1, len(document))


def _join(lines):
    return [id for line in lines for id in line]


def _cut(first, second, length, rng):
    """Cuts the longer text at either end, id after id, until both together fit."""
    while len(first) + len(second) > length:
        longer = first if len(first) > len(second) else second
        longer.pop(0 if rng.random() < 0.5 else -1)
    return first, second
