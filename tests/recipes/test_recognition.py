"""The recipe of recognition on few strings: it stops, goes on, reports, exports and streams."""

import json
import wave

import numpy as np
import pytest
from matplotlib import image

import kzoo
from kzoo import cli
from kzoo.export import RecognitionPredictor, export_many, streaming_exports
from kzoo.recipes import recognition
from kzoo.recipes.parts import command_line, recognition_parts, recognition_report, run_folder
from kzoo.recipes.parts.pictures import read_input
from tests.recipes.stopped import check_resumed, stop_and_resume

SIZES = ["--strings", "48", "--test-strings", "6", "--max-length", "2", "--filters", "4", "4"]
SIZES += ["--units", "8", "--epochs", "2", "--batch-size", "16", "--num-beams", "2"]
# What the export tests do in every precision.
PRECISIONS = ("float32",)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run that stopped in its second epoch, and was then run again to its end."""
    out = tmp_path_factory.mktemp("runs") / "stopped"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run_folder, "PRECISIONS", PRECISIONS)
        return out, *stop_and_resume(recognition, out, SIZES, "checkpoint/ctc_ocr_lstm")


def test_goes_on_where_it_stopped(run):
    out, before, after = run
    check_resumed(before, after, epochs=2)
    assert sorted(path.name for path in out.iterdir()) == [
        *(f"beam_{precision}.tflite" for precision in PRECISIONS),
        *("checkpoint", *(f"{precision}.tflite" for precision in PRECISIONS)),
        *("floor.json", "knobs.json", "learning_curve.png", "model.keras", "report.md"),
        *("samples.png", "saved_model", "scores.json"),
    ]
    report = (out / "report.md").read_text()
    for part in ("linear floor", "best path", "2 beams", "beam_float32.tflite", "CC BY-SA"):
        assert part in report


def test_files_score_what_the_model_scores(run):
    rows = {row["model"]: row for row in json.loads((run[0] / "scores.json").read_text())}
    assert rows["float32.tflite"]["word errors"] == rows["Keras, best path"]["word errors"]
    assert float(rows["linear floor, of digits cut out"]["single digits"]) > 80


def test_the_command_reads_pictures_and_arrays(run, tmp_path, capsys):
    path = run[0] / "float32.tflite"
    lines = kzoo.data.DigitLines(kzoo.data.load_digits(), "test", 1, max_length=2)
    ink, _ = lines.draw(0)
    np.save(tmp_path / "line.npy", ink)
    image.imsave(tmp_path / "line.png", ink, cmap="gray_r", vmin=0, vmax=1)
    cli.main(["recognize", str(path), str(tmp_path / "line.npy"), str(tmp_path / "line.png")])
    first, second = (line.split("\t") for line in capsys.readouterr().out.splitlines())
    ((string, certainty),) = RecognitionPredictor(path)([ink])
    assert first == [string, f"{certainty:.4f}", str(tmp_path / "line.npy")]
    assert second[0] == string
    assert abs(float(second[1]) - certainty) < 0.02


def test_pictures_of_any_size_become_lines(tmp_path):
    ink = np.zeros((90, 140), "float32")
    ink[20:83, 30:72] = 1
    for name, colors in (("dark", "gray_r"), ("light", "gray")):
        image.imsave(tmp_path / f"{name}.png", ink, cmap=colors)
        found = read_input(tmp_path / f"{name}.png", 32)
        assert found.shape == (32, 55)
        # A third as high as it was, and as wide.
        np.testing.assert_allclose(found.sum(), 21 * 14, rtol=0.02)
        assert found[6:26, 15:27].min() > 0.99
    (tmp_path / "no.png").write_bytes(b"no picture")
    with pytest.raises(ValueError, match=r"no\.png: expected a picture"):
        read_input(tmp_path / "no.png", 32)
    image.imsave(tmp_path / "empty.png", 0 * ink, cmap="gray", vmin=0, vmax=1)
    with pytest.raises(ValueError, match=r"empty\.png: expected ink on paper"):
        read_input(tmp_path / "empty.png", 32)


def test_recordings_are_read(tmp_path):
    with wave.open(str(tmp_path / "a.wav"), "wb") as file:
        file.setframerate(8000)
        file.setnchannels(1)
        file.setsampwidth(2)
        file.writeframes(np.array([0, 2**14], "<i2").tobytes())
    assert read_input(tmp_path / "a.wav").tolist() == [0, 0.5]


def test_speech_is_scored_by_words_and_streamed(tmp_path):
    settings = {**recognition.SETTINGS["speech_digits"], "test_strings": 2, "max_length": 1}
    knobs = recognition.Knobs(dataset="speech_digits", **settings)
    data = recognition_parts.load(knobs)
    test = recognition_parts.test(data, knobs)
    assert len(test.singles) == 10
    assert recognition_parts.error_rates(data, [[1, 2]], [[1, 3]])["word errors"] == "50.00"
    assert float(recognition_parts.floor(data)["single digits"]) > 30
    model = kzoo.create_model(knobs.stream, num_classes=11, filters=(4,), units=4)
    stream = kzoo.models.ctc_stream(model)
    paths = {name: tmp_path / f"{name}.tflite" for name in ("float32", "dynamic")}
    files = export_many(streaming_exports(stream, paths, 8, lengths=(8,)))
    whole, *rows = table(recognition_report.watch(files, stream, data, test))
    assert [row["model"] for row in rows] == ["float32.tflite", "dynamic.tflite"]
    assert [row["same"] for row in rows] == ["2 of 2", "2 of 2"]
    assert [row["word errors"] for row in rows] == 2 * [whole["word errors"]]
    assert float(rows[0]["difference"]) < 1e-4


def table(text):
    """The rows of the Markdown table in a text, as dicts."""
    head, _, *rows = [line[1:-1].split("|") for line in text.splitlines() if line.startswith("|")]
    return [
        {name.strip(): cell.strip() for name, cell in zip(head, row, strict=True)} for row in rows
    ]


def test_settings_fit_the_knobs():
    for name, settings in recognition.SETTINGS.items():
        assert name in [*kzoo.data.list_digits(), *kzoo.data.list_speech()]
        recognition.Knobs(**settings)


def test_a_missing_folder_is_one_line(tmp_path):
    with pytest.raises(SystemExit, match="fsdd_lucas does not come with kzoo"):
        command_line.run(recognition, ["--dataset", "fsdd_lucas", "--out", str(tmp_path / "out")])
