"""Residual and highway connections: values, masks, states, stacks, files."""

import keras
import numpy as np
import pytest
from keras import layers
from keras.src import testing

from kzoo.layers import (
    Bidirectional,
    GRUCell,
    Highway,
    LSTMCell,
    MaxPooling,
    MeanPooling,
    Recurrent,
    Residual,
)
from tests.layers import references
from tests.layers.grid import MASK, UNITS, inputs
from tests.layers.test_keras_parity import gradients
from tests.weights import randomize

WRAPPERS = {"residual": Residual, "highway": Highway}


class Battery(testing.TestCase):
    """Gives access to `run_layer_test`."""

    def runTest(self):
        """Nothing: the test below calls the battery."""


def make(name, **options):
    layer = WRAPPERS[name](Recurrent(GRUCell(UNITS), return_sequences=True, **options))
    layer.build(inputs(UNITS).shape)
    return randomize(layer)


def merge(name, layer, x, outputs):
    """The equation, unit by unit."""
    if name == "residual":
        return x + outputs
    *_, kernel, bias = layer.get_weights()
    transform = references.sigmoid(x @ kernel + bias)
    return transform * outputs + (1 - transform) * x


@pytest.mark.parametrize("name", WRAPPERS)
def test_equals_reference_with_masks_and_states(name):
    layer = make(name, return_state=True)
    x, initial = inputs(UNITS), inputs(UNITS, seed=4)[:, 0]
    weights = layer.layer.get_weights()
    hidden, states = references.run("gru", x, weights, [initial], MASK)
    outputs, state = layer(x, initial_state=[initial], mask=MASK)
    np.testing.assert_allclose(outputs, merge(name, layer, x, hidden), rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(state, states[0], rtol=1e-5, atol=1e-5)
    assert layer.compute_mask(x, MASK) == [MASK, None]


@pytest.mark.parametrize("name", WRAPPERS)
def test_padded_row_gives_what_it_gives_alone(name):
    keras.utils.set_random_seed(0)
    ids = keras.Input((None,), dtype="int32")
    x = layers.Embedding(9, 2 * UNITS, mask_zero=True)(ids)
    for _ in range(2):
        inner = Bidirectional(Recurrent(GRUCell(UNITS), return_sequences=True))
        x = WRAPPERS[name](inner)(x)
    model = keras.Model(ids, [MaxPooling()(x), MeanPooling()(x), Recurrent(GRUCell(2))(x)])
    row = np.array([[3, 1, 4, 1, 5]])
    padded = np.pad(row, ((0, 0), (0, 3)))
    for one, other in zip(model(padded), model(row), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", WRAPPERS)
def test_battery(name):
    Battery().run_layer_test(
        WRAPPERS[name],
        init_kwargs={"layer": Recurrent(LSTMCell(6), return_sequences=True, dropout=0.2)},
        input_shape=(3, 4, 6),
        expected_output_shape=(3, 4, 6),
        expected_num_trainable_weights={"residual": 3, "highway": 5}[name],
        expected_num_non_trainable_weights=0,
        expected_num_seed_generators=1,
        supports_masking=True,
    )


@pytest.mark.parametrize("name", WRAPPERS)
def test_gradient_goes_through_and_around(name):
    layer = make(name)
    x = inputs(UNITS)
    whole = gradients(layer, x, MASK)
    assert all(np.abs(one).max() > 1e-6 for one in whole)
    upstream = np.random.default_rng(5).normal(size=x.shape)
    inner = gradients(layer.layer, x, MASK)
    if name == "residual":
        np.testing.assert_allclose(whole[-1], inner[-1] + upstream, rtol=1e-4, atol=1e-5)
    else:
        # With the gate shut, the input alone passes.
        layer.gate.kernel.assign(np.zeros((UNITS, UNITS)))
        layer.gate.bias.assign(np.full(UNITS, -1e3))
        np.testing.assert_allclose(gradients(layer, x, MASK)[-1], upstream, rtol=1e-4, atol=1e-5)


def test_highway_starts_by_letting_the_input_pass():
    layer = Highway(layers.Dense(UNITS), transform_bias=-2.0)
    x = inputs(UNITS)
    layer.build(x.shape)
    np.testing.assert_array_equal(layer.gate.bias, np.full(UNITS, -2.0))
    layer.gate.kernel.assign(np.zeros((UNITS, UNITS)))
    expected = x + references.sigmoid(-2.0) * (layer.layer(x) - x)
    np.testing.assert_allclose(layer(x), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: Residual(GRUCell), "`layer` must be a keras.layers.Layer"),
        (
            lambda: Highway(Recurrent(GRUCell(4), return_sequences=True))(inputs()),
            r"outputs of the shape of its inputs, \(4, 21, 3\). .* \(4, 21, 4\)",
        ),
        (
            lambda: Residual(Recurrent(GRUCell(3)))(inputs()),
            r"outputs of the shape of its inputs, \(4, 21, 3\). .* \(4, 3\)",
        ),
        (
            lambda: Residual(layers.Dense(3))(inputs(), initial_state=[inputs()[:, 0]]),
            "`initial_state` must be None for a layer without a state. .* for Dense",
        ),
    ],
)
def test_bad_arguments_are_named(build, message):
    with pytest.raises(ValueError, match=message):
        build()
