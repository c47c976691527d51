"""Measurements are judged one after the other by a file, which says when an alarm is on."""

import keras
import numpy as np
import pytest

import kzoo
from kzoo.export import Export, ExportError, FaultPredictor, export_many, export_streaming
from tests.weights import randomize

VALUES = np.random.default_rng(0).normal(size=(40, 2)).astype("float32")
DETAILS = {"columns": ["a", "b"], "reading": {}, "input_length": 1}


@pytest.fixture(scope="module")
def stream(tmp_path_factory):
    """What a causal model of three classes gives, its file, and when a fault is certain there."""
    model = randomize(kzoo.create_model("labeller_gru", num_features=2, num_classes=3, units=4))
    path = tmp_path_factory.mktemp("alarms") / "stream.tflite"
    probabilities = keras.ops.convert_to_numpy(model(VALUES[None]))[0]
    threshold = float(np.median(probabilities[:, 1:].max(axis=1)) + 1e-3)
    details = {**DETAILS, "threshold": threshold, "patience": 2}
    export_streaming(model, path, 1, labels=["normal", "x", "y"], details=details)
    return probabilities, path, threshold


def test_an_alarm_is_on_while_a_fault_is_certain(stream):
    probabilities, path, threshold = stream
    predictor = FaultPredictor(path)
    for _ in range(2):
        found = [predictor(row) for row in VALUES]
        np.testing.assert_allclose([one.output for one in found], probabilities, atol=1e-5)
        best = probabilities.argmax(axis=1)
        assert [one.label for one in found] == [predictor.labels[index] for index in best]
        certain = probabilities[:, 1:].max(axis=1) >= threshold
        expected = certain & np.concatenate([[False], certain[:-1]])
        assert [one.alarm for one in found] == expected.tolist()
        assert 0 < expected.sum() < certain.sum() < 40
        predictor.reset()


def test_a_window_waits_until_it_knows_enough(tmp_path):
    model = randomize(kzoo.create_model("regressor_gru", num_features=2, units=4))
    path = tmp_path / "window.tflite"
    details = {**DETAILS, "input_length": 8, "shortest": 3}
    export_many([Export(model, path, inputs=VALUES[None, :8], details=details)])
    predictor = FaultPredictor(path)
    found = [predictor(row) for row in VALUES[:4]]
    # What is no number is refused, and not remembered.
    with pytest.raises(ValueError, match="NaN"):
        predictor([np.nan, 0.0])
    found += [predictor(row) for row in VALUES[4:12]]
    assert found[:2] == [None, None]
    windows = [np.concatenate([np.zeros((8, 2)), VALUES[:end]])[-8:] for end in range(3, 13)]
    expected = keras.ops.convert_to_numpy(model(np.stack(windows).astype("float32")))[:, 0]
    np.testing.assert_allclose([one.score for one in found[2:]], expected, rtol=1e-4, atol=1e-4)
    assert {one.label for one in found[2:]} == {None}
    assert not any(one.alarm for one in found[2:])


@pytest.mark.parametrize("row", [np.zeros(3), np.zeros((1, 2)), [np.nan, 0.0]])
def test_what_is_no_measurement_is_refused(stream, row):
    with pytest.raises(ValueError, match=r"measurements: expected .* 2 numbers|NaN"):
        FaultPredictor(stream[1])(row)


def test_a_file_that_judges_nothing_is_refused(tmp_path):
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    # A forecaster says as much of its columns.
    details = {"columns": ["a", "b", "c"], "reading": {}}
    export_many([Export(model, tmp_path / "model.tflite", details=details)])
    with pytest.raises(ExportError, match="is no judge of measurements"):
        FaultPredictor(tmp_path / "model.tflite")
