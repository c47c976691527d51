"""The recipe of forecasts on a short real series: it stops, goes on, reports and exports."""

import json

import numpy as np
import pytest

import kzoo
from kzoo.cli import main as kzoo_command
from kzoo.export import ForecastPredictor
from kzoo.recipes import forecasting
from kzoo.recipes.parts import command_line, forecast_floors, forecasting_parts
from tests.recipes.stopped import check_resumed, stop_and_resume

SIZES = [
    *("--input-length", "14", "--horizon", "3", "--units", "8", "--epochs", "2", "--season", "7"),
    *("--quantiles", "0.05", "0.5", "0.95", "--members", "2", "--learning-rate", "0.01"),
]


@pytest.fixture(scope="module")
def series(tmp_path_factory):
    """The first thousand days of an embedded set, as a file of one's own."""
    path = tmp_path_factory.mktemp("data") / "days.csv"
    values = kzoo.data.load_series("min_temperatures").values[:1000, 0]
    rows = "".join(f"{day},{value:.1f}\n" for day, value in enumerate(values))
    path.write_text("day,temperature\n" + rows)
    return path


@pytest.fixture(scope="module")
def run(series, tmp_path_factory):
    """A run that stopped in its second epoch, and was then run again to its end."""
    out = tmp_path_factory.mktemp("runs") / "stopped"
    arguments = ["--series", str(series), "--columns", "temperature", *SIZES]
    return out, *stop_and_resume(forecasting, out, arguments, "checkpoint/member_0")


def test_goes_on_where_it_stopped(run):
    out, before, after = run
    check_resumed(before, after, epochs=2)
    assert sorted(path.name for path in out.iterdir()) == [
        *("backtest.png", "checkpoint", "dynamic.tflite", "float16.tflite", "float32.tflite"),
        *("floors.json", "knobs.json", "learning_curve.png", "model.keras", "report.md"),
        *("saved_model", "scores.json"),
    ]
    report = (out / "report.md").read_text()
    for part in ("persistence", "linear", "coverage", "dynamic.tflite", "backtest.png"):
        assert part in report


def test_files_score_what_the_model_scores(run):
    out, *_ = run
    rows = {row["model"]: row for row in json.loads((out / "scores.json").read_text())}
    assert rows["float32.tflite"]["RMSE"] == rows["Keras"]["RMSE"]
    assert rows["float32.tflite"]["coverage"] == rows["Keras"]["coverage"]
    assert float(rows["Keras"]["RMSE"]) < 0.9 * float(rows["persistence"]["RMSE"])
    assert 60 < float(rows["Keras"]["coverage"].removesuffix(" %")) < 99
    assert rows["Keras"]["expected"] == "90.0 %"


def test_the_command_goes_on_with_a_file(run, series, capsys):
    out, *_ = run
    kzoo_command(["forecast", str(out / "dynamic.tflite"), str(series)])
    head, *lines = capsys.readouterr().out.splitlines()
    assert head == "step,temperature 0.05,temperature 0.5,temperature 0.95"
    assert [line.split(",")[0] for line in lines] == ["1", "2", "3"]
    low, middle, high = (float(field) for field in lines[0].split(",")[1:])
    assert low < middle < high
    assert ForecastPredictor(out / "dynamic.tflite").details["targets"] == ["temperature"]


def test_settings_fit_the_knobs():
    for name, settings in forecasting.SETTINGS.items():
        name = name if isinstance(name, str) else name[0]
        assert name in kzoo.data.list_series()
        forecasting.Knobs(**settings)


def test_what_the_user_can_mend_is_one_line(tmp_path):
    with pytest.raises(SystemExit, match="etth1 does not come with kzoo"):
        command_line.run(forecasting, ["--dataset", "etth1", "--out", str(tmp_path / "out")])


def test_linear_maps_find_a_linear_law():
    rng = np.random.default_rng(0)
    values = np.zeros((400, 2))
    for step in range(2, 400):
        noise = 0.1 * rng.normal(size=2)
        values[step] = 0.5 * values[step - 1, ::-1] - 0.2 * values[step - 2] + noise
    errors = {}
    for kind in ("own", "shared", "all"):
        model = forecast_floors.LinearForecast(values, values, [0, 1], 4, 1, kind)
        model.read(np.arange(300))
        model.solve(1e-6)
        starts = np.arange(310, 390)
        errors[kind] = np.mean((model.predict(starts) - values[starts + 4][:, None]) ** 2)
    # Each series is made of the other one.
    assert errors["all"] < 0.02
    assert errors["all"] < min(errors["own"], errors["shared"])


def test_windows_with_missing_targets_are_left_out_of_the_fit():
    values = np.arange(60.0)[:, None] % 5
    known = values.copy()
    known[20:25] = np.nan
    model = forecast_floors.LinearForecast(values, known, [0], 5, 2)
    model.read(np.arange(50))
    model.solve(1e-6)
    np.testing.assert_allclose(model.predict(np.array([50]))[0, :, 0], values[55:57, 0], atol=1e-3)


def test_errors_of_several_series_are_in_standard_deviations():
    data = kzoo.data.load_series("min_temperatures")
    known = np.array([[[1.0, 10.0]], [[np.nan, 10.0]]])

    class Two:
        targets, statistics = [0, 1], ([0.0, 0.0], [4.0, 100.0])

    found = forecasting_parts.scores(Two, known, known + np.array([2, 20]))
    assert found == {"MSE": "3.0000", "MAE": "1.6667"}
    low_to_high = np.stack([known[..., :1] - 1, known[..., :1], known[..., :1] + 1], axis=-1)
    found = forecasting_parts.scores(data, known[..., :1], low_to_high, [0.1, 0.5, 0.9])
    assert found == {"RMSE": "0.0000", "MAE": "0.0000", "coverage": "100.0 %", "expected": "80.0 %"}
