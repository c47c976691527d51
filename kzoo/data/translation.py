"""Real parallel texts, in both directions."""

from dataclasses import dataclass

from kzoo.data.files import find_files, parse_lines, read_lines
from kzoo.data.pairs import PairRow, TextPairs, split_pairs


@dataclass(frozen=True)
class _Source:
    """How one set lies on disk.

    Attributes:
        folder: the set's own directory inside the folder of all data.
        files: the file of each official split, named without `.gz` or `.xz`. Where `{}` stands for
            a language, each language has its own file and line i of one translates line i of the
            others; else a line holds every language, and whose it is, separated by tabs.
        languages: the languages, in the order of the columns.
        direction: source and target where the user names none.
        licence: the terms under which the authors give the set.
        embedded: whether the files come with kzoo.
    """

    folder: str
    files: dict[str, str]
    languages: tuple[str, ...]
    direction: tuple[str, str]
    licence: str
    embedded: bool = False


_SOURCES = {
    "translation_ko_en": _Source(
        folder="embedded",
        files={"train": "translation_ko_en.tsv"},
        languages=("en", "ko"),
        direction=("ko", "en"),
        licence="CC BY 2.0 FR, tatoeba.org and the contributors named in the file",
        embedded=True,
    ),
    "multi30k": _Source(
        folder="multi30k",
        files={
            "train": "raw.train.{}",
            "validation": "raw.val.{}",
            "test": "raw.test_2016_flickr.{}",
        },
        languages=("de", "en", "fr"),
        direction=("de", "en"),
        licence="non-commercial research, cite Elliott et al. 2016 (no formal licence)",
    ),
}


@dataclass(frozen=True, eq=False)
class Translation:
    """A set of parallel texts: its languages, its three parts, and the rows left out as broken.

    Attributes:
        name: name of the set.
        licence: the terms under which the authors give it.
        source: the language that is read.
        target: the language that is written.
        train, validation, test: `TextPairs`.
        skipped: one line of text for each row that could not be used.

    Example:

    >>> data = load_translation("translation_ko_en")
    >>> data.test.sources[0], data.test.targets[0]
    ('꼼짝마!', 'Freeze!')
    """

    name: str
    licence: str
    source: str
    target: str
    train: TextPairs
    validation: TextPairs
    test: TextPairs
    skipped: list[str]


def list_translations():
    """The names that `load_translation` knows, sorted.

    Example:

    >>> list_translations()
    ['multi30k', 'translation_ko_en']
    """
    return sorted(_SOURCES)


def load_translation(name, folder=None, source=None, target=None):
    """Loads a set of sentences and their translations.

    `translation_ko_en` (Korean and English, from Tatoeba) comes with kzoo; `multi30k` (German,
    English and French captions of pictures) is read from a folder. Official splits are kept: of
    multi30k, train, val and test_2016_flickr. Where there are none, a tenth of the rows becomes
    test, and a tenth of the rest validation, by `split_pairs`; pairs that share a sentence in
    either language stay on one side, and the rows are the same in both directions. Texts are as
    published, less the blanks around them.

    Args:
        name: one of `list_translations()`.
        folder: directory that holds the set's own directory, or that directory itself. Files may be
            plain or packed as `.gz` or `.xz`.
        source: the language to translate from; by default the set's own choice.
        target: the language to translate to.

    Returns:
        A `Translation`. Its `skipped` has one line for each row that could not be used.

    Raises:
        ValueError: if the name or a language is unknown, the folder is needed and absent, a file is
            damaged, or the files of two languages have different numbers of lines.
        FileNotFoundError: if the folder or a file in it is missing.

    Example:

    >>> data = load_translation("translation_ko_en")
    >>> data.source, data.target, len(data.train), len(data.validation), len(data.test)
    ('ko', 'en', 4667, 509, 573)
    """
    if name not in _SOURCES:
        raise ValueError(f"name: expected one of {', '.join(list_translations())}, got {name!r}")
    where = _SOURCES[name]
    source, target = _direction(where, source, target)
    files = {
        split: list(dict.fromkeys(file.format(language) for language in (source, target)))
        for split, file in where.files.items()
    }
    named = [file for pair in files.values() for file in pair]
    paths = find_files(name, where, named, folder)
    rows, skipped = [], []
    for split, pair in files.items():
        found = [paths[file] for file in pair]
        pairs, broken = _read_pairs(found, where.languages, source, target)
        groups = _connect(pairs)
        rows += [PairRow(split, group, *pair) for group, pair in zip(groups, pairs, strict=True)]
        skipped += broken
    return Translation(name, where.licence, source, target, **split_pairs(rows), skipped=skipped)


def _direction(where, source, target):
    default_source, default_target = where.direction
    if source is None:
        source = default_source if target != default_source else default_target
    if target is None:
        target = default_target if source != default_target else default_source
    for argument, language in (("source", source), ("target", target)):
        if language not in where.languages:
            raise ValueError(
                f"{argument}: expected one of {', '.join(where.languages)}, got {language!r}"
            )
    if source == target:
        raise ValueError(f"target: expected another language than the source, got {target!r}")
    return source, target


def _read_pairs(paths, languages, source, target):
    """Reads two files side by side, or the columns of one."""
    if len(paths) == 2:
        lines, parse = _zip_lines(*paths), _parse_sides(source, target)
    else:
        lines, parse = read_lines(paths[0]), _parse_columns(languages, source, target)
    return parse_lines(paths[0], lines, parse)


def _zip_lines(source_path, target_path):
    sources, targets = read_lines(source_path), read_lines(target_path)
    if len(sources) != len(targets):
        raise ValueError(
            f"{target_path}: expected {len(sources)} lines as in {source_path.name}, "
            f"got {len(targets)}"
        )
    return list(zip(sources, targets, strict=True))


def _parse_sides(source, target):
    def parse(sides):
        return tuple(map(_text, sides, (source, target)))

    return parse


def _parse_columns(languages, source, target):
    columns = [*languages, "attribution"]

    def parse(line):
        fields = line.split(b"\t")
        if len(fields) != len(columns):
            raise ValueError(f"expected {len(columns)} columns, got {len(fields)}")
        return tuple(_text(fields[columns.index(name)], name) for name in (source, target))

    return parse


def _text(line, language):
    # A UnicodeDecodeError is a ValueError too, and says at which byte.
    text = line.decode().strip()
    if not text:
        raise ValueError(f"expected a text in {language}, got none")
    return text


def _connect(pairs):
    """Names for each pair the group of those that share a sentence with it, however indirectly.

    Example:

    >>> first, second, third, fourth = _connect([("a", "1"), ("b", "2"), ("b", "1"), ("c", "3")])
    >>> first == second == third, first == fourth
    (True, False)
    """
    parents = {}

    def root(node):
        while parents.setdefault(node, node) != node:
            parents[node] = node = parents[parents[node]]
        return node

    for source, target in pairs:
        parents[root(("target", target))] = root(("source", source))
    return [root(("source", source)) for source, _ in pairs]
