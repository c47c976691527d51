"""Real text classification sets, split into train, validation and test."""

from dataclasses import dataclass

import numpy as np

from kzoo.data.catalog import SOURCES
from kzoo.data.files import find_files
from kzoo.data.rows import read_rows
from kzoo.data.splits import hold_out

_FRACTION = 0.1
_MOST_VALIDATION_ROWS = 5000


@dataclass(frozen=True, eq=False)
class LabelledTexts:
    """Texts and their classes: `texts[i]` has class `labels[i]`.

    Attributes:
        texts: list of str.
        labels: int32 `(count,)`, places in the `class_names` of the set.

    Example:

    >>> len(LabelledTexts(["good", "bad"], np.array([1, 0], "int32")))
    2
    """

    texts: list[str]
    labels: np.ndarray

    def __len__(self):
        """The number of texts."""
        return len(self.texts)


@dataclass(frozen=True, eq=False)
class TextClassification:
    """A data set: its three parts, what its classes mean, and which rows could not be used.

    Attributes:
        name: name of the set.
        licence: the terms under which the authors give it.
        class_names: list of what the labels 0, 1, ... mean.
        train, validation, test: `LabelledTexts`.
        skipped: one line of text for each row that could not be used.

    Example:

    >>> data = load_text_classification("spam_en")
    >>> len(data.train), len(data.validation), len(data.test)
    (4523, 503, 548)
    """

    name: str
    licence: str
    class_names: list[str]
    train: LabelledTexts
    validation: LabelledTexts
    test: LabelledTexts
    skipped: list[str]


def list_datasets():
    """The names that `load_text_classification` knows, sorted.

    Example:

    >>> "sentiment_ko" in list_datasets()
    True
    """
    return sorted(SOURCES)


def load_text_classification(name, folder=None, fold=0):
    """Loads a text classification set.

    `sentiment_ko` and `spam_en` come with kzoo; every other set is read from a folder. Official
    test and validation splits are used where the set has them. Where there is no test split, a
    tenth of the rows becomes one; where there is no validation split, a tenth of train (at most
    5,000 rows) becomes one. Both are drawn by `hold_out` with seed 1234, so they are the same every
    time, and share no text with what remains. Texts are as published, less the blanks around them.
    Where a tenth becomes the test split, `fold` says which, for tenfold cross-validation.

    Args:
        name: one of `list_datasets()`.
        folder: directory that holds the set's own directory (for nsmc, `nsmc_rebuilt`), or that
            directory itself. Files may be plain or packed as `.gz` or `.xz`.

    Returns:
        A `TextClassification`. Its `skipped` has one line for each row that could not be used.

    Raises:
        ValueError: if the name is unknown, the folder is needed and absent, a file is damaged, or
            there is no such fold.
        FileNotFoundError: if the folder or a file in it is missing.

    Example:

    >>> data = load_text_classification("spam_en")
    >>> data.class_names, data.test.labels.dtype.name, len(data.skipped)
    (['ham', 'spam'], 'int32', 0)
    """
    if name not in SOURCES:
        raise ValueError(f"name: expected one of {', '.join(list_datasets())}, got {name!r}")
    source = SOURCES[name]
    paths = find_files(name, source, list(source.files.values()), folder)
    rows, skipped = [], []
    for split, file in source.files.items():
        more, broken = read_rows(paths[file], source, split)
        rows += more
        skipped += broken
    parts = {split: _part(rows, split) for split in ("train", "validation", "test")}
    if not parts["test"]:
        parts["train"], parts["test"] = _cut(parts["train"], _FRACTION, fold)
    elif fold:
        raise ValueError(f"fold: expected 0, for {name} has a test split of its own; got {fold}")
    if not parts["validation"]:
        fraction = min(_FRACTION, _MOST_VALIDATION_ROWS / max(1, len(parts["train"])))
        parts["train"], parts["validation"] = _cut(parts["train"], fraction)
    return TextClassification(
        name=name,
        licence=source.licence,
        class_names=list(source.class_names),
        skipped=skipped,
        **parts,
    )


def _part(rows, split):
    chosen = [(text, label) for part, text, label in rows if part == split]
    labels = np.array([label for _, label in chosen], dtype=np.int32)
    return LabelledTexts([text for text, _ in chosen], labels)


def _cut(part, fraction, fold=0):
    """Splits a part into what remains and what is held out."""
    held = hold_out(part.texts, part.labels, fraction, fold=fold)

    def pick(mask):
        return LabelledTexts([part.texts[i] for i in np.flatnonzero(mask)], part.labels[mask])

    return pick(~held), pick(held)
