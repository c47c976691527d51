"""What writes texts for texts: a run folder's Keras model, or a `.tflite` file alone."""

import json
from pathlib import Path

from kzoo.text import load_tokenizer


def load_writer(path):
    """Returns a function `(texts, beam=True)` from a list of texts to the list of what is written.

    Args:
        path: A `.tflite` file of `kzoo.export.export_seq2seq`; or a run folder of the recipe
            `translation` or `chatbot`, or the `model.keras` in it.

    Raises:
        ValueError: if there is nothing of the kind.

    Example:

    >>> load_writer("missing")
    Traceback (most recent call last):
    ValueError: `model` must be a .tflite file or a run folder with its model. Received: missing
    """
    path = Path(path)
    if path.suffix == ".tflite":
        from kzoo.export import Seq2SeqPredictor

        return Seq2SeqPredictor(path)
    model, knobs = _find_run(path)
    if "length_penalty" not in knobs:
        raise ValueError(
            f"`model` must be a run of the recipe translation or chatbot. Received: {path}"
        )
    return _keras_writer(model, knobs)


def load_language_writer(path):
    """Returns a `kzoo.export.LanguagePredictor`, or a `LanguageModelWriter`, which is used alike.

    Args:
        path: A `.tflite` file of `kzoo.export.export_language_model`; or a run folder of the recipe
            `language`, or the `model.keras` in it.

    Raises:
        ValueError: if there is nothing of the kind.

    Example:

    >>> load_language_writer("missing")
    Traceback (most recent call last):
    ValueError: `model` must be a .tflite file or a run folder with its model. Received: missing
    """
    path = Path(path)
    if path.suffix == ".tflite":
        from kzoo.export import LanguagePredictor

        return LanguagePredictor(path)
    model, knobs = _find_run(path)
    if "one_line" not in knobs:
        raise ValueError(f"`model` must be a run of the recipe language. Received: {path}")
    import keras

    from kzoo.export import LanguageModelWriter
    from kzoo.recipes.parts.language_files import settings

    return LanguageModelWriter(
        keras.saving.load_model(model),
        load_tokenizer(model.with_name("tokenizer.json")),
        **settings(
            model=knobs["model"],
            one_line=knobs["one_line"] == "True",
            **{name: int(knobs[name]) for name in ("window", "length", "num_beams")},
        ),
    )


def _find_run(path):
    """Returns the path of a run's model, and its settings as strings."""
    model = path / "model.keras" if path.is_dir() else path
    knobs = model.with_name("knobs.json")
    if not model.is_file() or not knobs.is_file():
        raise ValueError(
            f"`model` must be a .tflite file or a run folder with its model. Received: {path}"
        )
    return model, json.loads(knobs.read_text(encoding="utf-8"))


def load_tokenizers(folder):
    """Returns the tokenizer of what a run's model reads, and of what it writes."""
    one = folder / "tokenizer.json"
    names = ("source_tokenizer.json", "target_tokenizer.json")
    paths = [one, one] if one.exists() else [folder / name for name in names]
    return [load_tokenizer(path) for path in paths]


def _keras_writer(path, knobs):
    import keras

    from kzoo.recipes.parts.generation import Writer

    model = keras.saving.load_model(path)
    writer = Writer(
        model,
        load_tokenizers(path.parent),
        int(knobs["max_length"]),
        float(knobs["length_penalty"]),
    )
    return lambda texts, beam=True: writer(texts, int(knobs["num_beams"]) if beam else 1)
