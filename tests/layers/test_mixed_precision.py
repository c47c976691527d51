"""Training in half precision: the loss and the gradients of a long sequence."""

import keras
import numpy as np
import pytest

from kzoo.layers import CELLS, Recurrent

TIME, FEATURES, UNITS = 1000, 3, 5
TOLERANCES = {"mixed_float16": 0.01, "mixed_bfloat16": 0.05}


def train(name, policy, jit_compile):
    """Returns the loss of a batch, and the gradient of each weight: what plain descent takes off.

    Of gradients in half precision that are not finite, it would take off nothing.
    """
    keras.utils.set_random_seed(0)
    x, y = np.random.normal(size=(2, 2, TIME, FEATURES)).astype("float32")
    cell = CELLS[name](UNITS, dtype=policy)
    layer = Recurrent(cell, return_sequences=True, dtype=policy)
    scores = keras.layers.Dense(FEATURES, dtype="float32")
    model = keras.Sequential([keras.Input((TIME, FEATURES)), layer, scores])
    optimizer = keras.optimizers.SGD(1.0)
    if policy == "mixed_float16":
        optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
    model.compile(optimizer, "mse", jit_compile=jit_compile)
    before = model.get_weights()
    loss = model.train_on_batch(x, y)
    return loss, [old - new for old, new in zip(before, model.get_weights(), strict=True)]


@pytest.fixture(scope="module")
def expected():
    """What float32 gives, by cell."""
    names = ("simple_rnn", "lstm", "gru", "sru")
    return {name: train(name, "float32", jit_compile=False) for name in names}


@pytest.mark.parametrize("jit_compile", [True, False])
@pytest.mark.parametrize("policy", TOLERANCES)
@pytest.mark.parametrize("name", ["simple_rnn", "lstm", "gru", "sru"])
def test_a_training_step_is_finite_and_close(name, policy, jit_compile, expected):
    loss, gradients = train(name, policy, jit_compile)
    np.testing.assert_allclose(loss, expected[name][0], rtol=TOLERANCES[policy] / 4)
    for found, wanted in zip(gradients, expected[name][1], strict=True):
        np.testing.assert_allclose(found, wanted, atol=TOLERANCES[policy] * abs(wanted).max())
