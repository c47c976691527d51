"""Attention over time: values, gradients, masks, precisions, files."""

import keras
import numpy as np
import pytest
from keras import ops
from keras.src import testing

from kzoo.layers import Recurrent, lowering_scope
from tests.layers.attention_cases import (
    BATCH,
    CASES,
    CELLS,
    FEATURES,
    MASK,
    MEMORY_MASK,
    SOURCE,
    TIME,
    UNITS,
    draw,
    make_cell,
    make_decoder,
    run_reference,
    take_weights,
)

LOWERINGS = ("sequential", "loop", "unrolled")
DISCRETE = ("monotonic_bahdanau", "monotonic_luong", "luong_local_predictive")


class Battery(testing.TestCase):
    """Gives access to `run_layer_test`."""

    def runTest(self):
        """Nothing: the test below calls the battery."""


def batch(name, time=TIME, source=SOURCE):
    """Returns sequences and memory."""
    return draw(BATCH, time, FEATURES), draw(BATCH, source, CASES[name].value_size(), seed=1)


def check(name, layer, zero_output=False):
    """Compares outputs and states with the reference, from a random initial state."""
    cell, (x, memory) = layer.cell, batch(name)
    initial = [draw(BATCH, UNITS, seed=7 + k) for k in range(len(cell.cell.state_size))]
    weights = take_weights(cell)
    expected, expected_state = run_reference(
        name, cell, weights, x, memory, initial, MASK, MEMORY_MASK, zero_output
    )
    outputs, *state = layer(
        x,
        initial_state=initial,
        mask=MASK,
        memory=memory,
        memory_mask=MEMORY_MASK,
        training=CASES[name].training,
    )
    assert abs(expected).max() > 0.3
    np.testing.assert_allclose(outputs, expected, rtol=2e-5, atol=2e-5)
    assert len(state) == len(cell.state_size)
    for one, other in zip(state, expected_state, strict=False):
        np.testing.assert_allclose(one, other, rtol=2e-5, atol=2e-5)


@pytest.mark.parametrize("lowering", LOWERINGS)
@pytest.mark.parametrize("name", CASES)
def test_equals_reference(name, lowering):
    layer = make_decoder(name, return_state=True)
    with lowering_scope(lowering):
        check(name, layer)


@pytest.mark.parametrize("lowering", LOWERINGS)
@pytest.mark.parametrize("layer_size", [None, 6])
@pytest.mark.parametrize("feeding", [False, True])
@pytest.mark.parametrize("cell", CELLS)
def test_every_form_of_the_cell_equals_reference(cell, feeding, layer_size, lowering):
    options = {"cell": cell, "feeding": feeding, "layer_size": layer_size}
    layer = make_decoder("coverage", return_state=True, **options)
    layer.zero_output_for_mask = True
    with lowering_scope(lowering):
        check("coverage", layer, zero_output=True)


def gradients(layer, x, memory, mask, memory_mask, upstream, training):
    """Returns the gradients of the weights, the sequences and the memory, on any backend."""
    options = {"mask": mask, "memory_mask": memory_mask, "training": training}
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        x, memory = tf.convert_to_tensor(x), tf.convert_to_tensor(memory)
        with tf.GradientTape() as tape:
            tape.watch([x, memory])
            value = tf.reduce_sum(layer(x, memory=memory, **options) * upstream)
        targets = [*layer.trainable_variables, x, memory]
        found = zip(tape.gradient(value, targets), targets, strict=True)
        return [tf.zeros_like(target) if one is None else one for one, target in found]
    import jax

    def run(weights, x, memory):
        # `stateless_call` would not tell the layers inside that it trains.
        mapping = zip(layer.trainable_variables, weights, strict=True)
        with keras.StatelessScope(state_mapping=list(mapping)):
            return ops.sum(layer(x, memory=memory, **options) * upstream)

    weights = [variable.value for variable in layer.trainable_variables]
    d_weights, d_x, d_memory = jax.grad(run, (0, 1, 2))(weights, x, memory)
    return [*d_weights, d_x, d_memory]


