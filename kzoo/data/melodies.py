"""Chorales by Bach as sequences of words, with the mode of each, major or minor."""

import json

import numpy as np

from kzoo.data.files import find_files, read_bytes
from kzoo.data.text_classification import LabelledTexts, TextClassification

VOICES = ("soprano", "all")
# What stands between two steps of all voices, and for a step without a note.
BAR, REST = "|", "rest"

_TONICS = ["C", "C sharp", "D", "E flat", "E", "F", "F sharp", "G", "A flat", "A", "B flat", "B"]
# How well each step above the tonic fits a key: Krumhansl and Kessler 1982, "Tracing the dynamic
# changes in perceived tonal organization in a spatial representation of musical keys", Figure 3.
_FIT = {
    "major": [6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88],
    "minor": [6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17],
}
_SPLITS = {"train": "train", "validation": "valid", "test": "test"}


def find_key(pitches):
    """Finds the key of a piece: the one whose profile correlates best with the notes.

        argmax_key corr(count of each of the 12 pitch classes, profile of the key)

    Source: Krumhansl 1990, "Cognitive Foundations of Musical Pitch", chapter 4.

    Args:
        pitches: MIDI numbers of all notes of all steps.

    Returns:
        Its name.

    Example:

    >>> find_key([60, 64, 67, 72, 62, 67, 71, 65, 60, 64, 67])
    'C major'
    """
    counts = np.bincount(np.asarray(pitches) % 12, minlength=12)
    fits = {
        f"{tonic} {mode}": np.corrcoef(counts, np.roll(profile, shift))[0, 1]
        for mode, profile in _FIT.items()
        for shift, tonic in enumerate(_TONICS)
    }
    return max(fits, key=fits.get)


def load_melodies(folder, voices="soprano"):
    """Loads the chorales of Bach, in quarter notes, in the usual three parts.

    Each is a text of one word a step: the MIDI number of its highest note, or "rest". With all
    voices, a step is the MIDI numbers of its different notes, from the lowest to the highest, and
    "|": as many words as it takes, whose probability is that of the set of notes. That is the
    quantity of Boulanger-Lewandowski et al. 2012, arXiv 1206.6392. The class of a chorale is the
    mode of its key, found by `find_key` from all notes of its four voices, for the files name none;
    most of them are transposed to C.

    Args:
        folder: directory that holds `jsb_chorales`, or that directory itself, with
            `jsb-chorales-quarter.json`, plain or packed as `.gz` or `.xz`.
        voices: one of `VOICES`.

    Returns:
        A `TextClassification`.

    Raises:
        ValueError: if the folder is absent, `voices` is unknown, or the file is damaged.
        FileNotFoundError: if the folder or the file is missing.

    Example, of a file with one short piece in each part:

    >>> import tempfile
    >>> from pathlib import Path
    >>> folder, piece = Path(tempfile.mkdtemp()), [[48, 64, 72], [55, 62, 71], [], [48, 64, 72]]
    >>> chorales = json.dumps(dict.fromkeys(["train", "valid", "test"], [piece]))
    >>> _ = (folder / "jsb-chorales-quarter.json").write_text(chorales)
    >>> data = load_melodies(folder)
    >>> data.train.texts, data.class_names[data.train.labels[0]]
    (['72 71 rest 72'], 'major')
    """
    if voices not in VOICES:
        raise ValueError(f"voices: expected one of {', '.join(VOICES)}, got {voices!r}")
    name = "jsb_chorales"
    path = find_files(name, _Source, [_Source.file], folder)[_Source.file]
    try:
        chorales = json.loads(read_bytes(path))
        parts = {part: chorales[key] for part, key in _SPLITS.items()}
        parts = {part: _part(pieces, voices) for part, pieces in parts.items()}
    except (KeyError, TypeError, json.JSONDecodeError) as error:
        raise ValueError(
            f"{path}: expected lists train, valid and test of chorales, each a list of steps, each "
            f"a list of MIDI numbers; {type(error).__name__}: {error}"
        ) from error
    licence = "none stated; Bach's music is in the public domain"
    return TextClassification(name, licence, list(_FIT), **parts, skipped=[])


class _Source:
    folder, file, embedded = "jsb_chorales", "jsb-chorales-quarter.json", False


def _part(pieces, voices):
    write = {"soprano": _soprano, "all": _all_voices}[voices]
    keys = [find_key([note for step in piece for note in step]) for piece in pieces]
    modes = np.array([list(_FIT).index(key.split()[-1]) for key in keys], "int32")
    return LabelledTexts([" ".join(write(piece)) for piece in pieces], modes)


def _soprano(piece):
    return [str(max(step)) if step else REST for step in piece]


def _all_voices(piece):
    return [word for step in piece for word in (*map(str, sorted(set(step))), BAR)]
