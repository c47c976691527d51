"""Write sequences for classes or vectors with a `.tflite` file; needs no TensorFlow."""

from numbers import Integral

import numpy as np

from kzoo.export.arrays import check_rows, named_arrays
from kzoo.export.errors import ExportError
from kzoo.export.runtimes import InterpreterRuntime
from kzoo.export.translate import Seq2SeqPredictor
from kzoo.export.write import IDS, METHODS, drawing, row_seeds


class SequencePredictor(Seq2SeqPredictor):
    """Texts for classes or vectors, from a file of `export_seq2seq` with `sampling` alone.

    Args:
        path: the file.

    Attributes:
        labels: names of the classes, or None of a file without names, or one that takes vectors.

    Raises:
        ExportError: the file is missing, damaged, or cannot draw.

    Example:

    >>> from kzoo.export import ExportError, SequencePredictor
    >>> try:
    ...     SequencePredictor("missing.tflite")
    ... except ExportError as error:
    ...     print(error)
    path: no such file: missing.tflite
    """

    def __init__(self, path):
        """Load the file; see the class."""
        super().__init__(path)
        if not self.manifest["seq2seq"]["sampling"]:
            raise ExportError(f"path: {path} cannot draw; export it with sampling=True")
        (self._source,) = self.manifest["signatures"]["encode"]["inputs"]
        self._runtimes |= {name: InterpreterRuntime(path, name) for name in ("sample", "score")}

    def __call__(
        self,
        sources,
        method="sample",
        seed=0,
        temperature=1.0,
        top_k=None,
        top_p=1.0,
        repetition_penalty=1.0,
    ):
        """Write one text for each class or vector.

        Args:
            sources: list of names or numbers of classes, or array `(batch, size)` of vectors.
            method: "sample", "greedy" or "beam", of which the best is taken.
            seed: integer; the row with number n draws with `seed + n`.
            temperature: positive number.
            top_k: number of ids to draw from, or None for all.
            top_p: probability in (0, 1] of the ids to draw from.
            repetition_penalty: positive number; the higher above 1, the rarer does an id come back
                in a text that has it already.

        Returns:
            List of str.

        Raises:
            ValueError: an argument is wrong, or the file carries no tokenizer.
        """
        if method not in METHODS:
            raise ValueError(f"method: expected one of {METHODS}, got {method!r}")
        if method != "sample":
            return super().__call__(sources, beam=method == "beam")
        read = self._read(sources)
        inputs = {
            self._source["name"]: read,
            "seed": row_seeds(seed, len(read)),
            **drawing(
                self.manifest["seq2seq"]["vocabulary_size"],
                temperature,
                top_k,
                top_p,
                repetition_penalty,
            ),
        }
        ids = self._runtimes["sample"].run(inputs)["ids"] if len(read) else []
        return [self.target_tokenizer.detokenize(self._trim(row)) for row in ids]

    def score(self, sources, ids):
        """Return the log-probability of each id of texts, given their classes or vectors.

        Args:
            sources: see a call.
            ids: int32 `(batch, time)`, the end id with them, padded with 0.

        Returns:
            float32 `(batch, time)`, 0 for padding.
        """
        inputs = {self._source["name"]: self._read(sources), **named_arrays({"ids": ids}, [IDS])}
        check_rows(inputs)
        return self._runtimes["score"].run(inputs)["log_probabilities"]

    def _read(self, sources):
        if self.target_tokenizer is None:
            raise ValueError(
                "sources: this file carries no tokenizer; give export_seq2seq `target_tokenizer`"
            )
        if isinstance(sources, str):
            raise ValueError(f"sources: expected a list, got {sources!r}")
        if len(self._source["shape"]) == 2:
            vectors = sources if len(sources) else np.zeros((0, self._source["shape"][1]))
            return named_arrays([vectors], [self._source])[self._source["name"]]
        return np.array([self._label(source) for source in sources], "int32")

    def _label(self, source):
        names = self.labels or ()
        if source in names:
            return names.index(source)
        known = isinstance(source, Integral) and 0 <= source < (len(names) or np.inf)
        if not known:
            kinds = f"names of {', '.join(names)}, or their numbers" if names else "numbers"
            raise ValueError(f"sources: expected {kinds}, got {source!r}")
        return source
