"""Real handwritten digits, one an image: what lines to read and scenes to describe are made of."""

from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np

from kzoo.data.files import find_files, read_bytes
from kzoo.data.splits import hold_out

_SOURCES = {
    "digits_1600": SimpleNamespace(folder="embedded", prefix="digits_1600", embedded=True),
    "mnist_t10k": SimpleNamespace(folder="mnist_t10k", prefix="t10k", embedded=False),
}
_TEST = 0.2
# Of what is left, so that training has 70, validation 10 and the test 20 percent.
_VALIDATION = 0.125


@dataclass(frozen=True, eq=False)
class Digits:
    """Images of single digits.

    Attributes:
        name: name of the set.
        licence: the terms under which its authors give it.
        images: uint8 `(count, 28, 28)`, 0 where there is no ink.
        labels: int32 `(count,)`, 0 to 9.
        parts: dict from "train", "validation" and "test" to the rows of each; no image is in two.

    Example:

    >>> digits = load_digits()
    >>> digits.images[digits.parts["test"]].shape
    (319, 28, 28)
    """

    name: str
    licence: str
    images: np.ndarray
    labels: np.ndarray
    parts: dict[str, np.ndarray]


def list_digits():
    """The names that `load_digits` knows, sorted.

    Example:

    >>> list_digits()
    ['digits_1600', 'mnist_t10k']
    """
    return sorted(_SOURCES)


def load_digits(name="digits_1600", folder=None):
    """Loads images of handwritten digits, of MNIST's test file (LeCun et al. 1998).

    `digits_1600` comes with kzoo, `mnist_t10k` is read from a folder. A fifth of the images of each
    digit is for the test, a tenth for validation: seeded, and equal images stay together.

    Args:
        name: one of `list_digits()`.
        folder: directory that holds the set's own directory, or that directory itself, with files
            in MNIST's formats idx3 and idx1, plain or packed as `.gz` or `.xz`.

    Returns:
        A `Digits`.

    Raises:
        ValueError: if the name is unknown, the folder is needed and absent, or a file is damaged.
        FileNotFoundError: if the folder or a file in it is missing.

    Example:

    >>> digits = load_digits()
    >>> digits.images.shape, {part: len(rows) for part, rows in digits.parts.items()}
    ((1600, 28, 28), {'train': 1122, 'validation': 159, 'test': 319})
    """
    if name not in _SOURCES:
        raise ValueError(f"name: expected one of {', '.join(list_digits())}, got {name!r}")
    source = _SOURCES[name]
    files = [f"{source.prefix}-{kind}-ubyte" for kind in ("images-idx3", "labels-idx1")]
    found = find_files(name, source, files, folder)
    images, labels = (_read(found[file], axes) for file, axes in zip(files, (3, 1), strict=True))
    if len(images) != len(labels):
        raise ValueError(
            f"{found[files[1]]}: expected a label for each of {len(images)} images, "
            f"got {len(labels)}"
        )
    keys = [image.tobytes() for image in images]
    held = hold_out(keys, labels, _TEST)
    kept = np.flatnonzero(~held)
    validation = hold_out([keys[row] for row in kept], labels[kept], _VALIDATION)
    parts = {
        "train": kept[~validation],
        "validation": kept[validation],
        "test": np.flatnonzero(held),
    }
    return Digits(name, "CC BY-SA 3.0", images, labels.astype("int32"), parts)


def _read(path, axes):
    """Reads an array of bytes in the format idx: its kind, its sizes, its values."""
    data = read_bytes(path)
    start = 4 * (1 + axes)
    sizes = [int.from_bytes(data[place : place + 4], "big") for place in range(4, start, 4)]
    if data[:4] != bytes([0, 0, 8, axes]) or len(data) != start + np.prod(sizes):
        raise ValueError(
            f"{path}: expected {axes} sizes and as many bytes, as MNIST has them; "
            f"got {len(data)} bytes that begin with {data[:start].hex(' ', 4)}"
        )
    return np.frombuffer(data, "uint8", offset=start).reshape(sizes)
