"""The recipe of faults on short real runs: it stops, goes on, reports, exports and watches."""

import json

import keras
import numpy as np
import pytest

import kzoo
from kzoo import cli
from kzoo.export import FaultPredictor, Predictor
from kzoo.recipes import fault_detection
from kzoo.recipes.parts import alarm_parts, command_line, fault_parts
from tests.recipes.stopped import check_resumed, stop_and_resume

SIZES = ["--units", "8", "--epochs", "2", "--learning-rate", "0.01", "--members", "2"]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run that stopped in its second epoch, and was then run again to its end."""
    out = tmp_path_factory.mktemp("runs") / "stopped"
    return out, *stop_and_resume(fault_detection, out, SIZES, "checkpoint/windows_0")


def test_goes_on_where_it_stopped(run):
    out, before, after = run
    check_resumed(before, after, epochs=2)
    assert sorted(path.name for path in out.iterdir()) == [
        *("checkpoint", "confusion.png", "dynamic.tflite", "float16.tflite", "float32.tflite"),
        *("floor.json", "knobs.json", "learning_curve.png", "model.keras", "report.md"),
        *("saved_model", "scores.json", "stream.keras", "stream.tflite"),
        *("stream_dynamic.tflite", "stream_float16.tflite"),
    ]
    report = (out / "report.md").read_text()
    for part in ("linear floor", "steps until the alarm", "stream.tflite", "fault 6", "Illinois"):
        assert part in report


def test_files_score_what_the_model_scores(run):
    out, *_ = run
    rows = {row["model"]: row for row in json.loads((out / "scores.json").read_text())}
    assert rows["float32.tflite"]["accuracy"] == rows["Keras"]["accuracy"]
    assert float(rows["Keras"]["accuracy"]) > 80


def test_files_say_which_fault_there_is(run):
    out, *_ = run
    data = kzoo.data.load_faults("tep_4_classes")
    begin, end = data.parts["test"][3]
    window = data.values[None, end - 20 : end]
    ((label, probability),) = Predictor(out / "dynamic.tflite").classify(window)
    assert label == "fault 6"
    assert probability > 0.5
    # A stream, measurement by measurement, gives what the model gives for the whole run.
    labeller = keras.saving.load_model(out / "stream.keras")
    whole = np.array(labeller(data.values[None, begin : begin + 90]))[0]
    sizes = []
    for path, tolerance in (("stream", 1e-4), ("stream_float16", 0.01), ("stream_dynamic", 0.05)):
        found, _ = alarm_parts.watch(out / f"{path}.tflite", data.values[begin : begin + 90])
        np.testing.assert_allclose(found, whole, atol=tolerance)
        sizes.append((out / f"{path}.tflite").stat().st_size)
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[2] < 0.8 * sizes[0]


def test_every_stream_is_measured_by_itself(run):
    lines = (run[0] / "report.md").read_text().splitlines()
    rows = [line.split(" | ") for line in lines if line.startswith("| stream")]
    assert [row[0] for row in rows] == [
        f"| stream{end}.tflite" for end in ("", "_float16", "_dynamic")
    ]
    faults, false, right = zip(*(row[1:4] for row in rows), strict=True)
    # So small a model is never certain, but it names the faults.
    assert faults == ("0 of 3",) * 3
    assert false == ("0",) * 3
    assert min(map(float, right)) > 80
    assert max(map(float, right)) - min(map(float, right)) < 2


def test_a_normal_run_raises_no_alarm():
    fault = np.array([0.95, 0.1, 0.92, 0.99, 0.91, 0.95])
    probabilities = np.stack([0.9 * (1 - fault), fault, 0.1 * (1 - fault)], axis=1)
    assert alarm_parts.patience(probabilities) == 5
    assert alarm_parts.patience(probabilities[:4]) == 3
    # Two faults, neither of them certain.
    assert alarm_parts.patience(np.full((99, 3), 1 / 3)) == 3
    assert alarm_parts.patience(np.tile([0.0, 1.0], (99, 1))) == 30


def test_a_run_is_watched_by_the_file_alone(run, tmp_path, capsys):
    out, *_ = run
    data = kzoo.data.load_faults("tep_4_classes")
    begin, _ = data.parts["test"][3]
    lines = [",".join(map(str, row)) for row in data.values[begin : begin + 100]]
    (tmp_path / "run.csv").write_text("\n".join(lines))
    rule = FaultPredictor(out / "stream.tflite").details
    probabilities, alarms = alarm_parts.watch(
        out / "stream.tflite", data.values[begin : begin + 100]
    )
    certain = probabilities[:, 1:].max(axis=1) >= rule["threshold"]
    expected = [certain[max(t + 1 - rule["patience"], 0) : t + 1] for t in range(100)]
    expected = [len(steps) == rule["patience"] and steps.all() for steps in expected]
    assert alarms.tolist() == expected
    cli.main(["watch", str(out / "stream.tflite"), str(tmp_path / "run.csv")])
    lines = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
    assert [int(line[0]) for line in lines] == list(range(1, 101))
    assert [line[3:] == ["alarm"] for line in lines] == expected
    assert [line[1] for line in lines] == [
        data.class_names[best] for best in probabilities.argmax(axis=1)
    ]
    # A window of 20 says nothing before it is full, and raises no alarms.
    cli.main(["watch", str(out / "dynamic.tflite"), str(tmp_path / "run.csv")])
    lines = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
    assert [int(line[0]) for line in lines] == list(range(20, 101))
    ((label, probability),) = Predictor(out / "dynamic.tflite").classify(
        data.values[None, begin + 80 : begin + 100]
    )
    assert lines[-1] == ["100", label, f"{probability:.4f}"]


def test_remaining_life_is_scored_in_cycles():
    data = type("Engines", (), {"class_names": None})
    found = fault_parts.scores(data, np.array([10.0, 20.0]), np.array([[13.0], [16.0]]))
    assert found == {"RMSE": "3.54", "MAE": "3.50"}


def test_settings_fit_the_knobs():
    for name, settings in fault_detection.SETTINGS.items():
        assert name in kzoo.data.list_faults()
        fault_detection.Knobs(**settings)


def test_a_missing_folder_is_one_line(tmp_path):
    with pytest.raises(SystemExit, match="tep does not come with kzoo"):
        command_line.run(fault_detection, ["--dataset", "tep", "--out", str(tmp_path / "out")])
