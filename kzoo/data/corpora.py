"""Plain text to learn a language from."""

from dataclasses import dataclass
from pathlib import Path

from kzoo.data.catalog import SOURCES
from kzoo.data.files import find_files, read_lines
from kzoo.data.rows import read_rows


@dataclass(frozen=True)
class _Source:
    """How one corpus lies on disk.

    Attributes:
        folder: the set's own directory inside the folder of all data.
        file: the one file of it, named without `.gz` or `.xz`.
        licence: the terms under which its authors give it.
        shares: shares of the file that are for training and for validation; the rest is for
            testing.
        embedded: whether the file comes with kzoo.
        labelled: the text classification set whose training texts stand before the file's.
    """

    folder: str
    file: str
    licence: str
    shares: tuple[float, float] = (0.8, 0.1)
    embedded: bool = False
    labelled: str | None = None


_SOURCES = {
    "language_en": _Source("embedded", "language_en.txt", "public domain", embedded=True),
    "language_ko": _Source("embedded", "language_ko.txt", "CC0 1.0", embedded=True),
    # As nanoGPT cuts it, so that losses compare; it has no test part.
    "tinyshakespeare": _Source("tinyshakespeare", "input.txt", "public domain", (0.9, 0.1)),
    "nsmc_unlabelled": _Source("nsmc_rebuilt", "unlabelled_lm.txt", "CC0 1.0", (0.98, 0.01)),
    "imdb_reviews": _Source(
        "imdb", "unsup.txt", SOURCES["imdb"].licence, (0.98, 0.01), labelled="imdb"
    ),
}
_PARTS = {"train": "*train*", "validation": "*valid*", "test": "*test*"}


@dataclass(frozen=True, eq=False)
class Corpus:
    """A text in three parts, each a string with the line breaks of the file.

    Attributes:
        name: its name.
        licence: the terms under which its authors give it.
        train: the text to learn from.
        validation: the text to choose settings by.
        test: the text to measure by; empty where a corpus has none.

    Example:

    >>> load_corpus("language_ko").licence
    'CC0 1.0'
    """

    name: str
    licence: str
    train: str
    validation: str
    test: str


def list_corpora():
    """The names that `load_corpus` knows, sorted.

    Example:

    >>> list_corpora()
    ['imdb_reviews', 'language_en', 'language_ko', 'nsmc_unlabelled', 'tinyshakespeare']
    """
    return sorted(_SOURCES)


def load_corpus(name, folder=None):
    """Loads a plain text, cut into parts from its beginning to its end.

    `language_en` (750,000 characters of Shakespeare's plays) and `language_ko` (Korean film
    reviews, one a line) come with kzoo; `tinyshakespeare` (all of the same plays, cut as nanoGPT
    cuts them: nine tenths for training, the rest for validation, nothing for testing),
    `nsmc_unlabelled` (300,000 Korean film reviews) and `imdb_reviews` (75,000 English ones, of the
    training part of IMDb and without a label) are read from a folder.

    Args:
        name: one of `list_corpora()`.
        folder: directory that holds the set's own directory, or that directory itself. The file may
            be plain or packed as `.gz` or `.xz`.

    Returns:
        A `Corpus`.

    Raises:
        ValueError: if the name is unknown, the folder is needed and absent, or the file is damaged.
        FileNotFoundError: if the folder or the file in it is missing.

    Example:

    >>> load_corpus("language_en").train[:14]
    'First Citizen:'
    """
    if name not in _SOURCES:
        raise ValueError(f"name: expected one of {', '.join(list_corpora())}, got {name!r}")
    source = _SOURCES[name]
    labelled = SOURCES[source.labelled].files["train"] if source.labelled else None
    paths = find_files(name, source, [file for file in (labelled, source.file) if file], folder)
    text = _read(paths[source.file])
    if labelled:
        rows, _ = read_rows(paths[labelled], SOURCES[source.labelled], "train")
        text = "\n".join([row for _, row, _ in rows] + [text]).replace("<br />", " ")
    return Corpus(name, source.licence, *_cut(text, source.shares))


def read_corpus(path):
    """Reads texts of yours.

    Args:
        path: a text file, whose first 80 % are for training, the next 10 % for validation and the
            rest for testing; or a folder with one file for each part, named with "train", "valid"
            and "test", which may be missing. UTF-8, plain or packed as `.gz` or `.xz`.

    Returns:
        A `Corpus`.

    Raises:
        ValueError: if a file is damaged, empty or no UTF-8, or there are several for one part.
        FileNotFoundError: if there is nothing of the kind.

    Example:

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp(), "lines.txt")
    >>> _ = path.write_text("0123456789")
    >>> corpus = read_corpus(path)
    >>> corpus.name, corpus.train, corpus.validation, corpus.test
    ('lines', '01234567', '8', '9')
    """
    path = Path(path)
    name, licence = path.name.split(".")[0], "that of your text"
    if path.is_file():
        return Corpus(name, licence, *_cut(_read(path), _Source.shares))
    parts = {part: sorted(path.glob(pattern)) for part, pattern in _PARTS.items()}
    for part, found in parts.items():
        if len(found) > 1:
            names = ", ".join(file.name for file in found)
            raise ValueError(f"path: expected one file {_PARTS[part]} in {path}, got {names}")
    missing = [_PARTS[part] for part in ("train", "validation") if not parts[part]]
    if missing:
        raise FileNotFoundError(
            f"path: expected a text file, or a folder with files {', '.join(_PARTS.values())} "
            f"(the last may be missing), got {str(path)!r} without {' and '.join(missing)}"
        )
    return Corpus(name, licence, *(_read(*found) if found else "" for found in parts.values()))


def _read(path):
    """Returns the text of a file, with line feeds between its lines."""
    try:
        text = b"\n".join(read_lines(path)).decode()
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: expected UTF-8, got {error}") from error
    if not text.strip():
        raise ValueError(f"{path}: expected a text, got nothing but blanks")
    return text.replace("\r\n", "\n")


def _cut(text, shares):
    """Cuts a text into three parts, at characters."""
    first = int(len(text) * shares[0])
    second = len(text) if sum(shares) == 1 else int(len(text) * sum(shares))
    return text[:first], text[first:second], text[second:]
