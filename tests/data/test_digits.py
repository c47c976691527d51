"""Readers of handwritten digits: the format, and that no image is in two parts."""

import gzip

import numpy as np
import pytest

from kzoo.data import load_digits


def write_digits(folder, count=40, labels=None):
    """A file with `count` images, the last two alike."""
    images = np.random.RandomState(0).randint(0, 256, (count, 28, 28)).astype("uint8")
    images[-1] = images[-2]
    labels = np.arange(count) // 2 % 10 if labels is None else labels
    sizes = b"".join(size.to_bytes(4, "big") for size in images.shape)
    home = folder / "mnist_t10k"
    home.mkdir()
    data = bytes([0, 0, 8, 3]) + sizes + images.tobytes()
    (home / "t10k-images-idx3-ubyte.gz").write_bytes(gzip.compress(data))
    data = bytes([0, 0, 8, 1]) + len(labels).to_bytes(4, "big") + bytes(list(labels))
    (home / "t10k-labels-idx1-ubyte").write_bytes(data)
    return images


def test_a_folder_is_read_plain_or_packed(tmp_path):
    images = write_digits(tmp_path)
    digits = load_digits("mnist_t10k", tmp_path)
    np.testing.assert_array_equal(digits.images, images)
    np.testing.assert_array_equal(digits.labels, np.arange(40) // 2 % 10)


@pytest.mark.parametrize("name", ["digits_1600", "mnist_t10k"])
def test_no_image_is_in_two_parts(name, tmp_path):
    folder = None
    if name == "mnist_t10k":
        folder = tmp_path
        write_digits(folder)
    digits = load_digits(name, folder)
    rows = np.concatenate(list(digits.parts.values()))
    assert sorted(rows) == list(range(len(digits.images)))
    parts = [{digits.images[r].tobytes() for r in rows} for rows in digits.parts.values()]
    assert sum(map(len, parts)) == len(set().union(*parts))
    again = load_digits(name, folder)
    assert all((again.parts[part] == rows).all() for part, rows in digits.parts.items())
    for rows in digits.parts.values():
        assert set(digits.labels[rows]) == set(range(10))


def test_what_is_wrong_is_named(tmp_path):
    with pytest.raises(ValueError, match="name: expected one of digits_1600, mnist_t10k, got 'x'"):
        load_digits("x")
    with pytest.raises(ValueError, match=r"--data\), a directory with t10k-images"):
        load_digits("mnist_t10k")
    write_digits(tmp_path, labels=[1, 2])
    with pytest.raises(ValueError, match="expected a label for each of 40 images, got 2"):
        load_digits("mnist_t10k", tmp_path)
    (tmp_path / "mnist_t10k" / "t10k-labels-idx1-ubyte").write_bytes(b"\0\0\x08\x01\0\0\0\x05\1")
    with pytest.raises(ValueError, match="idx1-ubyte: expected 1 sizes and as many bytes"):
        load_digits("mnist_t10k", tmp_path)
