"""Forecasters: presets train, save and load; they standardize by themselves; they begin naive."""

import keras
import numpy as np
import pytest
from keras import ops

import kzoo
from kzoo.models import forecaster, standardized_forecaster
from kzoo.training import ForecastLoss
from tests.weights import randomize

SIZES = dict(num_features=3, input_length=24, horizon=4, units=8)
STATISTICS = [100.0, -3.0, 0.0], [25.0, 4.0, 0.0]
SERIES = np.random.default_rng(0).normal([100, -3, 0], [5, 2, 0], (6, 24, 3)).astype("float32")
PRESETS = kzoo.list_models("forecaster_*")


def run(model, series=SERIES):
    return ops.convert_to_numpy(model(series))


@pytest.mark.parametrize("name", PRESETS)
def test_preset_trains_saves_and_loads(name, tmp_path):
    options = dict(statistics=STATISTICS, quantiles=[0.1, 0.5, 0.9], targets=[0, 1], dropout=0.0)
    model = kzoo.create_model(name, **SIZES, **options)
    trained = standardized_forecaster(model)
    loss = ForecastLoss(quantiles=[0.1, 0.5, 0.9])
    trained.compile(keras.optimizers.Adam(0.02), loss, jit_compile=False)
    targets = np.random.default_rng(1).normal(size=(6, 4, 2)).astype("float32")
    losses = trained.fit(SERIES, targets, epochs=12, verbose=0).history["loss"]
    assert losses[-1] < 0.8 * losses[0]
    outputs = run(model)
    assert outputs.shape == (6, 4, 2, 3)
    assert (np.diff(outputs, axis=-1) > 0).all()
    # Raw numbers come out, though standardized ones are trained.
    scaled = run(trained) * np.array([5.0, 2.0])[:, None] + np.array([100.0, -3.0])[:, None]
    np.testing.assert_allclose(outputs, scaled, rtol=1e-5)
    model.save(tmp_path / "model.keras")
    np.testing.assert_array_equal(run(keras.saving.load_model(tmp_path / "model.keras")), outputs)


@pytest.mark.parametrize("name", [name for name in PRESETS if "attention" not in name])
@pytest.mark.parametrize("level", ["last", "mean"])
def test_training_begins_at_the_level(name, level):
    outputs = run(kzoo.create_model(name, **SIZES, statistics=STATISTICS, level=level))
    expected = SERIES[:, -1:] if level == "last" else SERIES.mean(axis=1, keepdims=True)
    np.testing.assert_allclose(outputs, np.repeat(expected, 4, axis=1), rtol=1e-5, atol=1e-5)


def test_independent_series_do_not_see_each_other():
    model = randomize(forecaster(**SIZES, independent=True, segment_length=6))
    changed = SERIES.copy()
    changed[:, :, 1] += 1
    moved = abs(run(model, changed) - run(model)).max(axis=(0, 1))
    assert moved[1] > 0.1
    np.testing.assert_array_equal(moved[[0, 2]], 0)
    # The same window in another place gives the same forecast.
    np.testing.assert_allclose(
        run(model, SERIES[..., ::-1])[..., ::-1], run(model), rtol=1e-4, atol=1e-4
    )


def test_a_shifted_series_gives_a_shifted_forecast():
    model = randomize(forecaster(**SIZES, independent=True))
    np.testing.assert_allclose(run(model, SERIES + 7), run(model) + 7, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("attention", [None, "luong_general", "location_sensitive"])
def test_the_decoder_works_with_every_attention(attention):
    options = dict(autoregressive=True, attention=attention, num_layers=2, cell="lstm")
    # The median alone is a quantile, too.
    quantiles = [0.5] if attention is None else None
    model = randomize(forecaster(**SIZES, **options, targets=[2], quantiles=quantiles))
    assert run(model).shape == (6, 4, 1, 1)[: 3 if attention else 4]
    assert np.isfinite(run(model)).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"horizon": 0}, "`horizon` must be a positive integer"),
        ({"targets": [3]}, r"`targets` must be numbers of the 3 series. Received: targets=\[3\]"),
        ({"targets": []}, "`targets` must be numbers"),
        ({"level": "first"}, r"`level` must be one of \['last', 'mean', 'zero'\]"),
        ({"statistics": ([0.0], [1.0])}, "`statistics` must be the mean and the variance of 3"),
        ({"segment_length": 5}, "`segment_length` must divide input_length=24"),
        ({"own_length": 9}, "`own_length` must be None, or at most input_length=24 with indep"),
        ({"quantiles": [0.1, 0.9]}, "`quantiles` must be increasing"),
        ({"quantiles": []}, "`quantiles` must be increasing"),
        ({"cell": "elman"}, "`cell` must be one of"),
        ({"autoregressive": True, "cell": "elman"}, "`cell` must be one of"),
        ({"autoregressive": True, "attention": "all"}, "`attention` must be None or one of"),
    ],
)
def test_bad_arguments_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        forecaster(**{**SIZES, **options})
