"""Truncated backpropagation against the same windows walked by hand."""

import keras
import numpy as np
import pytest
from keras import ops

from kzoo.layers import GRUCell, LSTMCell, Recurrent
from kzoo.training import ResetStates, Windows

RNG = np.random.default_rng(0)
X = RNG.normal(size=(4, 11, 3)).astype("float32")
Y = RNG.normal(size=(4, 11, 2)).astype("float32")


def make_model(cell):
    """Returns a stateful model."""
    inputs = keras.Input((None, 3), batch_size=2)
    outputs = Recurrent(cell(5), return_sequences=True, stateful=True)(inputs)
    return keras.Model(inputs, keras.layers.Dense(2)(outputs))


def make_reference(cell):
    """Returns a model with its states as inputs, and one that gives them."""
    inputs = [keras.Input((None, 3)), *(keras.Input((size,)) for size in cell(5).state_size)]
    layer = Recurrent(cell(5), return_sequences=True, return_state=True)
    outputs, *states = layer(inputs[0], initial_state=inputs[1:])
    return keras.Model(inputs, keras.layers.Dense(2)(outputs)), keras.Model(inputs, states)


@pytest.mark.parametrize("cell", [LSTMCell, GRUCell])
@pytest.mark.parametrize("window", [1, 4, 11])
def test_equals_windows_walked_by_hand(cell, window):
    model = make_model(cell)
    reference, states = make_reference(cell)
    for ours, theirs in zip(model.trainable_variables, reference.trainable_variables, strict=True):
        theirs.assign(ops.convert_to_numpy(ours))
    model.compile(keras.optimizers.SGD(0.1), "mse")
    windows = Windows(X, Y, window, batch_size=2)
    model.fit(windows, epochs=2, shuffle=False, verbose=0, callbacks=[ResetStates(windows)])

    reference.compile(keras.optimizers.SGD(0.1), "mse")
    ends = list(range(11, 0, -window))[::-1]
    for rows in 2 * [slice(0, 2), slice(2, 4)]:
        state = [np.zeros((2, size), "float32") for size in cell(5).state_size]
        for end in ends:
            steps = slice(max(end - window, 0), end)
            inputs = [X[rows, steps], *state]
            # Numbers, so that no gradient passes from window to window.
            state = list(map(ops.convert_to_numpy, keras.tree.flatten(states(inputs))))
            reference.train_on_batch(inputs, Y[rows, steps])
    for ours, theirs in zip(model.trainable_variables, reference.trainable_variables, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=2e-4, atol=2e-6)


def test_evaluation_sees_the_whole_sequence():
    model = make_model(LSTMCell)
    model.compile(loss="mse")
    windows = Windows(X, Y, 4, batch_size=2)
    loss = model.evaluate(windows, verbose=0, callbacks=[ResetStates(windows)])
    # Keras weighs windows by their rows, not by their steps: 3, 4 and 4.
    parts = []
    for rows in (slice(0, 2), slice(2, 4)):
        model.layers[1].reset_states()
        error = (ops.convert_to_numpy(model(X[rows])) - Y[rows]) ** 2
        parts += [error[:, :3].mean(), error[:, 3:7].mean(), error[:, 7:].mean()]
    np.testing.assert_allclose(loss, np.mean(parts), rtol=1e-5)


def test_validation_may_have_other_windows():
    model = make_model(LSTMCell)
    model.compile(keras.optimizers.SGD(0.1), "mse")
    train, validation = Windows(X[:, :4], Y[:, :4], 4, 2), Windows(X, Y, 4, 2)
    options = {"validation_data": validation, "shuffle": False, "verbose": 0}
    found = model.fit(train, callbacks=[ResetStates(train, validation)], **options)
    alone = model.evaluate(validation, verbose=0, callbacks=[ResetStates(validation)])
    np.testing.assert_allclose(found.history["val_loss"], alone, rtol=1e-6)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((X, Y[:, :5], 4, 2), "`sequences` and `targets`"),
        ((X, Y, 0, 2), "`window`"),
        ((X, Y, 12, 2), "`window`"),
        ((X, Y, 4, 3), "`batch_size`"),
    ],
)
def test_bad_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        Windows(*arguments)
