"""Weights move unchanged to and from Keras's layers, in value and in gradient."""

import keras
import numpy as np
import pytest
from keras import ops

from kzoo.layers import Bidirectional, lowering_scope
from tests.layers.grid import CELL_CASES, MASK, UNITS, inputs, make
from tests.weights import randomize

KERAS_LAYERS = {
    "simple_rnn": keras.layers.SimpleRNN,
    "lstm": keras.layers.LSTM,
    "gru": keras.layers.GRU,
}
CASES = [case for case in CELL_CASES if CELL_CASES[case][0] in KERAS_LAYERS]


def keras_twin(case, bidirectional, **options):
    """Returns Keras's layer of a case and ours with its weights."""
    name, arguments = CELL_CASES[case]
    theirs = KERAS_LAYERS[name](UNITS, **arguments, **options)
    ours = make(case, **options)
    if bidirectional:
        theirs, ours = keras.layers.Bidirectional(theirs), Bidirectional(ours)
    theirs.build(inputs().shape)
    randomize(theirs)
    ours.build(inputs().shape)
    ours.set_weights(theirs.get_weights())
    return theirs, ours


def gradients(layer, x, mask):
    """Returns the loss, the gradient of the weights and that of the inputs, on any backend."""

    def weighted_sum(outputs):
        upstream = np.random.default_rng(5).normal(size=outputs.shape).astype("float32")
        return ops.sum(outputs * upstream)

    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        x = tf.convert_to_tensor(x)
        with tf.GradientTape() as tape:
            tape.watch(x)
            value = weighted_sum(layer(x, mask=mask))
        return [value, *tape.gradient(value, [*layer.trainable_variables, x])]
    import jax

    def stateless(weights, x):
        outputs, _ = layer.stateless_call(weights, layer.non_trainable_variables, x, mask=mask)
        return weighted_sum(outputs)

    weights = [variable.value for variable in layer.trainable_variables]
    value, (d_weights, d_x) = jax.value_and_grad(stateless, (0, 1))(weights, x)
    return [value, *d_weights, d_x]


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("return_sequences", [False, True])
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("case", CASES)
def test_value_and_gradient(case, masked, return_sequences, bidirectional):
    theirs, ours = keras_twin(case, bidirectional, return_sequences=return_sequences)
    mask = MASK if masked else None
    expected, result = (gradients(layer, inputs(), mask) for layer in (theirs, ours))
    for one, other in zip(result, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=2e-5)


@pytest.mark.parametrize("case", CASES)
def test_go_backwards(case):
    theirs, ours = keras_twin(case, False, return_sequences=True, go_backwards=True)
    x = inputs()
    np.testing.assert_allclose(ours(x, mask=MASK), theirs(x, mask=MASK), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("case", CASES)
def test_weights_move_back(case):
    theirs, ours = keras_twin(case, True)
    randomize(ours, seed=11)
    theirs.set_weights(ours.get_weights())
    x = inputs()
    np.testing.assert_allclose(theirs(x), ours(x), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("bidirectional", [False, True])
def test_states_in_and_out(case, bidirectional):
    theirs, ours = keras_twin(case, bidirectional, return_state=True)
    x = inputs()
    _, *states = theirs(x)
    for one, other in zip(
        ours(x, initial_state=states), theirs(x, initial_state=states), strict=True
    ):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-5)


def test_linear_scan_gradient_equals_that_of_the_steps():
    """The hand-written gradient against automatic differentiation of the same recurrence."""
    layer = make("sru", return_sequences=True)
    x = inputs()
    scanned = gradients(layer, x, MASK)
    with lowering_scope("unrolled"):
        stepped = gradients(layer, x, MASK)
    for one, other in zip(scanned, stepped, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=2e-5)
