"""The written gradients against automatic differentiation of the same steps."""

import keras
import numpy as np
import pytest
from keras import ops

from kzoo.layers import LSTMCell, Recurrent, SRUCell, lowering_scope
from kzoo.layers.backpropagation import DERIVATIVES, find_rule
from tests.layers.grid import MASK, inputs, make

WRITTEN = ["simple_rnn", "lstm", "gru_reset_after"]


def gradients(layer, lowering, sequences, mask, training=False):
    """Returns the gradients of a loss that weighs every output and every state differently."""
    rng = np.random.default_rng(5)

    def loss(trainable):
        scope = keras.StatelessScope(zip(layer.trainable_variables, trainable, strict=True))
        with scope, lowering_scope(lowering):
            results = layer(sequences, mask=mask, training=training)
        weights = [rng.normal(size=r.shape).astype("float32") for r in results]
        return sum(ops.sum(w * ops.sin(r)) for w, r in zip(weights, results, strict=True))

    values = [1.0 * ops.convert_to_tensor(v) for v in layer.trainable_variables]
    return differentiate(loss, values)


def differentiate(function, values):
    """Returns the gradient of a scalar function, on either backend."""
    if keras.backend.backend() == "jax":
        import jax

        return jax.grad(function)(values)
    import tensorflow as tf

    with tf.GradientTape() as tape:
        tape.watch(values)
        result = function(values)
    return tape.gradient(result, values)


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("go_backwards", [False, True])
@pytest.mark.parametrize("case", WRITTEN)
def test_equals_automatic_differentiation(case, go_backwards, masked):
    layer = make(case, return_sequences=True, return_state=True, go_backwards=go_backwards)
    assert find_rule(layer.cell) is not None
    mask = MASK if masked else None
    written = gradients(layer, "sequential", inputs(), mask)
    automatic = gradients(layer, "unrolled", inputs(), mask)
    for ours, theirs in zip(written, automatic, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=2e-4, atol=2e-5)


@pytest.mark.parametrize("return_sequences", [False, True])
@pytest.mark.parametrize("case", WRITTEN)
def test_compiled(case, return_sequences):
    layer = make(case, return_sequences=return_sequences, return_state=True)
    compiled = compile_function(lambda x: gradients(layer, "sequential", x, MASK))
    automatic = gradients(layer, "unrolled", inputs(), MASK)
    for ours, theirs in zip(compiled(inputs()), automatic, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=2e-4, atol=2e-5)


def compile_function(function):
    """Returns the function as XLA compiles it, on either backend."""
    if keras.backend.backend() == "jax":
        import jax

        return jax.jit(function)
    import tensorflow as tf

    return tf.function(function, jit_compile=True)


@pytest.mark.parametrize("case", WRITTEN)
def test_compiled_in_halves_of_any_batch(case):
    """XLA runs the two halves of a batch side by side, also where its size is not known before."""
    rng = np.random.default_rng(6)
    steps = [
        (rng.normal(size=(batch, 6, 3)).astype("float32"), rng.normal(size=(batch, 6, 2)))
        for batch in (5, 3, 1)
    ]
    trained = []
    for jit_compile in (True, False):
        keras.utils.set_random_seed(1)
        sequence = keras.Input((None, 3))
        outputs = make(case, return_sequences=True, dropout=0.0)(sequence)
        model = keras.Model(sequence, keras.layers.Dense(2)(outputs))
        model.compile(keras.optimizers.SGD(0.1), "mse", jit_compile=jit_compile)
        for x, y in steps:
            model.train_on_batch(x, y)
        trained.append(model.get_weights())
    for ours, theirs in zip(*trained, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("case", WRITTEN)
def test_recurrent_dropout(case):
    results = []
    for lowering in ("sequential", "unrolled"):
        layer = make(case, return_sequences=True, return_state=True, recurrent_dropout=0.4)
        layer.seed_generator.state.assign(np.array([3, 0]))
        results.append(gradients(layer, lowering, inputs(), None, training=True))
    for ours, theirs in zip(*results, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=2e-4, atol=2e-5)


@pytest.mark.parametrize("activation", list(DERIVATIVES))
def test_every_activation(activation):
    layer = Recurrent(
        LSTMCell(5, activation=activation, recurrent_activation="sigmoid"),
        return_sequences=True,
        return_state=True,
    )
    layer.build((None, None, 3))
    written, automatic = (
        gradients(layer, lowering, 0.5 * inputs(), None) for lowering in ("sequential", "unrolled")
    )
    for ours, theirs in zip(written, automatic, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=2e-4, atol=2e-5)


def test_a_subclass_has_no_rule():
    class Other(LSTMCell):
        """An LSTM with another equation."""

    assert find_rule(Other(3)) is None
    assert find_rule(LSTMCell(3, activation="gelu")) is None


@pytest.mark.parametrize("cell", [LSTMCell(5), SRUCell(5)], ids=["lstm", "sru"])
def test_a_second_derivative_is_an_error(cell):
    layer = Recurrent(cell)
    layer.build((None, None, 3))

    def first(values):
        (gradient,) = differentiate(lambda x: ops.sum(layer(x[0]) ** 2), values)
        return ops.sum(gradient**2)

    with pytest.raises(NotImplementedError, match="second time"):
        differentiate(first, [ops.convert_to_tensor(inputs())])
