"""Find the nearest words by a `.tflite` file, or by a table of word vectors; no TensorFlow."""

from pathlib import Path

from kzoo.export.bundle import SIGNATURE
from kzoo.export.errors import ExportError
from kzoo.export.predict import Predictor
from kzoo.text import WordVectors
from kzoo.text.tokenizer import SPECIAL_TOKENS


class NeighbourFinder:
    """Finds the words most similar to a word.

    Args:
        path: a `.tflite` file of `kzoo.models.nearest_words` with its tokenizer, such as the recipe
            `embeddings` writes; or a table that `kzoo.text.WordVectors` reads.

    Raises:
        ExportError: the file is missing or damaged, or finds no words.
        ValueError: the table is damaged.

    Example:

    >>> from kzoo.text import WordVectors
    >>> WordVectors(["cat", "dog", "tax"], [[2, 1], [1, 0.4], [-1, 3]]).save("table.txt")
    >>> NeighbourFinder("table.txt")("cat", 1)
    [('dog', 0.9965457916259766)]
    """

    def __init__(self, path):
        """Load the file; see the class."""
        path = Path(path)
        self.vectors = None
        if path.suffix != ".tflite":
            if not path.is_file():
                raise ExportError(f"path: no such file: {path}")
            self.vectors = WordVectors.load(path)
            return
        self._predictor = Predictor(path)
        signature = self._predictor.manifest["signatures"][SIGNATURE]
        outputs = {spec["name"] for spec in signature["outputs"]}
        if self._predictor.tokenizer is None or not {"similarities", "neighbours"} <= outputs:
            raise ExportError(f"path: {path} finds no words; the recipe `embeddings` writes such")

    def __call__(self, word, count=10):
        """Find the words most similar to a word.

        Args:
            word: one word.
            count: how many; a file finds no more than it was exported with.

        Returns:
            List of `(word, cosine)`, best first, without the word itself.

        Raises:
            ValueError: the word is not known, and the file does not read its letters.
        """
        if self.vectors is not None:
            return self.vectors.neighbours(word, count)
        word = word.lower()
        tokenizer = self._predictor.tokenizer
        outputs = self._predictor([word])
        if outputs["neighbours"].shape[1] != 1 or not outputs["similarities"].any():
            raise ValueError(f"word: expected one word that the file knows, got {word!r}")
        found = zip(outputs["neighbours"][0, 0], outputs["similarities"][0, 0], strict=True)
        named = [(tokenizer.vocabulary[id], float(cosine)) for id, cosine in found]
        return [pair for pair in named if pair[0] not in (word, *SPECIAL_TOKENS)][:count]
