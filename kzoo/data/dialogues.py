"""Real dialogues, as pairs of what was said and what was answered."""

import csv
import itertools
from dataclasses import dataclass

from kzoo.data.files import find_files, parse_lines, read_lines
from kzoo.data.pairs import PairRow, TextPairs, split_pairs


@dataclass(frozen=True)
class _Source:
    """How one set lies on disk.

    Attributes:
        folder: the set's own directory inside the folder of all data.
        files: the file of each official split, named without `.gz` or `.xz`.
        header: the first line, or None. With one, a row is a question and an answer, separated by a
            comma; without, it is a topic and the turns of a dialogue, separated by tabs.
        licence: the terms under which the authors give the set.
        embedded: whether the files come with kzoo.
    """

    folder: str
    files: dict[str, str]
    header: str | None
    licence: str
    embedded: bool = False


_SOURCES = {
    "chatbot_ko": _Source(
        folder="embedded",
        files={"train": "chatbot_ko.csv"},
        header="Q,A,label",
        licence="MIT",
        embedded=True,
    ),
    "self_dialogue_en": _Source(
        folder="self_dialogue_en",
        files={"train": "train.tsv", "test": "dev.tsv"},
        header=None,
        licence="BSD-3-Clause",
    ),
}


@dataclass(frozen=True, eq=False)
class Dialogues:
    """A set of questions and answers: its three parts, and the rows left out as broken.

    Attributes:
        name: name of the set.
        licence: the terms under which the authors give it.
        train, validation, test: `TextPairs`.
        skipped: one line of text for each row that could not be used.

    Example:

    >>> data = load_dialogues("chatbot_ko")
    >>> len(data.train), len(data.validation), len(data.test)
    (9523, 1060, 1169)
    """

    name: str
    licence: str
    train: TextPairs
    validation: TextPairs
    test: TextPairs
    skipped: list[str]


def list_dialogues():
    """The names that `load_dialogues` knows, sorted.

    Example:

    >>> list_dialogues()
    ['chatbot_ko', 'self_dialogue_en']
    """
    return sorted(_SOURCES)


def load_dialogues(name, folder=None):
    """Loads a set of questions, or turns of a dialogue, and their answers.

    `chatbot_ko` (Korean questions, each with one answer) comes with kzoo. `self_dialogue_en`
    (English dialogues, where each turn answers the one before) is read from a folder; its dev file
    is the test split. Other splits are drawn by `split_pairs`, so that a question, and a dialogue,
    is on one side only. Texts are as published, less the blanks around them.

    Args:
        name: one of `list_dialogues()`.
        folder: directory that holds the set's own directory, or that directory itself. Files may be
            plain or packed as `.gz` or `.xz`.

    Returns:
        A `Dialogues`. Its `skipped` has one line for each row that could not be used.

    Raises:
        ValueError: if the name is unknown, the folder is needed and absent, or a file is damaged.
        FileNotFoundError: if the folder or a file in it is missing.

    Example:

    >>> data = load_dialogues("chatbot_ko")
    >>> data.train.sources[0], data.train.targets[0]
    ('12시 땡!', '하루가 또 가네요.')
    """
    if name not in _SOURCES:
        raise ValueError(f"name: expected one of {', '.join(list_dialogues())}, got {name!r}")
    where = _SOURCES[name]
    paths = find_files(name, where, list(where.files.values()), folder)
    rows, skipped = [], []
    for split, file in where.files.items():
        dialogues, broken = _read_dialogues(paths[file], where.header)
        rows += [
            PairRow(split, group, source, target)
            for group, turns in dialogues
            for source, target in itertools.pairwise(turns)
        ]
        skipped += broken
    return Dialogues(name, where.licence, **split_pairs(rows), skipped=skipped)


def _read_dialogues(path, header):
    """Reads `(group, turns)` of every dialogue."""
    lines = read_lines(path)
    if header is None:
        return parse_lines(path, lines, _parse_turns)
    got = lines.pop(0).decode(errors="replace").rstrip("\r")
    if got != header:
        raise ValueError(f"{path}: line 1: expected the columns {header}, got {got[:200]}")
    return parse_lines(path, lines, _parse_answer, first=2)


def _parse_answer(line):
    """Returns the question, which is the row's group, and both turns."""
    # A UnicodeDecodeError is a ValueError too, and says at which byte.
    try:
        (fields,) = csv.reader([line.decode().removesuffix("\r")], strict=True)
    except csv.Error as error:
        raise ValueError(f"expected a row of a CSV file, got {error}") from error
    if len(fields) != 3:
        raise ValueError(f"expected 3 columns, got {len(fields)}")
    turns = _texts(fields[:2])
    return turns[0], turns


def _parse_turns(line):
    """Returns the dialogue itself as its group, and its turns."""
    text = line.decode().removesuffix("\r")
    _, *fields = text.split("\t")
    if len(fields) < 2:
        raise ValueError(f"expected a topic and two turns or more, got {len(fields)} turns")
    return text, _texts(fields)


def _texts(fields):
    texts = [field.strip() for field in fields]
    if not all(texts):
        raise ValueError("expected a text in every turn, got none in one")
    return texts
