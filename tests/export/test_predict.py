"""The predictor and the bundle on files that are not as they should be."""

import contextlib
import os
import subprocess
import sys
import zipfile

import keras
import numpy as np
import pytest

from kzoo.export import ExportError, Predictor, export_tflite, read_bundle


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    path = tmp_path_factory.mktemp("predict") / "model.tflite"
    model = keras.Sequential(
        [
            keras.Input((None, 3)),
            keras.layers.Conv1D(2, 5, padding="same"),
            keras.layers.GlobalMaxPooling1D(),
        ]
    )
    inputs = np.random.default_rng(0).normal(size=(2, 9, 3))
    export_tflite(model, path, inputs=inputs, max_length=50, lengths=(5, 30, 100))
    return path


def test_needs_no_tensorflow(path):
    script = (
        "import sys, numpy as np\n"
        "from kzoo.export import Predictor\n"
        "print(Predictor(sys.argv[1])(np.ones((2, 7, 3))).shape)\n"
        "assert 'tensorflow' not in sys.modules\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(path)],
        env={**os.environ, "KERAS_BACKEND": "jax"},
        capture_output=True,
        text=True,
    )
    assert (done.stdout, done.returncode) == ("(2, 2)\n", 0), done.stderr


def test_long_arrays_are_cut_and_counted(path):
    inputs = np.ones((3, 60, 3))
    inputs[0, 50:] = 0
    predictor = Predictor(path)
    with pytest.warns(UserWarning, match="2 of 3 sequences were cut to 50 steps"):
        outputs = predictor(inputs)
    np.testing.assert_array_equal(outputs, predictor(inputs[:, :50]))


def test_labels_are_needed_to_classify(path):
    with pytest.raises(ValueError, match="no labels"):
        Predictor(path).classify(np.ones((1, 7, 3)))


def test_damaged_files_are_refused(path, tmp_path):
    content = bytearray(path.read_bytes())
    bare = tmp_path / "bare.tflite"
    bare.write_bytes(content[: read_bundle(path).manifest["flatbuffer"]["bytes"]])
    assert read_bundle(bare) is None
    with pytest.raises(ExportError, match="carries no manifest"):
        Predictor(bare)
    bare.write_bytes(content[:-30])
    with pytest.raises(ExportError, match=r"bare\.tflite is cut short"):
        Predictor(bare)
    bare.write_bytes(content[: read_bundle(path).manifest["flatbuffer"]["bytes"]])
    foreign = tmp_path / "foreign.tflite"
    with zipfile.ZipFile(foreign, "w") as archive:
        archive.writestr("else.txt", "")
    with pytest.raises(ExportError, match="damaged"):
        read_bundle(foreign)
    # A model of others, with files of TensorFlow Lite's metadata behind it.
    foreign.write_bytes(bare.read_bytes())
    with zipfile.ZipFile(foreign, "a") as archive:
        archive.writestr("labels.txt", b"\xff")
    assert read_bundle(foreign) is None
    with zipfile.ZipFile(path) as archive:
        packed = archive.getinfo("golden.json")
    broken = tmp_path / "broken.tflite"
    for place in range(packed.header_offset + 6, packed.header_offset + 200):
        wrong = content.copy()
        wrong[place] ^= 8
        broken.write_bytes(wrong)
        # Some bits do no harm, and nothing else may come of the others.
        with contextlib.suppress(ExportError):
            read_bundle(broken)
    content[100] ^= 1
    flipped = tmp_path / "flipped.tflite"
    flipped.write_bytes(content)
    with pytest.raises(ExportError, match="sha256"):
        Predictor(flipped)
