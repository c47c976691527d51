"""Detectors of faults leave as files: windows in every precision, streams step by step."""

import numpy as np
import pytest

import kzoo
from kzoo.export import (
    PRECISIONS,
    Export,
    Predictor,
    StreamingPredictor,
    export_many,
    export_streaming,
)

STATISTICS = [1013.0, -3.0], [25.0, 4.0]
VALUES = np.random.default_rng(0).normal([1013, -3], [5, 2], (6, 80, 2)).astype("float32")
CLASSES = ["normal", "stuck", "leak"]
MODELS = {
    "sequence_gru": {"num_classes": 3, "changes": True},
    "regressor_gru": {"target_statistics": (80.0, 1600.0), "trends": (0.8, 0.95)},
    "regressor_lstm": {"changes": True},
}


def make(name, **options):
    model = kzoo.create_model(name, num_features=2, statistics=STATISTICS, units=6, **options)
    rng = np.random.default_rng(0)
    for weight in model.trainable_weights:
        weight.assign(rng.normal(scale=0.4, size=weight.shape))
    return model


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """The verification of every model's file in every precision, by both."""
    folder, exports = tmp_path_factory.mktemp("faults"), {}
    for name, options in MODELS.items():
        model = make(name, **options)
        for precision in PRECISIONS:
            path = folder / f"{name}_{precision}.tflite"
            exports[name, precision] = Export(
                model, path, precision, inputs=VALUES, lengths=(3, 70)
            )
    verified = export_many(list(exports.values()))
    return dict(zip(exports, zip(exports.values(), verified, strict=True), strict=True))


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("name", MODELS)
def test_runs_in_both_runtimes(files, name, precision):
    export, verification = files[name, precision]
    assert verification.runtimes == ("Interpreter", "CompiledModel")
    assert not [operator for operator in verification.operators if "FLEX" in operator.upper()]
    found, expected = Predictor(verification.path)(VALUES), np.array(export.model(VALUES))
    scale = 1 if name == "sequence_gru" else 80
    # Air pressure lies far from zero: half precision must not lose it.
    limit = {"float32": 1e-5, "float16": 1e-2, "dynamic": 1e-1}[precision]
    np.testing.assert_allclose(found, expected, atol=limit * scale)


@pytest.mark.parametrize(
    ("name", "reads"),
    [("labeller_gru", {"changes": True, "trends": (0.8, 0.95)}), ("labeller_sru", {})],
)
def test_a_stream_labels_every_measurement_as_the_whole_does(name, reads, tmp_path):
    model = make(name, num_classes=3, **reads)
    options = dict(inputs=VALUES, labels=CLASSES, lengths=(5, 20))
    verification = export_streaming(model, tmp_path / "step.tflite", 1, **options)
    assert verification.runtimes == ("Interpreter", "CompiledModel")
    predictor = StreamingPredictor(tmp_path / "step.tflite")
    found = np.concatenate([predictor(VALUES[:2, step : step + 1]) for step in range(80)], axis=1)
    np.testing.assert_allclose(found, np.array(model(VALUES[:2])), atol=1e-5)
    assert predictor.labels == tuple(CLASSES)
