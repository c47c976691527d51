"""Write texts with the `.tflite` file of a language model; needs no TensorFlow."""

from numbers import Integral, Real

import numpy as np

from kzoo.export.arrays import named_arrays
from kzoo.export.bundle import read_bundle
from kzoo.export.errors import ExportError
from kzoo.export.runtimes import InterpreterRuntime

METHODS = ("sample", "greedy", "beam")
IDS = {"name": "ids", "shape": [None, None], "dtype": "int32"}


class LanguageWriter:
    """Goes on with texts; a subclass runs the signatures of `export_language_model`.

    Args:
        settings: dict with `end_id`, `max_length`, `vocabulary_size` and `max_prompt_length`: of
            longer prompts only the end is read, unless it is None.
        tokenizer: `kzoo.text.Tokenizer`, or None.
    """

    def __init__(self, settings, tokenizer):
        """Keep what texts need; see the class."""
        self.settings = settings
        self.tokenizer = tokenizer

    def run(self, signature, inputs):
        """Run one signature on arrays by name; return arrays by name."""
        raise NotImplementedError

    def __call__(
        self,
        prompts,
        method="sample",
        seed=0,
        temperature=1.0,
        top_k=None,
        top_p=1.0,
        repetition_penalty=1.0,
    ):
        """Write what comes after each prompt.

        Args:
            prompts: list of str; "" for the beginning of a text.
            method: "sample", "greedy" or "beam", of which the best is taken.
            seed: integer; the row with number n draws with `seed + n`.
            temperature: positive number.
            top_k: number of ids to draw from, or None for all.
            top_p: probability in (0, 1] of the ids to draw from.
            repetition_penalty: positive number; the higher above 1, the rarer does an id come back
                in a text that has it already.

        Returns:
            List of str, without the prompts.

        Raises:
            ValueError: an argument is wrong, or the file carries no tokenizer.
        """
        if method not in METHODS:
            raise ValueError(f"method: expected one of {METHODS}, got {method!r}")
        if not len(prompts):
            return []
        prompt_ids = self._prompt_ids(prompts)
        inputs = {"prompt_ids": prompt_ids}
        if method == "sample":
            seeds = row_seeds(seed, len(prompts))
            how = temperature, top_k, top_p, repetition_penalty
            inputs |= {"seed": seeds, **drawing(self.settings["vocabulary_size"], *how)}
        ids = self.run(method, inputs)["ids"]
        rows = zip(prompt_ids, ids[:, 0] if method == "beam" else ids, strict=True)
        return [self._text(*row) for row in rows]

    def stream(
        self,
        prompt,
        seed=0,
        temperature=1.0,
        top_k=None,
        top_p=1.0,
        repetition_penalty=1.0,
    ):
        """Yield what `sample` writes after one prompt, piece by piece while it is written.

        It runs `prefill`, `draw` and `step`. A character that a later id may change is held back.

        Args: see a call.
        """
        vocabulary_size = self.settings["vocabulary_size"]
        inputs = {
            "seed": row_seeds(seed, 1),
            "generator": np.zeros((1, 3), "int32"),
            "chosen": np.zeros((1, vocabulary_size), "float32"),
            **drawing(vocabulary_size, temperature, top_k, top_p, repetition_penalty),
        }
        prompt_ids = self._prompt_ids([prompt])
        state = self.run("prefill", {"prompt_ids": prompt_ids})
        ids, shown = [], ""
        for _ in range(self.settings["max_length"]):
            drawn = self.run("draw", {"logits": state.pop("logits"), **inputs})
            inputs |= {name: drawn[f"next_{name}"] for name in ("generator", "chosen")}
            ids.append(int(drawn["ids"][0]))
            if ids[-1] == self.settings["end_id"]:
                break
            text = self._text(prompt_ids[0], ids)[:-1]
            if text.startswith(shown) and text != shown:
                yield text[len(shown) :]
                shown = text
            after = self.run("step", {"ids": drawn["ids"], **state})
            state = {name.removeprefix("next_"): x for name, x in after.items()}
        yield self._text(prompt_ids[0], ids)[len(shown) :]

    def score(self, ids):
        """Return the log-probability of each id after those before it.

        Args:
            ids: int32 `(batch, time)`, padded with 0.

        Returns:
            float32 `(batch, time)`, 0 for the first id and for padding.
        """
        return self.run("score", named_arrays(ids, [IDS]))["log_probabilities"]

    def _prompt_ids(self, prompts):
        from kzoo.text import tokenize_prompts

        if isinstance(prompts, str):
            raise ValueError(f"prompts: expected a list of str, got {prompts!r}")
        if self.tokenizer is None:
            raise ValueError(
                "prompts: there is no tokenizer; give export_language_model `tokenizer`"
            )
        return tokenize_prompts(self.tokenizer, prompts, self.settings["max_prompt_length"])

    def _text(self, prompt_ids, ids):
        from kzoo.text import detokenize_lines

        ids, end_id = ids if isinstance(ids, list) else ids.tolist(), self.settings["end_id"]
        ids = ids[: ids.index(end_id)] if end_id in ids else ids
        # The space between a prompt and what comes after it is seen with both at hand only.
        prompt_ids = prompt_ids[prompt_ids != 0].tolist()
        prompt = detokenize_lines(self.tokenizer, prompt_ids)
        return detokenize_lines(self.tokenizer, prompt_ids + ids)[len(prompt) :]