@pytest.mark.parametrize("name", CASES)
def test_gradients_equal_finite_differences(name):
    """Central differences of the reference, in float64."""
    units, features, rows = 3, 2, 2
    layer = make_decoder(name, units=units, features=features, layer_size=2)
    cell, mask = layer.cell, np.array([[1, 1, 1], [1, 0, 1]], bool)
    x, memory = draw(rows, 3, features), draw(rows, 4, CASES[name].value_size(units), seed=1)
    memory_mask = np.array([[1, 1, 1, 1], [1, 1, 1, 0]], bool)
    upstream = draw(rows, 3, 2, seed=5)
    variables = layer.trainable_variables
    arrays = {v.path: ops.convert_to_numpy(v).astype("float64") for v in variables}
    arrays |= {"x": x.astype("float64"), "memory": memory.astype("float64")}

    def value():
        weights, state = take_weights(cell, arrays), [np.zeros((rows, units))]
        outputs, _ = run_reference(
            name, cell, weights, arrays["x"], arrays["memory"], state, mask, memory_mask
        )
        return (outputs * upstream).sum()

    found = gradients(layer, x, memory, mask, memory_mask, upstream, CASES[name].training)
    for array, gradient in zip(arrays.values(), found, strict=True):
        expected, step = np.zeros_like(array), 1e-5
        for index in np.ndindex(array.shape):
            old, sides = array[index], []
            for moved in (old + step, old - step):
                array[index] = moved
                sides.append(value())
            array[index] = old
            expected[index] = (sides[0] - sides[1]) / (2 * step)
        np.testing.assert_allclose(gradient, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", CASES)
def test_padding_of_the_memory_changes_nothing(name):
    layer = make_decoder(name)
    x, memory = batch(name)
    training = CASES[name].training
    alone = layer(x[:1], memory=memory[:1, :4], training=training)
    padded = layer(x, memory=memory, memory_mask=np.arange(SOURCE) < [[4]] * 4, training=training)
    np.testing.assert_allclose(padded[:1], alone, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", CASES)
def test_attends_once_and_to_nothing_where_all_is_padding(name):
    attention = CASES[name].make(UNITS)
    _, memory = batch(name)
    arguments = {"training": True} if CASES[name].training else {}
    query = draw(BATCH, UNITS)
    context, alignments = attention(query, memory, MEMORY_MASK, **arguments)
    weights = {w.name: ops.convert_to_numpy(w) for w in attention.trainable_weights}
    for row in range(1, BATCH):
        expected = np.zeros(SOURCE)
        values = memory[row][MEMORY_MASK[row]]
        expected[MEMORY_MASK[row]] = CASES[name].reference(weights, query[row], values, None)[0]
        np.testing.assert_allclose(alignments[row], expected, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(context[row], expected @ memory[row], rtol=1e-5, atol=1e-6)
    assert not ops.convert_to_numpy(context[0]).any()
    assert not ops.convert_to_numpy(alignments[0]).any()
    assert attention.compute_output_shape(query.shape, memory.shape) == (
        tuple(context.shape),
        tuple(alignments.shape),
    )


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
@pytest.mark.parametrize("name", CASES)
def test_mixed_precision_stays_finite_and_close(name, policy):
    layer = make_decoder(name)
    x, memory = batch(name, 40, 50)
    mixed = Recurrent(make_cell(name, dtype=policy), return_sequences=True, dtype=policy)
    mixed.build(x.shape, memory_shape=memory.shape)
    mixed.set_weights(layer.get_weights())
    mask = np.arange(50) < np.array([[50], [30], [0], [1]])
    expected, outputs = (
        ops.convert_to_numpy(
            ops.cast(
                one(x, memory=memory, memory_mask=mask, training=CASES[name].training), "float32"
            )
        )
        for one in (layer, mixed)
    )
    assert np.isfinite(outputs).all()
    # Where a score's rounding decides what is read at all, two walks may part.
    if name not in DISCRETE:
        tolerance = 0.02 if policy == "mixed_float16" else 0.2
        np.testing.assert_allclose(outputs, expected, atol=tolerance)


@pytest.mark.parametrize("name", CASES)
def test_battery(name):
    size = CASES[name].value_size()
    Battery().run_layer_test(
        Recurrent,
        init_kwargs={"cell": make_cell(name), "return_sequences": True, "dropout": 0.2},
        input_shape={"sequences_shape": (3, 4, FEATURES), "memory_shape": (3, 5, size)},
        expected_output_shape=(3, 4, 6),
        expected_num_seed_generators=2 if name.startswith("monotonic") else 1,
        supports_masking=True,
        # It trains on one input alone; see `test_trains`.
        run_training_check=False,
    )


@pytest.mark.parametrize("name", CASES)
def test_trains_saves_and_loads_without_custom_objects(name, tmp_path):
    sequences = keras.Input((None, FEATURES))
    memory = keras.Input((None, CASES[name].value_size()))
    mask = keras.Input((None,), dtype="bool")
    outputs = make_decoder(name)(sequences, memory=memory, memory_mask=mask)
    assert outputs.shape == (None, None, 6)
    model = keras.Model([sequences, memory, mask], outputs)
    model.compile("sgd", "mse", jit_compile=False)
    inputs, before = [*batch(name), MEMORY_MASK], model.get_weights()
    model.fit(inputs, draw(BATCH, TIME, 6), verbose=0)
    trained = [w.path for w in model.trainable_weights]
    moved = [
        w.path
        for w, old in zip(model.weights, before, strict=True)
        if abs(ops.convert_to_numpy(w) - old).max() > 0
    ]
    assert set(trained) <= set(moved)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(loaded(inputs), model(inputs), rtol=1e-6, atol=1e-6)
