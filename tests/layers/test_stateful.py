"""A stateful layer goes on where the batch before ended, as in Keras."""

import keras
import numpy as np
import pytest
from keras import ops

from kzoo.layers import (
    Bidirectional,
    GRUCell,
    LSTMCell,
    Recurrent,
    SimpleRNNCell,
    SRUCell,
    lowering_scope,
)
from tests.weights import randomize

ROWS, TIME, FEATURES, UNITS = 3, 8, 2, 4
CELLS = {"simple": SimpleRNNCell, "lstm": LSTMCell, "gru": GRUCell, "sru": SRUCell}
X = np.random.default_rng(0).normal(size=(ROWS, TIME, FEATURES)).astype("float32")


def stateful(cell, **options):
    layer = Recurrent(CELLS[cell](UNITS), stateful=True, **options)
    layer.build((ROWS, None, FEATURES))
    layer.built = True
    return randomize(layer, scale=0.6)


def stateless(layer):
    return Recurrent(layer.cell, return_sequences=layer.return_sequences)


@pytest.mark.parametrize("return_sequences", [True, False])
@pytest.mark.parametrize("cell", CELLS)
def test_batches_are_parts_of_one_sequence(cell, return_sequences):
    layer = stateful(cell, return_sequences=return_sequences)
    whole = ops.convert_to_numpy(stateless(layer)(X))
    parts = [ops.convert_to_numpy(layer(X[:, start : start + 2])) for start in range(0, TIME, 2)]
    got = np.concatenate(parts, 1) if return_sequences else parts[-1]
    np.testing.assert_allclose(got, whole, atol=1e-5)


@pytest.mark.parametrize("cell", CELLS)
def test_reset_states(cell):
    layer = stateful(cell)
    first = ops.convert_to_numpy(layer(X))
    assert abs(ops.convert_to_numpy(layer(X)) - first).max() > 1e-3
    layer.reset_states()
    assert all((ops.convert_to_numpy(state) == 0).all() for state in layer.states)
    np.testing.assert_allclose(layer(X), first, atol=1e-6)


def test_states_are_weights_that_do_not_train():
    layer = stateful("lstm")
    assert [tuple(state.shape) for state in layer.states] == [(ROWS, UNITS)] * 2
    assert len(layer.trainable_weights) == 3
    assert len(layer.non_trainable_weights) == 2
    assert not Recurrent(LSTMCell(3)).stateful


def test_initial_state_wins_and_is_followed():
    layer = stateful("gru")
    layer(X)
    initial = [np.full((ROWS, UNITS), 0.5, "float32")]
    plain = stateless(layer)
    np.testing.assert_allclose(
        layer(X, initial_state=initial), plain(X, initial_state=initial), atol=1e-6
    )
    expected = plain(np.concatenate([X, X], 1), initial_state=initial)
    np.testing.assert_allclose(layer(X), expected, atol=1e-5)


def test_masked_steps_keep_the_state():
    layer = stateful("lstm")
    mask = np.arange(TIME)[None] < np.array([TIME, 3, 0])[:, None]
    layer(X, mask=mask)
    outputs = ops.convert_to_numpy(layer(X))
    plain = stateless(layer)
    np.testing.assert_allclose(
        outputs[1:2], plain(np.concatenate([X[1:2, :3], X[1:2]], 1)), atol=1e-5
    )
    np.testing.assert_allclose(outputs[2:], plain(X[2:]), atol=1e-5)


def test_calls_as_keras():
    ours = stateful("lstm")
    theirs = keras.layers.LSTM(UNITS, stateful=True)
    theirs.build((ROWS, None, FEATURES))
    for target, source in zip(theirs.trainable_weights, ours.trainable_weights, strict=True):
        target.assign(source)
    for _ in range(3):
        np.testing.assert_allclose(ours(X), theirs(X), atol=1e-5)
    for layer in (ours, theirs):
        layer.reset_states()
    np.testing.assert_allclose(ours(X), theirs(X), atol=1e-5)


def regressor():
    inputs = keras.Input((None, FEATURES), batch_size=ROWS)
    layer = Recurrent(LSTMCell(UNITS), stateful=True, name="recurrent")
    model = keras.Model(inputs, keras.layers.Dense(1)(layer(inputs)))
    model.compile(keras.optimizers.SGD(0.1), "mse")
    return model