def drawing(vocabulary_size, temperature, top_k, top_p, repetition_penalty):
    """Returns the checked arrays that say how ids are drawn; no `top_k` keeps all of them."""
    top_k = vocabulary_size if top_k is None else top_k
    how = {}
    for name, value, expected, holds in (
        ("temperature", temperature, "a number above 0", lambda x: 0 < x < np.inf),
        ("top_k", top_k, "an integer of at least 1", lambda x: x >= 1),
        ("top_p", top_p, "a number in (0, 1]", lambda x: 0 < x <= 1),
        ("repetition_penalty", repetition_penalty, "a number above 0", lambda x: 0 < x < np.inf),
    ):
        kind = Integral if name == "top_k" else Real
        # The smallest numbers are 0 in float32.
        if not isinstance(value, kind) or not holds(np.float32(value)):
            raise ValueError(f"{name}: expected {expected}, got {value!r}")
        how[name] = np.array(value, "float32") if kind is Real else np.array(value)
    return {**how, "top_k": np.minimum(how["top_k"], vocabulary_size).astype("int32")}


def row_seeds(seed, rows):
    """Returns the seed of each row, int32 `(rows,)`."""
    if not isinstance(seed, Integral) or not -(2**31) <= seed < 2**31:
        raise ValueError(f"seed: expected an integer of 32 bits, got {seed!r}")
    return np.arange(rows, dtype="int32") + np.int32(seed)


class LanguagePredictor(LanguageWriter):
    """Goes on with texts, from a file of `export_language_model` alone.

    Args:
        path: the file.

    Attributes:
        manifest: the file's manifest.
        settings: its `language`, the settings of the search.
        tokenizer: the tokenizer, or None.

    Raises:
        ExportError: the file is missing, damaged, or no language model.

    Example:

    >>> from kzoo.export import ExportError, LanguagePredictor
    >>> try:
    ...     LanguagePredictor("missing.tflite")
    ... except ExportError as error:
    ...     print(error)
    path: no such file: missing.tflite
    """

    def __init__(self, path):
        """Load the file; see the class."""
        bundle = read_bundle(path)
        if bundle is None or "language" not in bundle.manifest:
            raise ExportError(
                f"path: {path} is no language model; write it with export_language_model"
            )
        tokenizer = None
        if bundle.tokenizer is not None:
            from kzoo.text import tokenizer_from_json

            tokenizer = tokenizer_from_json(bundle.tokenizer)
        super().__init__(bundle.manifest["language"], tokenizer)
        self.manifest = bundle.manifest
        self._path = path
        self._runtimes = {}

    def run(self, signature, inputs):
        """Run one signature on arrays by name; see `export_language_model`."""
        if signature not in self._runtimes:
            self._runtimes[signature] = InterpreterRuntime(self._path, signature)
        return self._runtimes[signature].run(inputs)


class LanguageModelWriter(LanguageWriter):
    """Goes on with texts, by a Keras model, with the same signatures as a file.

    Args:
        model: see `export_language_model`.
        tokenizer: `kzoo.text.Tokenizer`.
        **options: `start_id`, `end_id`, `max_length`, `beam_size`, `length_penalty` and
            `banned_ids`, see `export_language_model`.

    Example:

    >>> from kzoo.models import language_model
    >>> from kzoo.text import ByteTokenizer
    >>> model = language_model(vocabulary_size=260, embedding_dim=4, units=4)
    >>> options = {"start_id": 3, "end_id": None, "max_length": 5, "beam_size": 2}
    >>> writer = LanguageModelWriter(model, ByteTokenizer(), **options)
    >>> writer(["one"], seed=3) == ["".join(writer.stream("one", seed=3))]
    True
    """

    def __init__(self, model, tokenizer, **options):
        """Build the programs; see the class."""
        from kzoo.export.language_programs import LanguagePrograms
        from kzoo.export.search import make_search

        search = make_search(**options)
        self._programs = LanguagePrograms(model, search)
        names = ("vocabulary_size", "max_prompt_length")
        sizes = {name: getattr(self._programs, name) for name in names}
        super().__init__({**search.describe(), **sizes}, tokenizer)

    def run(self, signature, inputs):
        """Run one signature on arrays by name."""
        import keras

        names = [name for name, _, _ in self._programs.inputs[signature]]
        outputs = getattr(self._programs, signature)(*(inputs[name] for name in names))
        return {name: keras.ops.convert_to_numpy(x) for name, x in outputs.items()}
