"""Reads one file of tagged sentences, and counts the sentences it cannot use."""

import re
from dataclasses import dataclass

from kzoo.data.files import read_lines, report_broken

_SPLITS = {"train": "train", "dev": "validation", "test": "test"}
# A word may begin with "#" too, but then no space follows.
_COMMENT = re.compile("#+ ")
# Words of more than one token, and words that were left out: what is tagged are the tokens.
_RANGE = re.compile(r"\d+[-.]\d+")


@dataclass(frozen=True, eq=False)
class TaggedSentences:
    """Sentences: `tags[i][j]` is the tag of `words[i][j]`.

    Attributes:
        words: list of lists of str, the words, or the characters, of each sentence.
        tags: list of lists of str, as many as there are words.

    Example:

    >>> len(TaggedSentences([["good", "dog"]], [["ADJ", "NOUN"]]))
    1
    """

    words: list[list[str]]
    tags: list[list[str]]

    def __len__(self):
        """The number of sentences."""
        return len(self.words)


def read_sentences(path, columns, tag_names, split):
    """Reads the usable sentences of `path`, plain or packed as `.gz` or `.xz`.

    One row a word; an empty line ends a sentence; a line that begins with `# ` is a comment, or
    names the split of what follows. In CoNLL-U, with its ten columns, rows whose number is a range
    or has a point are passed over. A sentence is skipped when one of its rows has the wrong number
    of columns, no word, an unknown tag, or bytes that are not UTF-8.

    Args:
        path: `pathlib.Path` of the file.
        columns: number of columns, and which of them are word and tag.
        tag_names: all tags there are.
        split: the split of sentences, until the file names another one.

    Returns:
        `(sentences, skipped)`: a list of `(split, words, tags)`, and a list with one line of text
        for each sentence skipped, such as `"train.conll: line 17: expected 2 columns, got 1"`.

    Raises:
        ValueError: if the file is damaged, or no sentence can be used.
    """
    sentences, broken = [], []
    rows, problem, count = [], None, 0
    for number, line in enumerate([*read_lines(path), b""], start=1):
        text = line.decode(errors="surrogateescape").removesuffix("\r")
        if _COMMENT.match(text):
            split = _SPLITS.get(text[2:], split)
        elif text.strip("\t"):
            try:
                rows += _parse_row(line, columns, tag_names)
            except ValueError as error:
                problem = problem or f"line {number}: {error}"
        elif problem or rows:
            count += 1
            if problem:
                broken.append(problem)
            else:
                words, tags = zip(*rows, strict=True)
                sentences.append((split, list(words), list(tags)))
            rows, problem = [], None
    return sentences, report_broken(path, sentences, broken, count)


def _parse_row(line, columns, tag_names):
    """The `(word, tag)` of a row, in a list that is empty for a row to pass over."""
    count, word_at, tag_at = columns
    # A UnicodeDecodeError is a ValueError too, and says at which byte.
    fields = line.decode().removesuffix("\r").split("\t")
    if len(fields) != count:
        raise ValueError(f"expected {count} columns, got {len(fields)}")
    if count == 10 and _RANGE.fullmatch(fields[0]):
        return []
    word, tag = fields[word_at], fields[tag_at]
    if not word:
        raise ValueError("expected a word, got none")
    if tag not in tag_names:
        raise ValueError(f"expected a tag of {', '.join(tag_names)}, got {tag[:80]!r}")
    return [(word, tag)]
