"""A table of word vectors: written, read, and asked for neighbours and analogies."""

import functools
import gzip
import os
import re
import zipfile
import zlib
from pathlib import Path

import numpy as np

ENDINGS = (".txt", ".txt.gz", ".npz")
_DAMAGE = (EOFError, gzip.BadGzipFile, zlib.error, zipfile.BadZipFile)
_PARTED = re.compile("[ \n\r]")  # What parts words and lines in a file.


class WordVectors:
    """Words and their vectors.

        similarity(v, w) = v . w / (|v| |w|)

    A row of zeros is like nothing, and is no neighbour.

    Args:
        words: list of str without repeats.
        table: float `(len(words), dim)`.

    Example:

    >>> vectors = WordVectors(["cat", "dog", "tax"], [[2, 1], [1, 0.4], [-1, 3]])
    >>> vectors.neighbours("cat", 1)
    [('dog', 0.9965457916259766)]
    >>> "dog" in vectors, vectors["dog"].tolist()
    (True, [1.0, 0.4000000059604645])
    """

    def __init__(self, words, table):
        self.words = list(words)
        self.table = np.asarray(table, "float32")
        if self.table.ndim != 2 or len(self.table) != len(self.words):
            raise ValueError(
                f"table: expected a row for each of {len(self.words)} words, "
                f"came shape {self.table.shape}"
            )
        self._ids = {word: id for id, word in enumerate(self.words)}
        if len(self._ids) < len(self.words):
            raise ValueError(
                f"words: expected none twice, came {len(self.words)} words with repeats"
            )

    @classmethod
    def load(cls, path):
        """Read a file of `save`, of word2vec, GloVe, FastText or gensim.

        Args:
            path: a text file (`.txt`, `.vec`, also with `.gz`) of one word a line with its vector,
                with or without the line of two numbers before them; or `.npz` with the arrays
                `words` and `vectors`.

        Raises:
            ValueError: the file is damaged.
        """
        path = Path(path)
        try:
            if path.suffix == ".npz":
                with path.open("rb") as file, np.load(file) as arrays:
                    return cls(arrays["words"].tolist(), arrays["vectors"])
            lines = _read_lines(path)
        except (KeyError, TypeError, ValueError, *_DAMAGE) as error:
            raise ValueError(f"{path}: expected words and vectors, came {error}") from error
        if lines and len(lines[0]) == 2:
            lines = lines[1:]
        sizes = {len(line) for line in lines}
        if len(sizes) != 1 or sizes == {1}:
            raise ValueError(f"{path}: expected a word and as many numbers in every line")
        words = [line[0] for line in lines]
        return cls(words, np.array([line[1:] for line in lines], "float32"))

    def save(self, path):
        """Write the table, whole or not at all: as text in the form of word2vec, or as `.npz`.

        Args:
            path: file that ends in `.txt`, `.txt.gz` or `.npz`.

        Raises:
            ValueError: the file has another ending, or is a text and a word holds a space or a line
                break.
        """
        path = Path(path)
        if not path.name.endswith(ENDINGS):
            raise ValueError(f"path: expected a file that ends in {ENDINGS}, came {str(path)!r}")
        parted = [word for word in self.words if _PARTED.search(word)]
        if parted and path.suffix != ".npz":
            raise ValueError(
                f"path: expected a file that ends in .npz, for words with spaces, such as "
                f"{parted[0]!r}; came {str(path)!r}"
            )
        draft = path.with_name(f"draft_{path.name}")
        if path.suffix == ".npz":
            np.savez_compressed(draft, words=np.array(self.words), vectors=self.table)
        else:
            with (gzip.open if path.suffix == ".gz" else open)(
                draft, "wt", encoding="utf-8"
            ) as file:
                file.write(f"{len(self.words)} {self.table.shape[1]}\n")
                for word, row in zip(self.words, self.table.tolist(), strict=True):
                    # Nine digits tell any two numbers of 32 bits apart.
                    file.write(" ".join([word, *(f"{value:.9g}" for value in row)]) + "\n")
        os.replace(draft, path)

    def __len__(self):
        """Return the number of words."""
        return len(self.words)

    def __contains__(self, word):
        """Return whether a word has a vector."""
        return word in self._ids

    def __getitem__(self, word):
        """Return the vector of a word."""
        return self.table[self._known(word)]

    def id(self, word):
        """Return the row of a word, or None."""
        return self._ids.get(word)

    @functools.cached_property
    def directions(self):
        """The table with rows of length one."""
        norms = np.linalg.norm(self.table, axis=1, keepdims=True)
        return self.table / np.where(norms > 0, norms, 1)

    def neighbours(self, word, count=10):
        """Return the words most similar to a word, without itself: `(word, cosine)`, best first.

        Args:
            word: a known word, or a vector.
            count: number of neighbours.
        """
        if isinstance(word, str):
            return self._nearest(self[word], count, {self._known(word)})
        return self._nearest(np.asarray(word, "float32"), count, set())

    def analogy(self, a, b, c, count=1):
        """Return the words that are to `c` as `b` is to `a`: `(word, cosine)`, best first.

        The nearest to `b - a + c`, of vectors of length one, but those three (Mikolov et al. 2013,
        NAACL N13-1090).
        """
        ids = [self._known(word) for word in (a, b, c)]
        one, two, three = self.directions[ids]
        return self._nearest(two - one + three, count, set(ids))

    def _known(self, word):
        if word not in self._ids:
            raise ValueError(f"word: expected one of {len(self)} known words, came {word!r}")
        return self._ids[word]

    def _nearest(self, vector, count, hidden):
        cosines = self.directions @ (vector / max(np.linalg.norm(vector), 1e-12))
        cosines[[*hidden, *np.flatnonzero(~self.directions.any(axis=1))]] = -np.inf
        order = np.argsort(-cosines, kind="stable")[:count]
        return [(self.words[id], float(cosines[id])) for id in order if cosines[id] > -np.inf]


def _read_lines(path):
    """Returns the fields of each line of a text."""
    with (gzip.open if path.suffix == ".gz" else open)(path, "rt", encoding="utf-8") as file:
        # Words may hold odd spaces, which str.split and splitlines would cut at.
        return [line.rstrip("\n").rstrip(" ").split(" ") for line in file]
