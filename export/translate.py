"""Write texts with the `.tflite` file of an encoder-decoder; needs no TensorFlow."""

import numpy as np

from kzoo.export.arrays import cut, named_arrays
from kzoo.export.bundle import read_bundle
from kzoo.export.errors import ExportError
from kzoo.export.runtimes import InterpreterRuntime


class Seq2SeqPredictor:
    """Translations, answers or other texts for texts, from a file of `export_seq2seq` alone.

    An empty text is one step of padding, and unknown characters are the tokenizer's unknown
    token: the model writes something for both. Sources longer than the manifest's `max_length`
    are cut, with a warning that counts them.

    Args:
        path: the file.

    Attributes:
        manifest: the file's manifest; its `seq2seq` holds the settings of the search.
        source_tokenizer: tokenizer of what is read, or None.
        target_tokenizer: tokenizer of what is written, or None.
        labels: names of the classes that are read, or None.

    Raises:
        ExportError: the file is missing, damaged, or no encoder-decoder.

    Example:

    >>> from kzoo.export import ExportError, Seq2SeqPredictor
    >>> try:
    ...     Seq2SeqPredictor("missing.tflite")
    ... except ExportError as error:
    ...     print(error)
    path: no such file: missing.tflite
    """

    def __init__(self, path):
        """Load the file; see the class."""
        bundle = read_bundle(path)
        if bundle is None or "seq2seq" not in bundle.manifest:
            raise ExportError(f"path: {path} is no encoder-decoder; write it with export_seq2seq")
        self.manifest = bundle.manifest
        self.source_tokenizer = _tokenizer(bundle.tokenizer)
        self.target_tokenizer = _tokenizer(bundle.target_tokenizer)
        self.labels = bundle.labels
        self._runtimes = {name: InterpreterRuntime(path, name) for name in ("greedy", "beam")}

    def __call__(self, texts, beam=True):
        """Write one text for each text.

        Args:
            texts: list of str.
            beam: whether to take the best of beam search, or greedy search.

        Returns:
            List of str.

        Raises:
            ValueError: the file carries no tokenizers.
        """
        outputs = self.search(self._read(texts), beam)
        best = outputs["ids"][:, 0] if beam else outputs["ids"]
        return [self.target_tokenizer.detokenize(self._trim(row)) for row in best]

    def best(self, texts):
        """Return for each text the list of `(text, score)` of beam search, best first."""
        outputs = self.search(self._read(texts))
        return [
            [
                (self.target_tokenizer.detokenize(self._trim(ids)), float(score))
                for ids, score, length in zip(*row, strict=True)
                # A search among few ids may find fewer hypotheses than it was asked for.
                if length
            ]
            for row in zip(outputs["ids"], outputs["scores"], outputs["lengths"], strict=True)
        ]

    def align(self, text, beam=True):
        """Return what a search attended to while it wrote.

        Args:
            text: str.
            beam: whether to take the best of beam search, or greedy search.

        Returns:
            Tokens of the source, tokens written (the end with them, if it came), and the float32
            weights, one row for each token written and one column for each of the source.

        Raises:
            ValueError: the file gives no alignments of that search, or carries no tokenizers.
        """
        self._check_alignments(beam)
        source_ids = self._read([text])
        target, weights = self._align(source_ids, beam)
        source = [self.source_tokenizer.vocabulary[id] for id in source_ids[0, : weights.shape[1]]]
        return source, target, weights

    def search(self, source_ids, beam=True):
        """Run a whole search.

        Args:
            source_ids: `(batch, source)`, padded with 0.
            beam: whether to run the signature `beam` or `greedy`.

        Returns:
            Dict of arrays, see `export_seq2seq`.
        """
        signature = "beam" if beam else "greedy"
        specs = self.manifest["signatures"][signature]
        arrays = named_arrays([source_ids], specs["inputs"])
        arrays = cut(arrays, specs["inputs"], self.manifest["max_length"], stacklevel=4)
        if len(next(iter(arrays.values()))):
            return self._runtimes[signature].run(arrays)
        return {
            s["name"]: np.zeros([size or 0 for size in s["shape"]], s["dtype"])
            for s in specs["outputs"]
        }

    def _read(self, texts):
        """Returns what the file takes of texts."""
        if self.source_tokenizer is None or self.target_tokenizer is None:
            raise ValueError(
                "texts: this file carries no tokenizers; give export_seq2seq `source_tokenizer` "
                "and `target_tokenizer`"
            )
        return self.source_tokenizer(texts)

    def _check_alignments(self, beam):
        signature = "beam" if beam else "greedy"
        outputs = self.manifest["signatures"][signature]["outputs"]
        if "alignments" not in [spec["name"] for spec in outputs]:
            raise ValueError(
                f"align: {signature!r} of this file gives no alignments; export it with "
                f"alignments=True. Received: beam={beam}"
            )

    def _align(self, source, beam):
        """Returns the tokens that a search writes for one source, and their alignments."""
        outputs = self.search(source, beam)
        row = 0, *([0] if beam else [])
        weights = outputs["alignments"][row][: outputs["lengths"][row]]
        vocabulary = self.target_tokenizer.vocabulary
        return [vocabulary[id] for id in outputs["ids"][row][: len(weights)]], weights

    def _trim(self, ids):
        (ends,) = np.nonzero(ids == self.manifest["seq2seq"]["end_id"])
        return ids[: ends[0]] if len(ends) else ids


def _tokenizer(content):
    if content is None:
        return None
    from kzoo.text import tokenizer_from_json

    return tokenizer_from_json(content)
