"""The contract grid of the cells beyond Keras's."""

import keras
import numpy as np
import pytest
from keras import ops
from keras.src import testing

from kzoo.layers import (
    CELLS,
    LOWERINGS,
    AttentionCell,
    BahdanauAttention,
    Bidirectional,
    FeedbackCell,
    GRUCell,
    LinearCell,
    Recurrent,
    ZoneoutCell,
    lowering_scope,
)
from tests.layers.cases import CASES, make, weights_by_name
from tests.layers.grid import BATCH, CELL_CASES, FEATURES, MASK, TIME, UNITS, inputs, predict
from tests.layers.references import run_step
from tests.layers.test_keras_parity import gradients

WITHOUT_KERNEL = {name for name in CASES if name.startswith(("min_", "qrnn", "rg_"))}
WITHOUT_KERNEL |= {"keras_lstm", "peephole_sru", "windowed_qrnn", "zoneout_sru"}


class Battery(testing.TestCase):
    """Gives access to `run_layer_test`."""

    def runTest(self):
        """Nothing: the test below calls the battery."""


@pytest.fixture
def double_precision():
    """One row and four round differently, which a normalization of few units magnifies.

    JAX knows no doubles unless it is told before it starts.
    """
    before = keras.config.dtype_policy()
    if keras.backend.backend() != "jax":
        keras.config.set_dtype_policy("float64")
    yield
    keras.config.set_dtype_policy(before)


def test_every_cell_is_under_test():
    tested = {case.cell for case in CASES.values()} | {
        CELLS[name] for name, _ in CELL_CASES.values()
    }
    assert set(CELLS.values()) <= tested


@pytest.mark.parametrize("name", CASES)
def test_battery(name):
    case = CASES[name]
    Battery().run_layer_test(
        Recurrent,
        init_kwargs={"cell": case.make(), "return_sequences": True, "dropout": 0.2},
        input_shape=(3, 4, 6),
        expected_output_shape=(3, 4, UNITS),
        expected_num_trainable_weights=case.weights,
        expected_num_non_trainable_weights=case.fixed,
        expected_num_seed_generators=1 + case.seeds,
        supports_masking=True,
        # A layer without trainable weights has nothing to fit.
        run_training_check=case.weights > 0,
    )


def check(name, x, mask, **options):
    """Compares outputs and states with the reference, from random initial states."""
    layer = make(name, return_sequences=True, return_state=True, **options)
    initial = [inputs(size, seed=7 + k)[:, 0] for k, size in enumerate(layer.cell.state_size)]
    expected, expected_state = run_step(
        CASES[name].reference, x, weights_by_name(layer), initial, mask, **options
    )
    outputs, *state = layer(x, initial_state=initial, mask=mask)
    np.testing.assert_allclose(outputs, expected, rtol=2e-5, atol=2e-5)
    for one, other in zip(state, expected_state, strict=True):
        np.testing.assert_allclose(one, other, rtol=2e-5, atol=2e-5)


@pytest.mark.parametrize("lowering", LOWERINGS)
@pytest.mark.parametrize("name", CASES)
def test_equals_reference(name, lowering):
    with lowering_scope(lowering):
        check(name, inputs(), MASK)
        check(name, inputs(), MASK, go_backwards=True, zero_output_for_mask=True)