def test_fit_and_predict_hand_the_state_on():
    """As a stateless model does whose states are carried by hand. (Keras's own stateful layers
    forget their states between the batches of `fit` on JAX.)
    """
    model = regressor()
    inputs = [keras.Input((None, FEATURES)), keras.Input((UNITS,)), keras.Input((UNITS,))]
    layer = Recurrent(LSTMCell(UNITS), return_state=True)
    output, *states = layer(inputs[0], initial_state=inputs[1:])
    by_hand = keras.Model(inputs, keras.layers.Dense(1)(output))
    states = keras.Model(inputs, states)
    for target, source in zip(by_hand.trainable_weights, model.trainable_weights, strict=True):
        # A copy: on JAX, training consumes the arrays.
        target.assign(np.array(ops.convert_to_numpy(source)))
    by_hand.compile(keras.optimizers.SGD(0.1), "mse")

    random = np.random.default_rng(1)
    x = random.normal(size=(4 * ROWS, TIME, FEATURES)).astype("float32")
    y = random.normal(size=(4 * ROWS, 1)).astype("float32")
    model.fit(x, y, batch_size=ROWS, epochs=2, shuffle=False, verbose=0)
    carried = [np.zeros((ROWS, UNITS), "float32")] * 2
    batches = [slice(start, start + ROWS) for start in range(0, len(x), ROWS)]
    for rows in 2 * batches:
        after = states.predict_on_batch([x[rows], *carried])
        by_hand.train_on_batch([x[rows], *carried], y[rows])
        carried = after
    for one, other in zip(model.trainable_weights, by_hand.trainable_weights, strict=True):
        np.testing.assert_allclose(
            ops.convert_to_numpy(one), ops.convert_to_numpy(other), atol=1e-5
        )
    # Training leaves a state, from which prediction goes on.
    for rows, predicted in zip(
        batches, np.split(model.predict(x, batch_size=ROWS, verbose=0), 4), strict=True
    ):
        expected = by_hand.predict_on_batch([x[rows], *carried])
        np.testing.assert_allclose(predicted, expected, atol=1e-5)
        carried = states.predict_on_batch([x[rows], *carried])
    model.get_layer("recurrent").reset_states()
    zeros = [np.zeros((ROWS, UNITS), "float32")] * 2
    np.testing.assert_allclose(
        model.predict_on_batch(x[:ROWS]), by_hand.predict_on_batch([x[:ROWS], *zeros]), atol=1e-5
    )


def test_saved_and_loaded_with_its_state(tmp_path):
    model = regressor()
    model(X)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.get_layer("recurrent").stateful
    np.testing.assert_allclose(loaded(X), model(X), atol=1e-6)


def test_bidirectional():
    layer = Bidirectional(Recurrent(GRUCell(UNITS), stateful=True))
    first = ops.convert_to_numpy(layer(X))
    assert abs(ops.convert_to_numpy(layer(X)) - first).max() > 1e-4
    for one in (layer.forward_layer, layer.backward_layer):
        one.reset_states()
    np.testing.assert_allclose(layer(X), first, atol=1e-6)


@pytest.mark.parametrize("lowering", ["loop", "unrolled"])
def test_what_is_exported_begins_at_zero_and_leaves_no_trace(lowering):
    layer = stateful("lstm")
    expected = stateless(layer)(X)
    layer(X)
    before = [ops.convert_to_numpy(state) for state in layer.states]
    with lowering_scope(lowering):
        np.testing.assert_allclose(layer(X), expected, atol=1e-6)
    for state, value in zip(layer.states, before, strict=True):
        np.testing.assert_array_equal(state, value)


def test_bad_uses_are_named():
    with pytest.raises(ValueError, match=r"static batch size, which 'it' was not given"):
        Recurrent(GRUCell(3), stateful=True, name="it")(keras.Input((None, 2)))
    with pytest.raises(ValueError, match=r"must have 3 rows, .* 'it'. Received: 2 rows"):
        stateful("gru", name="it")(X[:2])
    with pytest.raises(ValueError, match=r"needs stateful=True. Received: layer 'it'"):
        Recurrent(GRUCell(3), name="it").reset_states()
