"""Forecasters leave as files: every preset, in every precision, raw numbers in and out."""

import numpy as np
import pytest

import kzoo
from kzoo import cli
from kzoo.export import Export, ExportError, ForecastPredictor, export_many

QUANTILES = [0.1, 0.5, 0.9]
STATISTICS = [100.0, -3.0], [25.0, 4.0]
SERIES = np.random.default_rng(0).normal([100, -3], [5, 2], (9, 48, 2)).astype("float32")
DETAILS = {
    "columns": ["load", "heat"],
    "targets": ["heat"],
    "quantiles": QUANTILES,
    "reading": {"columns": ["load", "heat"]},
}
PRESETS = kzoo.list_models("forecaster_*")


def make(name):
    options = dict(statistics=STATISTICS, targets=[1], quantiles=QUANTILES)
    sizes = dict(num_features=2, input_length=48, horizon=5, units=8)
    model = kzoo.create_model(name, **sizes, **options)
    rng = np.random.default_rng(0)
    for weight in model.trainable_weights:
        weight.assign(rng.normal(scale=0.2, size=weight.shape))
    return model


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """The export and the verification of every preset's file in every precision, by both."""
    folder, exports = tmp_path_factory.mktemp("forecasters"), {}
    for name in PRESETS:
        model = make(name)
        for precision in ("float32", "float16", "dynamic"):
            path = folder / f"{name}_{precision}.tflite"
            exports[name, precision] = Export(
                model, path, precision, inputs=SERIES, details=DETAILS
            )
    verifications = export_many(list(exports.values()))
    return dict(zip(exports, zip(exports.values(), verifications, strict=True), strict=True))


@pytest.mark.parametrize("precision", ["float32", "float16", "dynamic"])
@pytest.mark.parametrize("name", PRESETS)
def test_runs_in_both_runtimes(files, name, precision):
    _, verification = files[name, precision]
    assert verification.runtimes == ("Interpreter", "CompiledModel")
    assert not [operator for operator in verification.operators if "FLEX" in operator.upper()]


@pytest.mark.parametrize("name", ["forecaster_gru_attention", "forecaster_sru"])
def test_the_file_alone_forecasts(files, name, tmp_path, capsys):
    export, verification = files[name, "float32"]
    predictor = ForecastPredictor(verification.path)
    assert (predictor.input_length, predictor.horizon) == (48, 5)
    assert predictor.names == ["heat 0.1", "heat 0.5", "heat 0.9"]
    expected = np.array(export.model(SERIES))
    np.testing.assert_allclose(predictor(SERIES), expected, atol=1e-4)
    longer = np.concatenate([SERIES[0], SERIES[1]])
    found = predictor.forecast(longer)
    np.testing.assert_allclose(found, expected[1], atol=1e-4)
    rows = "\n".join(f"Mon,{heat},{load}" for load, heat in longer.tolist())
    path = tmp_path / "new.csv"
    path.write_text(f"day,heat,load\n{rows}\n")
    cli.main(["forecast", str(verification.path), str(path)])
    head, *lines = capsys.readouterr().out.splitlines()
    assert head == "step,heat 0.1,heat 0.5,heat 0.9"
    table = np.array([[float(field) for field in line.split(",")] for line in lines])
    np.testing.assert_allclose(table[:, 1:], found[:, 0], atol=1e-3)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (SERIES[0, :47], r"values: expected at least 48 steps of 2 columns, got shape \(47, 2\)"),
        (SERIES[0, :, :1], r"windows: expected shape \(batch, 48, 2\), got \(1, 48, 1\)"),
        (SERIES[0] * np.nan, "windows: expected finite numbers"),
    ],
)
def test_bad_series_are_named(files, values, message):
    with pytest.raises(ValueError, match=message):
        ForecastPredictor(files["forecaster_gru", "dynamic"][1].path).forecast(values)


def test_other_files_forecast_nothing(tmp_path):
    (tmp_path / "model.tflite").write_bytes(b"no bundle in here")
    with pytest.raises(ExportError, match="is no forecaster"):
        ForecastPredictor(tmp_path / "model.tflite")
