"""The folder of a run: everything a recipe writes, and what lets it go on after a kill."""

import dataclasses
import json
import os
from pathlib import Path

from kzoo.export import PRECISIONS
from kzoo.text import load_tokenizer


def prepare(knobs, path):
    """Creates the run folder, or finds the run to go on with.

    As long as nothing was trained in it, a run may begin anew with other settings.

    Args:
        knobs: Dataclass instance with the settings of the run.
        path: The run folder; its parents are created too.

    Returns:
        The folder as a `Path`.

    Raises:
        ValueError: if the folder cannot be written, or holds a run with other settings.
    """
    path = Path(path)
    # A folder that was moved, or is called by another path, is the same run.
    settings = {k: str(value) for k, value in dataclasses.asdict(knobs).items() if k != "out"}
    record = path / "knobs.json"
    try:
        path.mkdir(parents=True, exist_ok=True)
        before = json.loads(record.read_text()) if record.exists() else settings
        changed = [name for name in settings if settings[name] != before.get(name)]
        if changed and not any(path.glob("checkpoint/**/state.json")):
            for tokenizer in path.glob("*tokenizer.json"):
                tokenizer.unlink()
            before, changed = settings, []
        write(record, json.dumps(before, indent=1))
    except OSError as error:
        raise ValueError(
            f"`out` must be a folder to write in. Received: {path} ({error})"
        ) from error
    if changed:
        differences = ", ".join(f"{n}={before.get(n)} and now {settings[n]}" for n in changed)
        raise ValueError(
            "`out` must be a new folder, or one of a run with the same settings. "
            f"Received: {path}, which was started with {differences}"
        )
    return path


def write(path, text):
    """Writes a text file in one step: it is there whole, or not at all."""
    draft = path.with_name(f"{path.name}.draft")
    draft.write_text(text, encoding="utf-8")
    os.replace(draft, path)


def write_report(out, text, rows):
    """Writes `report.md`, and the rows of its table as `scores.json`."""
    write(out / "report.md", text)
    write(out / "scores.json", json.dumps(rows, indent=1))


def cached(path, compute):
    """Returns the JSON value in a file; computes and writes it where the file is missing."""
    if not path.exists():
        write(path, json.dumps(compute(), indent=1))
    return json.loads(path.read_text(encoding="utf-8"))


def tokenizer(path, train):
    """Returns the tokenizer in a file; trains and saves it where the file is missing."""
    if not path.exists():
        train().save(path)
    return load_tokenizer(path)


def files(out, prefix=""):
    """Returns the `.tflite` files of a run by precision.

    Example:

    >>> [str(path) for path in files(Path("runs"), "beam_").values()]
    ['runs/beam_float32.tflite', 'runs/beam_float16.tflite', 'runs/beam_dynamic.tflite']
    """
    return {precision: out / f"{prefix}{precision}.tflite" for precision in PRECISIONS}


def stream_files(out):
    """Returns the `.tflite` files of a run that take a sequence chunk by chunk, by precision.

    Example:

    >>> [str(path) for path in stream_files(Path("runs")).values()]
    ['runs/stream.tflite', 'runs/stream_float16.tflite', 'runs/stream_dynamic.tflite']
    """
    return files(out, "stream_") | {"float32": out / "stream.tflite"}


def save_model(model, path):
    """Saves a Keras model in one step."""
    draft = path.with_name(f"draft_{path.name}")
    model.save(draft)
    os.replace(draft, path)