@pytest.mark.parametrize("name", CASES)
def test_lowerings_agree_over_many_blocks(name):
    """Features equal units, where some cells need one matrix less."""
    layer = make(name, features=UNITS, return_sequences=True)
    x = np.random.default_rng(3).normal(size=(2, 150, UNITS)).astype("float32")
    initial = [np.zeros((2, size), "float32") for size in layer.cell.state_size]
    expected, _ = run_step(CASES[name].reference, x, weights_by_name(layer), initial)
    last = Recurrent(layer.cell)
    for lowering in LOWERINGS[:3]:
        with lowering_scope(lowering):
            np.testing.assert_allclose(predict(layer, x), expected, rtol=1e-4, atol=1e-4)
            np.testing.assert_allclose(predict(last, x), expected[:, -1], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", CASES)
def test_padded_row_gives_what_it_gives_alone(name, double_precision):
    layer = Bidirectional(make(name))
    x = inputs()
    layer.build(x.shape)
    padded, alone = layer(x, mask=MASK), layer(x[1:2, :13])
    np.testing.assert_allclose(padded[1:2], alone, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", CASES)
def test_works_in_keras_rnn(name):
    layer = make(name, return_sequences=True)
    keras_layer = keras.layers.RNN(layer.cell, return_sequences=True)
    x = inputs()
    theirs, ours = (ops.convert_to_numpy(one(x, mask=MASK)) for one in (keras_layer, layer))
    # At masked steps Keras repeats the state on JAX, and the output on TensorFlow.
    np.testing.assert_allclose(theirs[MASK], ours[MASK], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", CASES)
def test_mixed_precision_stays_finite_and_close(name):
    case = CASES[name]
    keras.utils.set_random_seed(0)
    x = np.random.default_rng(0).normal(size=(2, 1000, 6)).astype("float32")
    layer = Recurrent(case.make(8), return_sequences=True)
    layer.build(x.shape)
    if name == "layer_norm_lstm":
        # With gains of one its walk is chaotic, and any rounding parts two walks in the end.
        layer.cell.recurrent_gain.assign(layer.cell.recurrent_gain * 0.3)
    expected = predict(layer, x)
    for policy, tolerance in (("mixed_float16", 0.02), ("mixed_bfloat16", 0.15)):
        mixed = Recurrent(case.make(8, dtype=policy), return_sequences=True, dtype=policy)
        mixed.build(x.shape)
        mixed.set_weights(layer.get_weights())
        outputs = predict(mixed, x).astype("float32")
        size = max(1, abs(expected).max())
        np.testing.assert_allclose(outputs, expected, atol=tolerance * size)


@pytest.mark.parametrize("name", [name for name in CASES if CASES[name].weights])
def test_gradient_reaches_everything_and_is_that_of_the_steps(name):
    layer = make(name, return_sequences=True)
    x = inputs()[:, :6]
    scanned = gradients(layer, x, MASK[:, :6])
    with lowering_scope("unrolled"):
        stepped = gradients(layer, x, MASK[:, :6])
    for one, other in zip(scanned, stepped, strict=True):
        assert np.abs(one).max() > 1e-6
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=2e-5)


@pytest.mark.parametrize("name", [name for name in CASES if name not in WITHOUT_KERNEL])
def test_recurrent_dropout_enters_the_recurrent_kernel_only(name):
    """With every hidden unit dropped, a step sees no past but what goes around the kernel."""
    layer = make(name)
    state = [inputs(size, seed=k)[:, 0] for k, size in enumerate(layer.cell.state_size)]
    x = layer.cell.project(inputs()[:, 0])
    dropped, _ = layer.cell.step(x, state, np.zeros((BATCH, UNITS), "float32"))
    (kernel,) = (weight for weight in layer.weights if weight.name == "recurrent_kernel")
    kernel.assign(np.zeros(kernel.shape))
    expected, _ = layer.cell.step(x, state)
    np.testing.assert_allclose(dropped, expected, rtol=1e-6, atol=1e-6)
    dropping = Recurrent(CASES[name].make(), recurrent_dropout=0.5)
    x = inputs()
    evaluated = ops.convert_to_numpy(dropping(x))
    np.testing.assert_array_equal(dropping(x), evaluated)
    # At its small initial weights, rounding hides what the IRNN drops.
    if name != "irnn":
        assert abs(ops.convert_to_numpy(dropping(x, training=True)) - evaluated).max() > 1e-3


def test_linear_cells_are_parallel_over_time():
    linear = {name for name, case in CASES.items() if isinstance(case.make(), LinearCell)}
    assert linear == {"min_gru", "min_lstm", "rg_lru", "qrnn_f", "qrnn_fo", "qrnn_ifo"}


@pytest.mark.parametrize("kind", ["attention", "feedback"])
def test_zoneout_in_a_cell_that_projects_step_by_step(kind):
    cell = ZoneoutCell(GRUCell(4), rate=0.5)
    attends = kind == "attention"
    cell = AttentionCell(cell, BahdanauAttention(4)) if attends else FeedbackCell(cell, 2)
    layer = Recurrent(cell)
    x, values = keras.Input((TIME, FEATURES)), keras.Input((TIME, FEATURES))
    model = keras.Model([x, values], layer(x, memory=values) if attends else layer(x))
    arrays = [inputs(seed=seed) for seed in (0, 1)]
    one, other = (ops.convert_to_numpy(model(arrays, training=True)) for _ in range(2))
    assert np.abs(one - other).max() > 0.01
    np.testing.assert_array_equal(model(arrays), model(arrays))
    model.compile("sgd", "mse")
    history = model.fit(arrays, np.zeros((BATCH, *one.shape[1:])), epochs=2, verbose=0).history
    assert np.isfinite(history["loss"]).all()
