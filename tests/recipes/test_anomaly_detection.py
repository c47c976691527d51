"""Scores of anomalies: causal, naive at first, trained on errors, and streamed from a file."""

import json

import keras
import numpy as np
import pytest
from keras import ops

import kzoo
from kzoo import cli
from kzoo.export import FaultPredictor, StreamingPredictor, export_streaming
from kzoo.layers import Delay
from kzoo.models import forecast_errors
from kzoo.recipes import anomaly_detection
from kzoo.recipes.parts import run_folder
from kzoo.recipes.parts.alarm_scores import measure
from kzoo.training import ForecastLoss
from tests.recipes.stopped import check_resumed, stop_and_resume

STATISTICS = [80.0, 1.0], [16.0, 0.25]
VALUES = np.random.default_rng(0).normal([80, 1], [4, 0.5], (2, 60, 2)).astype("float32")


def make(**options):
    options |= dict(num_features=2, units=4, window=5, statistics=STATISTICS)
    return kzoo.create_model("anomaly_gru", **options)


@pytest.mark.parametrize("steps", [1, 3, 60, 61])
def test_a_delay_gives_a_step_before(steps):
    delay = Delay.from_config(Delay(steps).get_config())
    delayed = ops.convert_to_numpy(delay(VALUES))
    np.testing.assert_array_equal(delayed[:, steps:], VALUES[:, :-steps])
    assert delayed.shape == VALUES.shape == delay.compute_output_shape(VALUES.shape)
    assert not delayed[:, :steps].any()


@pytest.mark.parametrize("steps", [0, -1, 1.5, True])
def test_a_delay_is_of_whole_steps(steps):
    with pytest.raises(ValueError, match="`steps` must be a positive integer"):
        Delay(steps)


@pytest.mark.parametrize("horizons", [(), (1, 1), (0,), (2.5,)])
def test_bad_horizons_are_named(horizons):
    with pytest.raises(ValueError, match=r"`horizons` must be .*positive integer"):
        make(horizons=horizons)


@pytest.mark.parametrize("horizons", [(1,), (1, 3, 20)])
def test_the_score_begins_as_the_mean_of_what_persistence_leaves(horizons):
    scaled = (VALUES - STATISTICS[0]) / np.sqrt(STATISTICS[1])
    # Until there is a forecast, it counts as zero.
    before = [np.pad(scaled, [(0, 0), (h, 0), (0, 0)])[:, :-h] for h in horizons]
    jumps = abs(scaled - np.array(before)).mean(axis=(0, 3))
    found = ops.convert_to_numpy(make(horizons=horizons)(VALUES))[:, :, 0]
    for step in (0, 3, 20, 59):
        expected = jumps[:, max(step - 4, 0) : step + 1].sum(axis=1) / 5
        np.testing.assert_allclose(found[:, step], expected, rtol=1e-4)


def test_it_trains_on_its_errors_and_streams_from_a_file(tmp_path):
    model = make(horizons=(1, 4))
    trained = forecast_errors(model)
    trained.compile(keras.optimizers.Adam(0.02), ForecastLoss(), jit_compile=False)
    targets = np.zeros((*VALUES.shape[:2], 4))
    losses = trained.fit(VALUES, targets, epochs=60, verbose=0).history["loss"]
    # Noise is best forecast by its mean, not by what was there before.
    assert losses[-1] < 0.75 * losses[0]
    whole = ops.convert_to_numpy(model(VALUES))
    np.testing.assert_allclose(
        ops.convert_to_numpy(model(VALUES[:, :30])), whole[:, :30], atol=1e-5
    )
    export_streaming(model, tmp_path / "step.tflite", 1, inputs=VALUES, lengths=(5, 9))
    predictor = StreamingPredictor(tmp_path / "step.tflite")
    found = np.concatenate([predictor(VALUES[:, t : t + 1]) for t in range(60)], axis=1)
    np.testing.assert_allclose(found, whole, atol=1e-5)


def test_alarms_are_counted_by_windows():
    labels = np.array([0, 0, 0, 1, 1, 0, 0, 1, 1, 0])
    scores = np.array([0.2, 0.4, 0.1, 0.1, 0.9, 0.9, 0.1, 0.2, 0.1, 0.8])
    row = measure("x", scores, labels, begin=2, first=0, margin=1.5)
    assert row["threshold"] == "0.600"
    assert row["windows with an alarm"] == "1 of 2"
    assert row["alarms outside"] == 1


def test_the_recipe_goes_on_where_it_stopped_and_its_file_raises_alarms(
    tmp_path, capsys, monkeypatch
):
    monkeypatch.setattr(run_folder, "PRECISIONS", ("float32", "dynamic"))
    out = tmp_path / "stopped"
    arguments = ["--units", "4", "--window", "50", "--input-length", "24", "--batch-size", "256"]
    arguments += ["--horizons", "1", "6"]
    before, after = stop_and_resume(anomaly_detection, out, arguments, "checkpoint")
    check_resumed(before, after, epochs=2)
    assert sorted(path.name for path in out.iterdir()) == [
        *("checkpoint", "knobs.json", "learning_curve.png", "model.keras", "report.md"),
        *("scores.json", "scores.png", "stream.tflite", "stream_dynamic.tflite"),
    ]
    row, int8 = json.loads((out / "scores.json").read_text())[-2:]
    assert (row["model"], int8["model"]) == ("stream.tflite", "stream_dynamic.tflite")
    assert int8["windows with an alarm"] == row["windows with an alarm"]
    assert abs(float(int8["area under ROC"]) - float(row["area under ROC"])) < 0.01
    assert float(row["difference"]) < 1e-3
    predictor = FaultPredictor(out / "stream.tflite")
    assert row["threshold"] == f"{predictor.details['threshold']:.3f}"
    data = kzoo.data.load_faults("machine_temperature")
    # A machine that grows cold all of a sudden.
    values = np.concatenate([data.values[:200, 0], np.zeros(100)])
    lines = [f"{time},{value}" for time, value in enumerate(values)]
    (tmp_path / "machine.csv").write_text("\n".join(["time,value", *lines]))
    capsys.readouterr()
    cli.main(["watch", str(out / "stream.tflite"), str(tmp_path / "machine.csv")])
    lines = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
    expected = [predictor(np.array([value])) for value in values]
    assert [line[1] for line in lines] == [f"{one.score:.4f}" for one in expected]
    assert [line[2:] == ["alarm"] for line in lines] == [one.alarm for one in expected]
    assert not any(one.alarm for one in expected[:200])
    assert any(one.alarm for one in expected[200:])
