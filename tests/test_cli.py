"""`kzoo export` writes the file that was asked for, says what is in it, and refuses the rest."""

import subprocess
import sys

import keras
import numpy as np
import pytest
from keras import layers

from kzoo import cli
from kzoo.export import StreamingPredictor, read_bundle
from kzoo.layers import Recurrent, SRUCell


@pytest.fixture(scope="module")
def model():
    """A linear recurrence and one that is not, named."""
    return keras.Sequential(
        [
            keras.Input((None, 3)),
            Recurrent(SRUCell(4), return_sequences=True, name="first"),
            layers.LSTM(4, name="second"),
        ]
    )


@pytest.fixture(scope="module")
def saved(model, tmp_path_factory):
    path = tmp_path_factory.mktemp("cli") / "model.keras"
    model.save(path)
    return path


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ([], "lowering: first scan, second loop"),
        (["--lowering", "loop"], "lowering: first loop, second loop"),
    ],
)
def test_export_says_what_each_layer_got(saved, tmp_path, capsys, options, expected):
    file = tmp_path / "model.tflite"
    cli.main(["export", str(saved), str(file), *options])
    assert expected in capsys.readouterr().out.splitlines()
    cli.main(["verify", str(file), str(saved)])
    assert expected in capsys.readouterr().out.splitlines()


def test_list_has_every_data_set(capsys):
    cli.main(["list", "*jsb*"])
    assert "  jsb_chorales\n" in capsys.readouterr().out


def test_a_command_ends_without_lines_of_the_runtimes(saved, tmp_path):
    arguments = ["export", str(saved), str(tmp_path / "model.tflite")]
    command = [sys.executable, "-m", "kzoo.cli", *arguments]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "batches in Interpreter and CompiledModel" in result.stdout
    assert "INFO" not in result.stderr


def test_fused_with_a_batch_size(tmp_path, capsys):
    plain = keras.Sequential([keras.Input((None, 3)), layers.LSTM(4, name="lstm")])
    plain.save(tmp_path / "model.keras")
    arguments = [str(tmp_path / "model.keras"), str(tmp_path / "model.tflite")]
    with pytest.raises(SystemExit, match=r"'lstm' cannot be fused: .* static batch size"):
        cli.main(["export", *arguments, "--lowering", "fused"])
    cli.main(["export", *arguments, "--lowering", "fused", "--batch-size", "1"])
    out = capsys.readouterr().out
    assert "lowering: lstm fused\n" in out
    assert "UNIDIRECTIONAL_SEQUENCE_LSTM" in out


def test_chunks_give_what_the_whole_gives(model, saved, tmp_path, capsys):
    file = tmp_path / "step.tflite"
    cli.main(["export", str(saved), str(file), "--chunk-size", "2"])
    assert "lowering: first unrolled, second unrolled\n" in capsys.readouterr().out
    assert read_bundle(file).manifest["streaming"]["chunk_size"] == 2
    x = np.random.default_rng(0).normal(size=(2, 6, 3)).astype("float32")
    stream = StreamingPredictor(file)
    for start in (0, 2, 4):
        outputs = stream(x[:, start : start + 2])
    np.testing.assert_allclose(outputs, model(x), atol=1e-5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--chunk-size", "0"], "chunk_size: expected a positive integer or None, got 0"),
        (
            ["--chunk-size", "2", "--max-length", "9"],
            "`max_length` must be left out where `chunk_size` is given. Received: max_length='9'",
        ),
        (
            ["--chunk-size", "2", "--tokenizer", "words.json"],
            "`tokenizer` must be left out where `chunk_size` is given. "
            "Received: tokenizer='words.json'",
        ),
        (
            ["--chunk-size", "2", "--batch-size", "1"],
            "`batch_size` must be left out where `chunk_size` is given. Received: batch_size='1'",
        ),
        (
            ["--chunk-size", "2", "--lowering", "fused"],
            "lowering: layer 'first' cannot be fused: the operator computes LSTMCell only",
        ),
        (["--lowering", "unrolled"], "cannot be unrolled: its number of time steps is dynamic"),
        (["--batch-size", "0"], "batch_size: expected a positive integer or None, got 0"),
    ],
)
def test_what_cannot_be_written_is_one_line(saved, tmp_path, options, message):
    with pytest.raises(SystemExit) as error:
        cli.main(["export", str(saved), str(tmp_path / "model.tflite"), *options])
    assert message in str(error.value)
    assert len(str(error.value).splitlines()) == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["caption", "x.tflite"], "`pictures` must be one or more"),
        (["recognize", "x.tflite"], "`inputs` must be one or more"),
        (["neighbours", "x.tflite"], "`words` must be one or more"),
        (["neighbours", "x.tflite", "film", "--count", "-1"], "`count` must be a positive integer"),
        (["sample", "x.tflite", "NOUN", "--count", "0"], "`count` must be a positive integer"),
    ],
)
def test_a_command_without_work_says_so(arguments, message):
    with pytest.raises(SystemExit, match=message):
        cli.main(arguments)


def test_an_unknown_lowering_is_refused_by_the_command_line(saved, tmp_path, capsys):
    with pytest.raises(SystemExit):
        cli.main(["export", str(saved), str(tmp_path / "x.tflite"), "--lowering", "fast"])
    assert "lowering" in capsys.readouterr().err
