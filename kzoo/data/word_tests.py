"""What word vectors are measured by: pairs of words that people found alike, and analogies."""

from dataclasses import dataclass

from kzoo.data.files import find_files, parse_lines, read_lines


@dataclass(frozen=True)
class _Source:
    folder: str = "word_eval"
    embedded: bool = False


_SIMILARITIES = {"wordsim_353": "EN-WS-353-ALL.txt", "rg_65": "EN-RG-65.txt"}
_ANALOGIES = {"analogies_en": "questions-words.txt", "analogies_ko": "word_analogy_korean.txt"}


def list_word_tests():
    """The names that `load_similarities` and `load_analogies` know, sorted.

    Example:

    >>> list_word_tests()
    ['analogies_en', 'analogies_ko', 'rg_65', 'wordsim_353']
    """
    return sorted([*_SIMILARITIES, *_ANALOGIES])


def load_similarities(name, folder):
    r"""Loads pairs of words with the mean of what people said how alike they are.

    Args:
        name: "wordsim_353" (Finkelstein et al. 2002) or "rg_65" (Rubenstein and Goodenough 1965).
        folder: directory with `word_eval/`, or that directory itself.

    Returns:
        List of `(word, word, score)`.

    Raises:
        ValueError: if the name is unknown or the file is damaged.
        FileNotFoundError: if the folder or the file in it is missing.

    Example, of a file with one pair:

    >>> import tempfile
    >>> from pathlib import Path
    >>> folder = Path(tempfile.mkdtemp())
    >>> _ = (folder / "EN-RG-65.txt").write_text("gem\tjewel\t3.94\n")
    >>> load_similarities("rg_65", folder)
    [('gem', 'jewel', 3.94)]
    """
    path = _find(name, _SIMILARITIES, folder)

    def parse(line):
        fields = line.decode().split("\t")
        if len(fields) < 3:
            raise ValueError(f"expected two words and a number, got {len(fields)} columns")
        return fields[0], fields[1], float(fields[2])

    return parse_lines(path, read_lines(path), parse)[0]


def load_analogies(name, folder):
    r"""Loads analogies: the first word is to the second one as the third is to the fourth.

    Args:
        name: "analogies_en" (Mikolov et al. 2013, arXiv 1301.3781) or "analogies_ko" (Park et al.
            2018, ACL P18-1226).
        folder: directory with `word_eval/`, or that directory itself.

    Returns:
        Dict from the kind of analogy to a list of tuples of four words.

    Raises:
        ValueError: if the name is unknown or the file is damaged.
        FileNotFoundError: if the folder or the file in it is missing.

    Example, of a file with one analogy:

    >>> import tempfile
    >>> from pathlib import Path
    >>> folder = Path(tempfile.mkdtemp())
    >>> _ = (folder / "questions-words.txt").write_text(": capitals\nOslo Norway Rome Italy\n")
    >>> load_analogies("analogies_en", folder)
    {'capitals': [('Oslo', 'Norway', 'Rome', 'Italy')]}
    """
    path = _find(name, _ANALOGIES, folder)

    def parse(line):
        words = tuple(line.decode().split())
        if len(words) != 4 and words[:1] != (":",):
            raise ValueError(f"expected four words or a colon and a name, got {len(words)} words")
        return words

    kinds, found = {}, []
    for words in parse_lines(path, read_lines(path), parse)[0]:
        if words[0] == ":":
            found = kinds.setdefault(" ".join(words[1:]), [])
        else:
            found.append(words)
    return kinds


def _find(name, files, folder):
    if name not in files:
        raise ValueError(f"name: expected one of {', '.join(files)}, got {name!r}")
    return find_files(name, _Source, [files[name]], folder)[files[name]]
