"""Batches of windows, and losses that know of missing targets."""

import keras
import numpy as np
import pytest
from keras import ops

from kzoo.models import forecaster, standardized_forecaster
from kzoo.training import ForecastLoss, SeriesBatches, start_at_ridge

VALUES = np.stack([np.arange(20.0), -np.arange(20.0)], axis=1)


def test_windows_are_cut_where_they_start():
    batches = SeriesBatches(VALUES, VALUES[:, :1], [0, 5, 11], 4, 3, batch_size=2)
    assert len(batches) == 2
    inputs, targets = batches[1]
    assert inputs[0, :, 1].tolist() == [-11, -12, -13, -14]
    assert targets[0, :, 0].tolist() == [15, 16, 17]


def test_an_epoch_depends_on_its_number_alone():
    starts = np.arange(14)
    one = SeriesBatches(VALUES, VALUES, starts, 4, 3, 4, shuffle=True, seed=3)
    assert len(one) == 3
    first = one[0][0]
    one.on_epoch_end()
    other = SeriesBatches(VALUES, VALUES, starts, 4, 3, 4, shuffle=True, seed=3)
    np.testing.assert_array_equal(other[0][0], first)
    other.start_epoch(1)
    np.testing.assert_array_equal(other[0][0], one[0][0])
    assert abs(first - one[0][0]).max() > 0


def test_windows_beyond_the_end_are_refused():
    with pytest.raises(ValueError, match=r"`starts` must leave room for 4 .* starts up to 14"):
        SeriesBatches(VALUES, VALUES, [14], 4, 3)
    with pytest.raises(ValueError, match="`starts` must hold at least one window of 4 steps"):
        SeriesBatches(VALUES, VALUES, [], 4, 3)
    with pytest.raises(ValueError, match="`batch_size` must be positive"):
        SeriesBatches(VALUES, VALUES, [0], 4, 3, batch_size=0)


@pytest.mark.parametrize("error", ["squared", "absolute"])
def test_missing_targets_count_for_nothing(error):
    rng = np.random.default_rng(0)
    true, forecast = rng.normal(size=(2, 5, 4, 2)).astype("float32")
    true[0, :2] = np.nan
    gap = (forecast - true)[~np.isnan(true)]
    expected = np.mean(gap**2 if error == "squared" else abs(gap))
    loss = ForecastLoss(error)
    np.testing.assert_allclose(loss(true, forecast), expected, rtol=1e-5)
    assert float(loss(np.full_like(true, np.nan), forecast)) == 0
    again = keras.losses.deserialize(keras.losses.serialize(loss))
    np.testing.assert_allclose(again(true, forecast), expected, rtol=1e-5)


def test_missing_targets_leave_no_nan_in_the_gradient():
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(0.1), ForecastLoss(quantiles=None))
    model.fit(np.ones((2, 1)), np.array([[3.0], [np.nan]]), verbose=0)
    assert np.isfinite(ops.convert_to_numpy(model.weights[0])).all()


def test_the_pinball_loss_is_least_at_the_quantiles():
    rng = np.random.default_rng(0)
    sample = rng.exponential(size=(4000, 1)).astype("float32")
    quantiles = [0.1, 0.5, 0.9]
    loss = ForecastLoss(quantiles=quantiles)
    best = np.quantile(sample, quantiles)
    lowest = float(loss(sample, np.tile(best, (4000, 1, 1)).astype("float32")))
    for change in ([0.1, 0, 0], [0, -0.1, 0], [0, 0, 0.2], [0, 0, -0.2]):
        other = np.tile(best + change, (4000, 1, 1)).astype("float32")
        assert float(loss(sample, other)) > lowest


def test_an_unknown_error_is_refused():
    with pytest.raises(ValueError, match=r"`error` must be one of \['absolute', 'squared'\]"):
        ForecastLoss("cubed")


