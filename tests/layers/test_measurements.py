"""Layers of measurements: standardization, and changes from step to step."""

import numpy as np
import pytest
from keras import ops
from keras.src import testing

from kzoo.layers import Changes, Standardization
from tests.layers.grid import inputs

MEAN, VARIANCE = [1013.25, 0.0, -70000.5], [4.0, 0.25, 900.0]


class Battery(testing.TestCase):
    """Gives access to `run_layer_test`."""

    def runTest(self):
        """Nothing: the tests below call the battery."""


@pytest.mark.parametrize(
    ("layer", "arguments", "size"),
    [
        (Standardization, {"mean": [1, 2, 3], "variance": [4, 5, 6]}, 3),
        (Standardization, {"mean": [1, 2, 3], "variance": [4, 5, 6], "invert": True}, 3),
        (Changes, {}, 15),
    ],
)
def test_battery(layer, arguments, size):
    Battery().run_layer_test(
        layer,
        init_kwargs=arguments,
        input_shape=(2, 4, 3),
        expected_output_shape=(2, 4, size),
        expected_num_trainable_weights=0,
        expected_num_non_trainable_weights=0,
        expected_num_seed_generators=0,
        supports_masking=True,
        run_training_check=False,
    )


@pytest.mark.parametrize("axis", [-1, 1])
def test_standardization_equals_the_formula_and_comes_back(axis):
    shape = (4, 5, 3) if axis == -1 else (4, 3, 5)
    place = [1, 1, 3] if axis == -1 else [1, 3, 1]
    mean, scale = np.reshape(MEAN, place), np.sqrt(np.reshape(VARIANCE, place))
    raw = (np.random.default_rng(0).normal(size=shape) * scale + mean).astype("float32")
    scaled = ops.convert_to_numpy(Standardization(MEAN, VARIANCE, axis)(raw))
    np.testing.assert_allclose(scaled, (raw.astype("float64") - mean) / scale, atol=1e-3)
    back = Standardization(MEAN, VARIANCE, axis, invert=True)(scaled)
    np.testing.assert_allclose(back, raw, rtol=1e-6)


def test_constants_in_half_precision_lose_next_to_nothing():
    layer = Standardization(MEAN[:2], VARIANCE[:2])
    layer.build((None, None, 2))
    first, rest, scale = (x.astype("float16").astype("float64") for x in layer._constants)
    raw = np.array([1010.0, 1013.25, 1017.0])[:, None, None] * [1, 0]
    found = (raw - first) / scale - rest
    np.testing.assert_allclose(found[:, 0, 0], [-1.625, 0, 1.875], atol=2e-3)


def test_a_constant_is_not_scaled():
    rounding = Standardization([500.0], [1e-9])
    np.testing.assert_array_equal(rounding(np.array([[500.0], [501.0]], "float32")), [[0], [1]])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([1.0], [1.0, 2.0]), "`mean` and `variance` must be equally many finite numbers"),
        (([1.0], [-1.0]), "not negative"),
        (([np.nan], [1.0]), "finite"),
    ],
)
def test_bad_statistics_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        Standardization(*arguments)
    with pytest.raises(ValueError, match="`inputs` must have 2 features on axis -1"):
        Standardization([0.0, 0.0], [1.0, 1.0])(np.ones((1, 3)))


def test_changes_equal_the_formula():
    x = 5 * inputs()
    found = ops.convert_to_numpy(Changes()(x))
    for row in range(len(x)):
        before = np.zeros(3)
        for step in range(x.shape[1]):
            level = np.sign(x[row, step]) * np.log(1 + abs(x[row, step]))
            change = level - before
            size = abs(change)
            expected = [level, level**2, change, size, np.log(size + 0.05)]
            np.testing.assert_allclose(found[row, step], np.concatenate(expected), atol=1e-5)
            before = level
