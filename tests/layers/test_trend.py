"""Trends: moving averages by their weights, differences by the noise they let through."""

import itertools

import keras
import numpy as np
import pytest
from keras import ops

from kzoo.layers import Recurrent, TrendCell
from tests.layers.grid import BATCH, FEATURES, MASK, TIME, inputs, predict

DECAYS = (0.7, 0.9)
SIZE = 5 * FEATURES


def make(**options):
    return Recurrent(TrendCell(FEATURES, DECAYS), return_sequences=True, **options)


def reference(x):
    """What the cell gives for the steps of one row, from weights written out."""
    made = []
    for step in range(len(x)):
        averages, ages = [x[step]], step - np.arange(step + 1)
        for decay in DECAYS:
            weights = decay**ages
            averages.append(weights @ x[: step + 1] / weights.sum())
        # The weights of endless noise, which is independent: variances add up.
        past = np.arange(2000)
        kernels = [past == 0, *((1 - decay) * decay**past for decay in DECAYS)]
        sigmas = [np.linalg.norm(a * 1.0 - b) for a, b in itertools.pairwise(kernels)]
        changes = [a - b for a, b in itertools.pairwise(averages)]
        scaled = [change / sigma for change, sigma in zip(changes, sigmas, strict=True)]
        made.append(np.concatenate([*averages, *scaled]))
    return np.array(made)


def test_trends_equal_the_reference():
    x = inputs()
    found = predict(make(), x)
    assert found.shape == (BATCH, TIME, SIZE)
    for row in range(BATCH):
        np.testing.assert_allclose(found[row], reference(x[row]), atol=2e-5)


def test_reference_of_masked_steps_leaves_them_out():
    x = inputs()
    found = ops.convert_to_numpy(make(zero_output_for_mask=True)(x, mask=MASK))
    for row, mask in enumerate(MASK):
        np.testing.assert_array_equal(found[row, ~mask], 0)
        np.testing.assert_allclose(
            found[row, mask], reference(x[row, mask]).reshape(-1, SIZE), atol=2e-5
        )


def test_reference_is_reached_step_by_step_and_backwards_from_a_state():
    x, layer = inputs(), make(return_state=True)
    whole, state = layer(x)
    first, *between = layer(x[:, :8])
    rest, after = layer(x[:, 8:], initial_state=between)
    np.testing.assert_allclose(ops.concatenate([first, rest], axis=1), whole, atol=1e-5)
    np.testing.assert_allclose(after, state, atol=1e-6)


def test_differences_are_slopes_in_units_of_what_noise_makes_of_them():
    steps = np.arange(200.0)[:, None]
    # Two lines of one slope at different levels, and one of twice the slope.
    line = 10 * np.concatenate([steps, steps + 50, 2 * steps], axis=1)[None]
    slopes = predict(make(), line.astype("float32"))[0, -1, 3 * FEATURES :].reshape(2, 3)
    np.testing.assert_allclose(slopes / slopes[:, :1], [[1, 1, 2]] * 2, rtol=1e-3)
    noise = np.random.default_rng(0).normal(size=(4, 3000, FEATURES)).astype("float32")
    slopes = predict(make(), noise)[:, 200:, 3 * FEATURES :]
    np.testing.assert_allclose(slopes.std(axis=(0, 1)), 1, atol=0.06)


@pytest.mark.parametrize("decays", [(), (0.9, 0.8), (0.0, 0.5), (0.5, 1.0), (0.5, 0.5)])
def test_bad_decays_are_named(decays):
    with pytest.raises(ValueError, match="`decays` must be numbers between 0 and 1, increasing"):
        TrendCell(3, decays)


def test_inputs_of_another_size_are_refused():
    with pytest.raises(ValueError, match="`units` must be 2, the number of features"):
        make()(inputs(features=2))


def test_reference_survives_saving(tmp_path):
    model = keras.Sequential([keras.Input((None, FEATURES)), make()])
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.layers[0].cell.decays == DECAYS
    np.testing.assert_array_equal(loaded(inputs()), model(inputs()))