@pytest.mark.parametrize("independent", [False, True])
@pytest.mark.parametrize("quantiles", [None, [0.1, 0.5, 0.9]])
def test_the_linear_map_begins_at_ridge_regression(independent, quantiles):
    rng = np.random.default_rng(0)
    values = np.sin(np.arange(80)[:, None] / [3, 5]) + 0.3 * rng.normal(size=(80, 2))
    values = values.astype("float32")
    targets = values.copy()
    targets[30, 1] = np.nan
    sizes = dict(num_features=2, input_length=4, horizon=2, units=4)
    model = standardized_forecaster(
        forecaster(**sizes, independent=independent, quantiles=quantiles)
    )
    train = SeriesBatches(values, targets, np.arange(50), 4, 2, batch_size=7)
    validation = SeriesBatches(values, values, np.arange(56, 74), 4, 2)
    penalty = start_at_ridge(model, train, validation, penalties=[1e-3, 1e3])
    assert penalty == {"linear": 1e-3}
    # The same from all windows at once, in NumPy.
    windows = np.stack([values[start : start + 4] for start in range(50)]).astype("float64")
    written = np.stack([targets[start + 4 : start + 6] for start in range(50)]).astype("float64")
    centred, changes = windows - windows[:, -1:], written - windows[:, -1:]
    if independent:
        read = centred.transpose(0, 2, 1).reshape(100, 4)
        rest = changes.transpose(0, 2, 1).reshape(100, 2)
    else:
        read = np.concatenate([windows, centred], axis=2).reshape(50, 16)
        rest = changes.reshape(50, 4)
    known = ~np.isnan(rest).any(axis=1)
    assert known.sum() == len(known) - 2
    read = np.concatenate([read[known], np.ones((known.sum(), 1))], axis=1)
    weights = np.full(read.shape[1], 1e-3 * len(read))
    weights[-1] = 0
    expected = np.linalg.solve(read.T @ read + np.diag(weights), read.T @ rest[known])
    kernel, bias = model.get_layer("linear").get_weights()
    np.testing.assert_allclose(kernel, expected[:-1], rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(bias, expected[-1], rtol=1e-3, atol=1e-4)


def test_a_map_of_each_series_begins_at_its_own_ridge_regression():
    rng = np.random.default_rng(0)
    values = np.sin(np.arange(80)[:, None] / [3, 5]) + 0.3 * rng.normal(size=(80, 2))
    values = values.astype("float32")
    sizes = dict(num_features=2, input_length=6, horizon=2, units=4)
    options = dict(independent=True, own_length=3, level="zero")
    model = standardized_forecaster(forecaster(**sizes, **options))
    batches = SeriesBatches(values, values, np.arange(70), 6, 2)
    start_at_ridge(model, batches, batches, penalties=[1e-2])
    kernel, bias = model.get_layer("linear_own").get_weights()
    for series in range(2):
        read = np.stack([values[start + 3 : start + 6, series] for start in range(70)])
        rest = np.stack([values[start + 6 : start + 8, series] for start in range(70)])
        read = np.concatenate([read, np.ones((70, 1))], axis=1).astype("float64")
        weights = np.diag([0.7, 0.7, 0.7, 0])
        expected = np.linalg.solve(read.T @ read + weights, read.T @ rest)
        np.testing.assert_allclose(kernel[series], expected[:-1], rtol=1e-3, atol=1e-4)
        np.testing.assert_allclose(bias[:, series], expected[-1], rtol=1e-3, atol=1e-4)
    # Their mean is what the model begins with.
    inputs, _ = batches[0]
    shared = inputs.transpose(0, 2, 1) @ model.get_layer("linear").kernel
    shared = np.array(shared + model.get_layer("linear").bias).transpose(0, 2, 1)
    own = np.einsum("blf,flh->bhf", inputs[:, 3:], kernel) + bias
    np.testing.assert_allclose(model(inputs), (shared + own) / 2, rtol=1e-4, atol=1e-4)


def test_a_model_without_a_linear_map_is_left_as_it_is():
    sizes = dict(num_features=2, input_length=4, horizon=2, units=4)
    model = standardized_forecaster(forecaster(**sizes, autoregressive=True))
    assert start_at_ridge(model, None, None) == {}
