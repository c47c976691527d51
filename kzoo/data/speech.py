"""Real spoken digits, one a recording: what strings of digits are spoken with."""

import io
import re
import wave
from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np

from kzoo.data.files import find_files, open_archive

SAMPLING_RATE = 8000
_FSDD = SimpleNamespace(folder="fsdd", file="recordings.tar", embedded=False)
_SOURCES = {
    "fsdd": _FSDD,
    "fsdd_george": _FSDD,
    "fsdd_lucas": _FSDD,
    "fsdd_nicolas": _FSDD,
    "speech_digits": SimpleNamespace(folder="embedded", file="speech_digits.tar", embedded=True),
}
_NAME = re.compile(r"(?:.*/)?(\d)_([a-z]+)_(\d+)\.wav")


@dataclass(frozen=True, eq=False)
class SpokenDigits:
    """Recordings of single digits, in English.

    Attributes:
        name: name of the set.
        licence: the terms under which its authors give it.
        samples: list of float32 `(time,)` from -1 to 1, 8,000 of them a second.
        labels: int32 `(count,)`, 0 to 9.
        speakers: list of the name of each one's speaker.
        parts: dict from "train", "validation" and "test" to the rows of each; no recording is in
            two.

    Example:

    >>> digits = load_speech()
    >>> digits.samples[0].shape, digits.labels[0].item(), digits.speakers[0]
    ((5145,), 0, 'george')
    """

    name: str
    licence: str
    samples: list[np.ndarray]
    labels: np.ndarray
    speakers: list[str]
    parts: dict[str, np.ndarray]


def list_speech():
    """The names that `load_speech` knows, sorted.

    Example:

    >>> list_speech()
    ['fsdd', 'fsdd_george', 'fsdd_lucas', 'fsdd_nicolas', 'speech_digits']
    """
    return sorted(_SOURCES)


def load_speech(name="speech_digits", folder=None):
    """Loads spoken digits, of the Free Spoken Digit Dataset (Jackson et al. 2018).

    `speech_digits` comes with kzoo: each of six speakers says each digit once, the fifth of them
    for validation and the last one for the test. The others are read from a folder. The test of
    `fsdd` is the official one, the first five recordings of each digit by each speaker; that of
    `fsdd_george`, `fsdd_lucas` and `fsdd_nicolas` are all recordings of that speaker, who is in no
    other part. Of the others, the recordings 5 to 9 are for validation.

    Args:
        name: one of `list_speech()`.
        folder: directory that holds the set's own directory, or that directory itself, with a tar
            of wave files in it, plain or packed as `.gz` or `.xz`.

    Returns:
        A `SpokenDigits`.

    Raises:
        ValueError: if the name is unknown, the folder is needed and absent, or a file is damaged.
        FileNotFoundError: if the folder or a file in it is missing.

    Example:

    >>> digits = load_speech()
    >>> len(digits.samples), digits.labels[:4].tolist(), digits.speakers[:2]
    (60, [0, 0, 0, 0], ['george', 'jackson'])
    """
    if name not in _SOURCES:
        raise ValueError(f"name: expected one of {', '.join(list_speech())}, got {name!r}")
    source = _SOURCES[name]
    path = find_files(name, source, [source.file], folder)[source.file]
    samples, labels, speakers, numbers = [], [], [], []
    for inside, data in _members(path):
        match = _NAME.fullmatch(inside)
        if match is None:
            raise ValueError(
                f"{path}: {inside}: expected a name like 7_jackson_12.wav: digit, speaker, number"
            )
        samples.append(_parse_wave(f"{path}: {inside}", io.BytesIO(data)))
        labels.append(int(match[1]))
        speakers.append(match[2])
        numbers.append(int(match[3]))
    parts = _split(name, np.array(speakers), np.array(numbers))
    for part, rows in parts.items():
        if not len(rows):
            raise ValueError(f"{path}: expected recordings for {part}, got none")
    return SpokenDigits(name, "CC BY-SA 4.0", samples, np.array(labels, "int32"), speakers, parts)


def _members(path):
    """The names and the bytes of the wave files of a tar, sorted by name."""
    with open_archive(path) as archive:
        members = [member for member in archive if member.name.endswith(".wav")]
        members.sort(key=lambda member: member.name)
        return [(member.name, archive.extractfile(member).read()) for member in members]


def _split(name, speakers, numbers):
    if name == "speech_digits":
        *_, validation, test = sorted(set(speakers.tolist()))
        is_test, is_validation = speakers == test, speakers == validation
    else:
        held_out = name.partition("_")[2]
        is_test = speakers == held_out if held_out else numbers < 5
        is_validation = (numbers >= 5) & (numbers < 10) & ~is_test
    return {
        "train": np.flatnonzero(~is_test & ~is_validation),
        "validation": np.flatnonzero(is_validation),
        "test": np.flatnonzero(is_test),
    }


def read_wave(path):
    """Reads a wave file of 8,000 samples a second, 16 bits each; channels are averaged.

    Args:
        path: the file.

    Returns:
        float32 `(time,)`, from -1 to 1.

    Raises:
        ValueError: if the file is of another kind, or damaged; the message names it.
        FileNotFoundError: if there is no such file.

    Example:

    >>> import tempfile
    >>> path = f"{tempfile.mkdtemp()}/two.wav"
    >>> with wave.open(path, "wb") as sound:
    ...     sound.setparams((1, 2, 8000, 2, "NONE", None))
    ...     sound.writeframes(np.array([16384, -8192], "<i2").tobytes())
    >>> read_wave(path).tolist()
    [0.5, -0.25]
    """
    with open(path, "rb") as file:
        return _parse_wave(path, file)


def _parse_wave(path, file):
    try:
        with wave.open(file) as sound:
            kind = sound.getframerate(), 8 * sound.getsampwidth()
            count, channels = sound.getnframes(), sound.getnchannels()
            data = sound.readframes(count)
    except (wave.Error, EOFError) as error:
        raise ValueError(f"{path}: expected a wave file ({error})") from error
    if kind != (SAMPLING_RATE, 16):
        raise ValueError(
            f"{path}: expected {SAMPLING_RATE} samples a second of 16 bits, "
            f"got {kind[0]} of {kind[1]}"
        )
    if not count or len(data) != 2 * channels * count:
        raise ValueError(f"{path}: cut short: {len(data)} bytes of {count} samples")
    samples = np.frombuffer(data, "<i2").reshape(-1, channels).astype("float32")
    return samples.mean(axis=1) / 2**15
