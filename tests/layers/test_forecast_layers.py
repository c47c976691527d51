"""The layers of forecasts: a cell that reads what it wrote, and quantiles that never cross."""

import numpy as np
import pytest
from keras import ops
from keras.src import testing

from kzoo.layers import (
    LOWERINGS,
    AttentionCell,
    FeedbackCell,
    GRUCell,
    LSTMCell,
    LuongAttention,
    QuantileSpread,
    Recurrent,
    lowering_scope,
)
from tests.layers import cell_references as references
from tests.layers.grid import FEATURES, MASK, inputs
from tests.layers.references import run_step
from tests.weights import randomize


class Battery(testing.TestCase):
    """Gives access to `run_layer_test`."""

    def runTest(self):
        """Nothing: the tests below call the battery."""


def feedback(x, weights, state):
    """One step of one row in NumPy, around an LSTM."""
    *inner, written = state
    hidden, inner = references.lstm(np.concatenate([x, written]), weights["cell"], inner)
    written = written + hidden @ weights["kernel"] + weights["bias"]
    return np.concatenate([written, hidden]), [*inner, written]


def make(**options):
    layer = Recurrent(FeedbackCell(LSTMCell(5), 2), return_sequences=True, **options)
    layer.build((None, None, FEATURES))
    layer.built = True
    return randomize(layer)


@pytest.mark.parametrize("lowering", LOWERINGS)
def test_equals_reference(lowering):
    layer = make(return_state=True)
    cell = layer.cell
    weights = {
        "cell": {weight.name: ops.convert_to_numpy(weight) for weight in cell.cell.weights},
        "kernel": ops.convert_to_numpy(cell.output_layer.kernel),
        "bias": ops.convert_to_numpy(cell.output_layer.bias),
    }
    x = inputs()
    initial = [inputs(size, seed=7 + k)[:, 0] for k, size in enumerate((5, 5, 2))]
    # The reference cannot know how wide the outputs of a row without a step are.
    mask = MASK.copy()
    mask[2, :3] = True
    expected, expected_state = run_step(feedback, x, weights, initial, mask)
    with lowering_scope(lowering):
        outputs, *state = layer(x, initial_state=initial, mask=mask)
    np.testing.assert_allclose(outputs, expected, rtol=2e-5, atol=2e-5)
    for one, other in zip(state, expected_state, strict=True):
        np.testing.assert_allclose(one, other, rtol=2e-5, atol=2e-5)


def test_battery():
    Battery().run_layer_test(
        Recurrent,
        init_kwargs={"cell": FeedbackCell(GRUCell(5), 2), "return_sequences": True},
        input_shape=(3, 4, 6),
        expected_output_shape=(3, 4, 7),
        expected_num_trainable_weights=5,
        expected_num_non_trainable_weights=0,
        expected_num_seed_generators=1,
        supports_masking=True,
    )


def test_attention_inside_reads_the_memory():
    cell = FeedbackCell(AttentionCell(GRUCell(4), LuongAttention(4, "general"), 4), 2)
    layer = Recurrent(cell, return_sequences=True)
    x, memory = inputs()[:2, :3], inputs(6, seed=5)[:2]
    states = [np.zeros((2, 4), "float32"), np.full((2, 2), 3, "float32")]
    outputs = ops.convert_to_numpy(layer(x, initial_state=states, memory=memory))
    other = ops.convert_to_numpy(layer(x, initial_state=states, memory=-memory))
    assert outputs.shape == (2, 3, 6)
    assert abs(outputs - other).max() > 1e-3
    # Each step goes on from the numbers of the step before, the first one from the state.
    change = ops.convert_to_numpy(cell.output_layer(outputs[..., 2:]))
    before = np.concatenate([np.full((2, 1, 2), 3), outputs[:, :-1, :2]], axis=1)
    np.testing.assert_allclose(outputs[..., :2], before + change, rtol=1e-5, atol=1e-5)


def test_a_cell_is_needed():
    with pytest.raises(ValueError, match=r"`cell` must be a kzoo\.layers\.Cell"):
        FeedbackCell("gru", 2)
    with pytest.raises(ValueError, match=r"`size` must be a positive integer\. Received: size=0"):
        FeedbackCell(GRUCell(4), 0)


@pytest.mark.parametrize("quantiles", [[0.5], [0.1, 0.5, 0.9], [0.5, 0.6, 0.7], [0.2, 0.3, 0.5]])
def test_quantiles_equal_the_sums_and_never_cross(quantiles):
    rng = np.random.default_rng(0)
    median = rng.normal(size=(3, 4)).astype("float32")
    spreads = rng.normal(size=(3, 4, len(quantiles) - 1)).astype("float32")
    found = ops.convert_to_numpy(QuantileSpread(quantiles)(median, spreads))
    middle = quantiles.index(0.5)
    expected = np.repeat(median[..., None], len(quantiles), axis=-1)
    widths = np.log1p(np.exp(spreads))
    for index in range(len(quantiles)):
        for other in range(middle, index):
            expected[..., index] += widths[..., other]
        for other in range(index, middle):
            expected[..., index] -= widths[..., other]
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
    assert (np.diff(found, axis=-1) > 0).all()


def test_quantiles_come_back_from_their_config():
    layer = QuantileSpread([0.25, 0.5], dtype="mixed_float16")
    again = QuantileSpread.from_config(layer.get_config())
    median, spreads = np.ones((2, 3), "float32"), np.ones((2, 3, 1), "float32")
    assert again(median, spreads).dtype == "float16"
    np.testing.assert_array_equal(layer(median, spreads), again(median, spreads))
    assert layer.compute_output_shape((2, 3), (2, 3, 1)) == (2, 3, 2)


@pytest.mark.parametrize("quantiles", [[0.1, 0.9], [0.9, 0.5], [0.5, 1.0], []])
def test_quantiles_must_be_in_order(quantiles):
    with pytest.raises(ValueError, match="`quantiles` must be increasing numbers in"):
        QuantileSpread(quantiles)
    with pytest.raises(ValueError, match="`spreads` must have shape"):
        QuantileSpread([0.1, 0.5])(np.ones((1, 2)), np.ones((1, 2, 3)))
