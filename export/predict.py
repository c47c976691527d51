"""Run a `.tflite` file of `export_tflite` with nothing but ai-edge-litert and NumPy."""

import numpy as np

from kzoo.export.arrays import check_rows, cut, named_arrays
from kzoo.export.bundle import SIGNATURE, read_bundle
from kzoo.export.errors import ExportError
from kzoo.export.runtimes import InterpreterRuntime


class Predictor:
    """Predictions from a `.tflite` file alone; needs neither TensorFlow nor the Keras model.

    Args:
        path: a file of `export_tflite`.

    Attributes:
        manifest: the file's manifest, see `Bundle`.
        labels: class names, or None.
        tokenizer: the tokenizer from the file, or None.

    Raises:
        ExportError: the file is missing, damaged, carries no manifest, or is one that searches, as
            those of `export_seq2seq` and `export_language_model`.

    Example:

    >>> from kzoo.export import ExportError, Predictor
    >>> try:
    ...     Predictor("missing.tflite")
    ... except ExportError as error:
    ...     print(error)
    path: no such file: missing.tflite
    """

    def __init__(self, path):
        """Load the file; see the class."""
        bundle = read_bundle(path)
        if bundle is None:
            raise ExportError(f"path: {path} carries no manifest; write it with export_tflite")
        self.manifest = bundle.manifest
        if SIGNATURE not in self.manifest["signatures"]:
            found = ", ".join(self.manifest["signatures"])
            raise ExportError(f"path: {path} offers {found}; another predictor runs it")
        self.labels = bundle.labels
        self.tokenizer = None
        if bundle.tokenizer is not None:
            from kzoo.text import tokenizer_from_json

            self.tokenizer = tokenizer_from_json(bundle.tokenizer)
        self._signature = self.manifest["signatures"][SIGNATURE]
        self._runtime = InterpreterRuntime(path, SIGNATURE)

    def __call__(self, inputs):
        """Predict one batch.

        Sequences longer than the manifest's `max_length` are cut, with a warning that counts them.

        Args:
            inputs: list of texts for a model with a tokenizer; else an array, a list of arrays in
                the order of the manifest's inputs, or a dict of arrays by input name.

        Returns:
            Array `(batch, ...)`, or a dict of arrays by output name if there are several.

        Raises:
            ValueError: wrong names, numbers or shapes of inputs, or NaN in them.
        """
        specs, limit = self._signature["inputs"], self.manifest["max_length"]
        texts = inputs if self.tokenizer is None or isinstance(inputs, str) else list(inputs)
        whole = named_arrays(texts if self.tokenizer is None else self.tokenizer(texts), specs)
        check_rows(whole)
        arrays = cut(whole, specs, limit)
        if self.tokenizer is not None and any(arrays[x].shape != whole[x].shape for x in whole):
            # A tokenizer knows what to leave out, and that the end of a text is marked.
            arrays = named_arrays(self.tokenizer(texts, max_length=limit), specs)
        specs = self._signature["outputs"]
        fixed, rows = specs[0]["shape"][0], len(next(iter(arrays.values())))
        if fixed and rows not in (0, fixed):
            raise ValueError(f"inputs: this file takes batches of {fixed} rows only, got {rows}")
        if rows:
            outputs = self._runtime.run(arrays)
        else:
            shapes = {s["name"]: [0, *(size or 0 for size in s["shape"][1:])] for s in specs}
            outputs = {s["name"]: np.zeros(shapes[s["name"]], s["dtype"]) for s in specs}
        return outputs[specs[0]["name"]] if len(specs) == 1 else outputs

    def classify(self, inputs):
        """Predict one batch; return for each row `(label, probability)` of its likeliest class.

        Args:
            inputs: as for a call. With several outputs, the first one is read.

        Raises:
            ValueError: the file carries no labels.
        """
        if self.labels is None:
            raise ValueError("classify: this file carries no labels; give export_tflite `labels`")
        outputs = self(inputs)
        if isinstance(outputs, dict):
            outputs = outputs[self._signature["outputs"][0]["name"]]
        return [(self.labels[row.argmax()], float(row.max())) for row in outputs]

    @property
    def is_tagger(self):
        """Whether the file tags words, see `tag`."""
        outputs = {spec["name"] for spec in self._signature["outputs"]}
        return self.labels is not None and {"tags", "probabilities"} <= outputs

    def tag(self, texts):
        """Tag one batch.

        Args:
            texts: list of texts, or of lists of words.

        Returns:
            For each text a list of `(word, tag, probability)`. Of texts longer than the manifest's
            `max_length` the rest is left out, with a warning.

        Raises:
            ValueError: the file is not one of `kzoo.models.tag_decoder` with tokenizer and labels.
        """
        if not self.is_tagger or not hasattr(self.tokenizer, "split"):
            raise ValueError("tag: this file tags no words; export kzoo.models.tag_decoder(model)")
        rows = [self.tokenizer.split(row) if isinstance(row, str) else row for row in texts]
        outputs = self(rows)
        return [
            [(word, self.labels[i], float(p[i])) for word, i, p in zip(row, tags, ps, strict=False)]
            for row, tags, ps in zip(rows, outputs["tags"], outputs["probabilities"], strict=True)
        ]
