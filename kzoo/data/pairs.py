"""Pairs of texts, split so that no pair is known by heart."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from kzoo.data.splits import hold_out

_FRACTION = 0.1
_MOST_VALIDATION_ROWS = 5000
_SPLITS = ("train", "validation", "test")


@dataclass(frozen=True, eq=False)
class TextPairs:
    """Texts and what belongs to them: `targets[i]` translates, or answers, `sources[i]`.

    Attributes:
        sources: list of str, what is read.
        targets: list of as many str, what is to be written.

    Example:

    >>> len(TextPairs(["나는 학생이다."], ["I am a student."]))
    1
    """

    sources: list[str]
    targets: list[str]

    def __len__(self):
        """The number of pairs."""
        return len(self.sources)


class PairRow(NamedTuple):
    """A pair as it was read; rows of equal `group` stay on one side of a split."""

    split: str
    group: Any
    source: str
    target: str


def split_pairs(rows):
    """Makes the three parts of a set of pairs.

    Official splits are kept. Where there is no test split, a tenth of the rows becomes one; where
    there is no validation split, a tenth of train (at most 5,000 rows) becomes one. Both are drawn
    by `hold_out` with seed 1234, group by group. A row drawn whose source also occurs in what
    remains is left out.

    Args:
        rows: list of `PairRow`.

    Returns:
        Dict from "train", "validation" and "test" to `TextPairs`.

    Raises:
        ValueError: if there are too few groups to split.

    Example:

    >>> rows = [PairRow("train", f"group {i}", f"source {i}", f"target {i}") for i in range(20)]
    >>> {split: len(part) for split, part in split_pairs(rows).items()}
    {'train': 16, 'validation': 2, 'test': 2}
    """
    parts = {split: [row for row in rows if row.split == split] for split in _SPLITS}
    if not parts["test"]:
        parts["train"], parts["test"] = _cut(parts["train"], _FRACTION)
    if not parts["validation"]:
        fraction = min(_FRACTION, _MOST_VALIDATION_ROWS / max(1, len(parts["train"])))
        parts["train"], parts["validation"] = _cut(parts["train"], fraction)
    return {
        split: TextPairs([row.source for row in part], [row.target for row in part])
        for split, part in parts.items()
    }


def _cut(rows, fraction):
    """Splits rows into what remains and what is held out."""
    groups = [row.group for row in rows]
    held = hold_out(groups, np.zeros(len(rows), dtype=np.int32), fraction)
    remaining = [row for row, out in zip(rows, held, strict=True) if not out]
    known = {row.source for row in remaining}
    drawn = [row for row, out in zip(rows, held, strict=True) if out and row.source not in known]
    return remaining, drawn
