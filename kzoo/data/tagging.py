"""Real sets of tagged sentences: parts of speech and named entities, English and Korean."""

from dataclasses import dataclass

import numpy as np

from kzoo.data.files import find_files
from kzoo.data.sentences import TaggedSentences, read_sentences
from kzoo.data.splits import hold_out

# Nivre et al. 2016, "Universal Dependencies v1".
UNIVERSAL_TAGS = (
    *("ADJ", "ADP", "ADV", "AUX", "CCONJ", "DET", "INTJ", "NOUN", "NUM"),
    *("PART", "PRON", "PROPN", "PUNCT", "SCONJ", "SYM", "VERB", "X"),
)
_FRACTION = 0.1


def _entity_tags(*kinds):
    """The tags of spans in the scheme BIO: outside, begin, inside."""
    return ("O", *(f"{place}-{kind}" for kind in kinds for place in "BI"))


_WNUT17 = _entity_tags("corporation", "creative-work", "group", "location", "person", "product")
# Dates, places, organisations, persons, quantities, times.
_KLUE = _entity_tags("DT", "LC", "OG", "PS", "QT", "TI")


@dataclass(frozen=True)
class _Source:
    """How one set lies on disk.

    Attributes:
        folder: the set's own directory inside the folder of all data.
        files: the file of each official split, named without `.gz` or `.xz`. Where a file holds
            several splits, lines such as `# test` begin them.
        columns: the number of columns of a row, and which of them are word and tag.
        tag_names: all tags there are.
        licence: the terms under which the authors give the set.
        unit: what is tagged, "word" or "character".
        embedded: whether the files come with kzoo.
    """

    folder: str
    files: dict[str, str]
    columns: tuple[int, int, int]
    tag_names: tuple[str, ...]
    licence: str
    unit: str = "word"
    embedded: bool = False


def _embedded(name, tag_names, licence="CC BY-SA 4.0", unit="word"):
    return _Source("embedded", {"train": name}, (2, 0, 1), tag_names, licence, unit, True)


def _treebank(folder):
    files = {
        split: f"{file}.conllu"
        for split, file in (("train", "train"), ("validation", "dev"), ("test", "test"))
    }
    return _Source(folder, files, (10, 1, 3), UNIVERSAL_TAGS, "CC BY-SA 4.0")


_SOURCES = {
    "pos_en": _embedded("pos_en.tsv", UNIVERSAL_TAGS),
    "pos_ko": _embedded("pos_ko.tsv", UNIVERSAL_TAGS),
    "ner_en": _embedded("ner_en.conll", _WNUT17, "CC BY 4.0"),
    "ner_ko": _embedded("ner_ko.tsv", _KLUE, unit="character"),
    "ud_en_ewt": _treebank("ud_en_ewt"),
    "ud_ko_gsd": _treebank("ud_ko_gsd"),
    "wnut17": _Source(
        "wnut17",
        {"train": "train.conll", "validation": "dev.conll", "test": "test.conll"},
        (2, 0, 1),
        _WNUT17,
        "CC BY 4.0",
    ),
    # Its official test split was never published: the dev split is what is tested on.
    "klue_ner": _Source(
        "klue_ner",
        {"train": "train.tsv", "test": "dev.tsv"},
        (2, 0, 1),
        _KLUE,
        "CC BY-SA 4.0",
        "character",
    ),
}


@dataclass(frozen=True, eq=False)
class Tagging:
    """A set of tagged sentences: its three parts, and the sentences left out as broken.

    Attributes:
        name: name of the set.
        licence: the terms under which the authors give it.
        unit: what is tagged, "word" or "character".
        tag_names: list of all tags.
        train, validation, test: `TaggedSentences`.
        skipped: one line of text for each row that could not be used.

    Example:

    >>> data = load_tagging("ner_ko")
    >>> data.unit, len(data.tag_names)
    ('character', 13)
    """

    name: str
    licence: str
    unit: str
    tag_names: list[str]
    train: TaggedSentences
    validation: TaggedSentences
    test: TaggedSentences
    skipped: list[str]


def list_tagging():
    """The names that `load_tagging` knows, sorted.

    Example:

    >>> list_tagging()[:4]
    ['klue_ner', 'ner_en', 'ner_ko', 'pos_en']
    """
    return sorted(_SOURCES)


def load_tagging(name, folder=None):
    """Loads a set of tagged sentences.

    `pos_en`, `pos_ko`, `ner_en` and `ner_ko` come with kzoo; the others are read from a folder.
    Official splits are used; where a set has a dev split and no test split, dev is the test split.
    Where there is no validation split, a tenth of train becomes one, the same every time.

    Entities are tagged in the scheme BIO; `ner_ko` and `klue_ner` tag characters, spaces among
    them, the others words. A sentence with a broken row is left out.

    Args:
        name: one of `list_tagging()`.
        folder: directory that holds the set's own directory, or that directory itself. Files may be
            plain or packed as `.gz` or `.xz`.

    Returns:
        A `Tagging`. Its `skipped` has one line for each sentence that could not be used.

    Raises:
        ValueError: if the name is unknown, the folder is needed and absent, or a file is damaged.
        FileNotFoundError: if the folder or a file in it is missing.

    Example:

    >>> data = load_tagging("pos_en")
    >>> data.train.words[0][:4], data.train.tags[0][:4]
    (['[', 'This', 'killing', 'of'], ['PUNCT', 'DET', 'NOUN', 'ADP'])
    """
    if name not in _SOURCES:
        raise ValueError(f"name: expected one of {', '.join(list_tagging())}, got {name!r}")
    source = _SOURCES[name]
    paths = find_files(name, source, list(source.files.values()), folder)
    sentences, skipped = [], []
    for split, file in source.files.items():
        more, broken = read_sentences(paths[file], source.columns, source.tag_names, split)
        sentences += more
        skipped += broken
    parts = {split: _part(sentences, split) for split in ("train", "validation", "test")}
    if not parts["test"]:
        parts["test"], parts["validation"] = parts["validation"], parts["test"]
    if not parts["validation"]:
        parts["train"], parts["validation"] = _cut(parts["train"])
    return Tagging(
        name, source.licence, source.unit, list(source.tag_names), **parts, skipped=skipped
    )


def _part(sentences, split):
    chosen = [(words, tags) for part, words, tags in sentences if part == split]
    return TaggedSentences([words for words, _ in chosen], [tags for _, tags in chosen])


def _cut(part):
    """Splits a part into what remains and what is held out."""
    texts = ["\t".join(words) for words in part.words]
    held = hold_out(texts, np.zeros(len(texts), "int32"), _FRACTION)

    def pick(rows):
        return TaggedSentences([part.words[i] for i in rows], [part.tags[i] for i in rows])

    return pick(np.flatnonzero(~held)), pick(np.flatnonzero(held))
