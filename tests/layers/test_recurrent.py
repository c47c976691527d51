"""Every cell under every lowering equals its NumPy reference: masks, directions, states."""

import keras
import numpy as np
import pytest
from keras import ops

from kzoo.layers import (
    LOWERINGS,
    AttentionCell,
    BahdanauAttention,
    Bidirectional,
    GRUCell,
    LSTMCell,
    Recurrent,
    SRUCell,
    lowering_scope,
)
from tests.layers import references
from tests.layers.grid import BATCH, CELL_CASES, FEATURES, MASK, TIME, UNITS, inputs, make


@pytest.mark.parametrize(
    ("masked", "go_backwards", "zero_output_for_mask"),
    [(False, False, False), (True, False, False), (True, True, False), (True, True, True)],
)
@pytest.mark.parametrize("lowering", LOWERINGS)
@pytest.mark.parametrize("case", CELL_CASES)
def test_equals_reference(case, lowering, masked, go_backwards, zero_output_for_mask):
    options = {"go_backwards": go_backwards, "zero_output_for_mask": zero_output_for_mask}
    layer = make(case, return_sequences=True, return_state=True, **options)
    last = Recurrent(layer.cell, **options)
    x = inputs()
    mask = MASK if masked else None
    initial = [inputs(UNITS, seed=7 + index)[:, 0] for index in range(len(layer.cell.state_size))]
    expected, expected_state = references.run(
        CELL_CASES[case][0], x, layer.get_weights(), initial, mask, **options
    )
    with lowering_scope(lowering):
        outputs, *state = layer(x, initial_state=initial, mask=mask)
        last_output = last(x, initial_state=initial, mask=mask)
    np.testing.assert_allclose(outputs, expected, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(last_output, expected[:, -1], rtol=1e-5, atol=1e-5)
    for one, other in zip(state, expected_state, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("lowering", LOWERINGS)
@pytest.mark.parametrize("case", CELL_CASES)
def test_same_width_and_many_blocks(case, lowering):
    """Longer than two blocks of the loop; features equal units, the other highway of the SRU."""
    layer = make(case, features=UNITS, return_sequences=True)
    x = np.random.default_rng(3).normal(size=(2, 150, UNITS)).astype("float32")
    initial = [np.zeros((2, size), "float32") for size in layer.cell.state_size]
    expected, _ = references.run(CELL_CASES[case][0], x, layer.get_weights(), initial)
    with lowering_scope(lowering):
        outputs = layer(x)
    np.testing.assert_allclose(outputs, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("time", [1, 2, 15, 16, 17, 150])
def test_a_scan_of_any_length(time):
    layer = make("sru", return_sequences=True, return_state=True)
    last = Recurrent(layer.cell, return_state=True)
    x = np.random.default_rng(4).normal(size=(2, time, FEATURES)).astype("float32")
    expected, expected_state = references.run(
        "sru", x, layer.get_weights(), np.zeros((1, 2, UNITS))
    )
    with lowering_scope("scan"):
        outputs, state = layer(x)
        last_output, last_state = last(x)
    np.testing.assert_allclose(outputs, expected, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(last_output, expected[:, -1], rtol=1e-5, atol=1e-5)
    for one in (state, last_state):
        np.testing.assert_allclose(one, expected_state[0], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("lowering", LOWERINGS)
@pytest.mark.parametrize("case", CELL_CASES)
def test_padded_row_gives_what_it_gives_alone(case, lowering):
    layer = Bidirectional(make(case))
    x = inputs()
    layer.build(x.shape)
    with lowering_scope(lowering):
        padded = layer(x, mask=MASK)
        alone = layer(x[1:2, :13])
    np.testing.assert_allclose(padded[1:2], alone, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("case", CELL_CASES)
def test_cell_works_in_keras_rnn(case):
    layer = make(case, return_sequences=True)
    keras_layer = keras.layers.RNN(layer.cell, return_sequences=True)
    x = inputs()
    theirs, ours = (ops.convert_to_numpy(one(x, mask=MASK)) for one in (keras_layer, layer))
    # At masked steps Keras repeats the state on JAX, and the output on TensorFlow.
    np.testing.assert_allclose(theirs[MASK], ours[MASK], rtol=1e-5, atol=1e-5)


def test_sru_starts_as_the_paper_says():
    """Kernel of variance 1 / features; the highway keeps the variance of its input."""
    cell = SRUCell(256, highway_bias=-1.0)
    cell.build((None, 256))
    kernel = ops.convert_to_numpy(cell.kernel)
    assert kernel.std() == pytest.approx((1 / 256) ** 0.5, rel=0.02)
    assert abs(kernel).max() <= (3 / 256) ** 0.5
    assert cell.highway_scale == pytest.approx((1 + 2 * np.exp(-1.0)) ** 0.5)
    np.testing.assert_array_equal(cell.bias[:256], 0.0)
    np.testing.assert_array_equal(cell.bias[256:], -1.0)


def test_lstm_forget_bias_starts_at_one():
    cell = LSTMCell(3)
    cell.build((None, 2))
    np.testing.assert_array_equal(cell.bias, [0] * 3 + [1] * 3 + [0] * 6)
    plain = LSTMCell(3, unit_forget_bias=False)
    plain.build((None, 2))
    np.testing.assert_array_equal(plain.bias, np.zeros(12))


@pytest.mark.parametrize("case", CELL_CASES)
def test_dropout_drops_the_same_features_at_all_times(case):
    layer = make(case, dropout=0.5)
    seen = []
    project = layer.cell.project
    layer.cell.project = lambda x: seen.append(ops.convert_to_numpy(x)) or project(x)

    def projected(training):
        seen.clear()
        layer(np.ones((64, TIME, FEATURES), "float32"), training=training)
        return np.concatenate(seen, axis=1)  # a compiled loop takes the batch in parts

    trained, evaluated = projected(True), projected(False)
    assert trained.shape == (TIME, 64, FEATURES)
    assert set(np.unique(trained)) == {0.0, 2.0}
    assert (trained == trained[:1]).all()
    assert trained[0].mean(axis=1).std() > 0
    assert (evaluated == 1).all()


@pytest.mark.parametrize("case", [case for case in CELL_CASES if case != "sru"])
def test_recurrent_dropout_enters_the_recurrent_kernel_only(case):
    """With every hidden unit dropped, a step sees no past but what the gates carry."""
    layer = make(case)
    state = [inputs(UNITS, seed=s)[:, 0] for s in range(len(layer.cell.state_size))]
    x = layer.cell.project(inputs()[:, 0])
    dropped, _ = layer.cell.step(x, state, recurrent_mask=np.zeros((BATCH, UNITS), "float32"))
    weights = layer.get_weights()
    weights[1] = np.zeros_like(weights[1])
    layer.set_weights(weights)
    expected, _ = layer.cell.step(x, state)
    np.testing.assert_allclose(dropped, expected, rtol=1e-6, atol=1e-6)


def test_recurrent_dropout_acts_in_training_only():
    layer = make("lstm", recurrent_dropout=0.5)
    x = inputs()
    evaluated = ops.convert_to_numpy(layer(x))
    np.testing.assert_array_equal(evaluated, layer(x))
    assert abs(ops.convert_to_numpy(layer(x, training=True)) - evaluated).max() > 1e-3


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: LSTMCell(0), "`units` must be a positive integer"),
        (lambda: GRUCell(2.5), "`units` must be a positive integer"),
        (lambda: Recurrent(keras.layers.LSTMCell(3)), "`cell` must be a kzoo.layers.Cell"),
        (lambda: Recurrent(GRUCell(3), dropout=1.0), "`dropout` must be in"),
        (lambda: Recurrent(SRUCell(3), recurrent_dropout=0.1), "`recurrent_dropout` needs"),
        (
            lambda: Recurrent(
                AttentionCell(SRUCell(3), BahdanauAttention(3)), recurrent_dropout=0.1
            ),
            "`recurrent_dropout` needs a cell with a recurrent kernel, which SRUCell has not",
        ),
        (lambda: Recurrent(GRUCell(3))(np.ones((2, 3), "float32")), r"\(batch, time, features\)"),
        (
            lambda: Recurrent(LSTMCell(3))(inputs(), initial_state=[np.zeros((BATCH, 3))]),
            "`initial_state` must have 2 tensors",
        ),
        (
            lambda: Bidirectional(Recurrent(GRUCell(3), go_backwards=True)),
            "go_backwards=False",
        ),
        (lambda: Bidirectional(Recurrent(GRUCell(3)), merge_mode="max"), "`merge_mode`"),
        (lambda: lowering_scope("fast").__enter__(), "`name` must be one of"),
    ],
)
def test_bad_arguments_are_named(build, message):
    with pytest.raises(ValueError, match=message):
        build()
