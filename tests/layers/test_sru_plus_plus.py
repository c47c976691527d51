"""SRU++ against a NumPy reference, and the contract that a recurrent layer keeps."""

import numpy as np
import pytest
from keras import ops
from keras.src import testing

from kzoo.layers import SRUPlusPlus, lowering_scope
from tests.layers.grid import FEATURES, MASK, UNITS, inputs
from tests.layers.references import sigmoid
from tests.layers.test_keras_parity import gradients
from tests.weights import randomize

ATTENTION = 2


class Battery(testing.TestCase):
    """Gives access to `run_layer_test`."""

    def runTest(self):
        """Nothing: the test below calls the battery."""


def make(features=FEATURES, attention_dim=ATTENTION, **options):
    layer = SRUPlusPlus(UNITS, attention_dim, return_sequences=True, **options)
    layer.build((None, None, features))
    layer.built = True
    return randomize(layer, scale=0.6)


def reference(layer, x, mask=None, state=None):
    """Row by row, step by step; outputs at masked steps are zero, and their state stands still."""
    w = {weight.name: ops.convert_to_numpy(weight) for weight in layer.weights}
    blocks = np.split(w["kernel"], w["kernel"].shape[1] // UNITS, axis=1)
    outputs = np.zeros((*x.shape[:2], UNITS))
    carries = np.zeros((len(x), UNITS)) if state is None else state.copy()
    for row, sequence in enumerate(x):
        queries = sequence @ w["query_kernel"]
        for t in range(len(sequence)):
            if mask is not None and not mask[row, t]:
                continue
            begin = 0 if layer.window is None else max(0, t + 1 - layer.window)
            seen = range(begin, t + 1) if layer.causal else range(len(sequence))
            seen = [s for s in seen if mask is None or mask[row, s]]
            scores = [queries[t] @ (queries[s] @ w["key_kernel"]) for s in seen]
            weights = np.exp(np.array(scores) / np.sqrt(ATTENTION))
            weights = weights / weights.sum()
            values = [queries[s] @ w["value_kernel"] for s in seen]
            total = queries[t] + w["alpha"] * sum(
                weight * value for weight, value in zip(weights, values, strict=True)
            )
            total = (total - total.mean()) / np.sqrt(total.var() + 1e-5)
            total = total * w["gamma"] + w["beta"]
            candidate, forget, reset = (total @ block for block in blocks[:3])
            forget = sigmoid(forget + w["bias"][:UNITS])
            reset = sigmoid(reset + w["bias"][UNITS:])
            carries[row] = forget * carries[row] + (1 - forget) * candidate
            highway = sequence[t] if len(blocks) == 3 else total @ blocks[3]
            outputs[row, t] = reset * carries[row] + (1 - reset) * highway
    return outputs, carries


@pytest.mark.parametrize("lowering", ["sequential", "loop", "scan", "unrolled"])
@pytest.mark.parametrize("features", [FEATURES, UNITS])
@pytest.mark.parametrize("sight", [{"causal": True}, {"causal": False}, {"window": 3}], ids=str)
def test_equals_reference(sight, features, lowering):
    layer = make(features, **sight, return_state=True, zero_output_for_mask=True)
    x, initial = inputs(features), inputs(UNITS, seed=5)[:, 0]
    with lowering_scope(lowering):
        outputs, state = layer(x, initial_state=[initial], mask=MASK)
        plain, _ = layer(x)
    expected, expected_state = reference(layer, x, MASK, initial)
    np.testing.assert_allclose(outputs, expected, rtol=2e-5, atol=2e-5)
    np.testing.assert_allclose(state, expected_state, rtol=2e-5, atol=2e-5)
    np.testing.assert_allclose(plain, reference(layer, x)[0], rtol=2e-5, atol=2e-5)


@pytest.mark.parametrize("causal", [True, False])
def test_padded_row_gives_what_it_gives_alone(causal):
    layer = make(causal=causal)
    x = inputs()
    padded, alone = layer(x, mask=MASK), layer(x[1:2, :13])
    np.testing.assert_allclose(padded[1:2, :13], alone, rtol=1e-5, atol=1e-5)
    last = SRUPlusPlus.from_config({**layer.get_config(), "return_sequences": False})
    last.build(x.shape)
    last.set_weights(layer.get_weights())
    np.testing.assert_allclose(last(x, mask=MASK)[1], alone[0, -1], rtol=1e-5, atol=1e-5)


def test_causal_steps_do_not_see_the_future():
    x = inputs()
    other = x.copy()
    other[:, 9:] += 1
    causal, both = make(), make(causal=False)
    np.testing.assert_allclose(causal(x)[:, :9], causal(other)[:, :9], rtol=1e-6, atol=1e-6)
    assert np.abs(both(x)[:, :9] - both(other)[:, :9]).max() > 1e-3


def test_it_starts_without_attention():
    layer = SRUPlusPlus(UNITS, ATTENTION, return_sequences=True, highway_bias=-1.0)
    x = inputs()
    before = ops.convert_to_numpy(layer(x))
    assert float(layer.alpha) == 0
    np.testing.assert_array_equal(layer.recurrent.cell.bias[UNITS:], -1.0)
    layer.key_kernel.assign(layer.key_kernel + 1)
    np.testing.assert_array_equal(layer(x), before)
    layer.alpha.assign(1.0)
    assert np.abs(layer(x) - before).max() > 1e-3


def test_gradient_reaches_everything_and_is_that_of_the_steps():
    layer = make()
    x = inputs()[:, :6]
    scanned = gradients(layer, x, MASK[:, :6])
    with lowering_scope("unrolled"):
        stepped = gradients(layer, x, MASK[:, :6])
    assert len(scanned) == 10
    for one, other in zip(scanned, stepped, strict=True):
        assert np.abs(one).max() > 1e-6
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=2e-5)


@pytest.mark.parametrize("sequences", [False, True])
def test_battery(sequences):
    Battery().run_layer_test(
        SRUPlusPlus,
        init_kwargs={"units": 5, "attention_dim": 3, "return_sequences": sequences},
        input_shape=(3, 4, 6),
        expected_output_shape=(3, 4, 5) if sequences else (3, 5),
        expected_num_trainable_weights=8,
        expected_num_non_trainable_weights=0,
        expected_num_seed_generators=1,
        supports_masking=True,
    )


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_mixed_precision_stays_finite_and_close(policy):
    x = np.random.default_rng(0).normal(size=(2, 1000, FEATURES)).astype("float32")
    # Two numbers less their mean, over their deviation, are 1 and -1: rounding says which is which
    # where they are about equal. More numbers are never all equal.
    layer = make(attention_dim=8)
    mixed = make(attention_dim=8, dtype=policy)
    mixed.set_weights(layer.get_weights())
    expected = ops.convert_to_numpy(layer(x))
    outputs = ops.convert_to_numpy(ops.cast(mixed(x), "float32"))
    tolerance = 0.01 if policy == "mixed_float16" else 0.05
    np.testing.assert_allclose(outputs, expected, atol=tolerance * abs(expected).max())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"units": 0, "attention_dim": 2}, "`units` must be a positive integer"),
        ({"units": 4, "attention_dim": 0}, "`attention_dim` must be a positive integer"),
        ({"units": 4, "attention_dim": True}, "Received: attention_dim=True"),
        ({"units": 4, "attention_dim": 2, "window": 1}, "`window` must be an integer of at least"),
        (
            {"units": 4, "attention_dim": 2, "window": 9, "causal": False},
            "Received: window=9, causal=False",
        ),
    ],
)
def test_bad_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        SRUPlusPlus(**arguments)
