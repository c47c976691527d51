"""Multi-head attention and positions against NumPy: at once, to a memory, and with a cache."""

import numpy as np
import pytest
from keras import ops
from keras.src import testing

from kzoo.layers import FeedForward, LearnedPositions, MultiHeadAttention, SinusoidalPositions
from kzoo.layers.key_value_cache import advance, begin_place
from tests.layers import transformer_references as references
from tests.layers.transformer_references import MEMORY_MASK, SOURCE, draw
from tests.weights import randomize

BATCH, TIME, FEATURES = 4, 6, 8
# Right-padded, full, empty, and padded on the left and in the middle.
MASK = np.arange(TIME)[None] < np.array([4, TIME, 0, TIME])[:, None]
MASK[3, [0, 2]] = False

CASES = {
    "plain": dict(num_heads=2, head_dim=3),
    "causal": dict(num_heads=2, head_dim=3, causal=True),
    "grouped": dict(num_heads=6, head_dim=2, num_key_value_heads=3, use_bias=False, causal=True),
    "one_key_head": dict(num_heads=4, head_dim=2, num_key_value_heads=1),
    "rotary": dict(num_heads=2, head_dim=4, positions="rotary"),
    "rotary_causal": dict(num_heads=2, head_dim=4, positions="rotary", causal=True),
    "alibi": dict(num_heads=6, head_dim=2, positions="alibi"),
    "alibi_causal": dict(num_heads=4, head_dim=2, positions="alibi", causal=True),
}
CAUSAL = [name for name, case in CASES.items() if case.get("causal")]


class Battery(testing.TestCase):
    """Gives access to `run_layer_test`."""

    def runTest(self):
        """Nothing: the tests below call the battery."""


def make(name, memory_size=None):
    layer = MultiHeadAttention(**CASES[name])
    memory = () if memory_size is None else ((None, None, memory_size),)
    layer.build((None, None, FEATURES), *memory)
    layer.built = True
    return randomize(layer)


def reference(layer, x, mask):
    """Outputs at the steps that count, zeros elsewhere."""
    weights, config = references.arrays(layer), layer.get_config()
    outputs = np.zeros(x.shape)
    for row, counts in enumerate(mask):
        outputs[row, counts] = references.attention(weights, config, x[row, counts])
    return outputs


@pytest.mark.parametrize("name", CASES)
def test_equals_reference(name):
    layer, x = make(name), draw(BATCH, TIME, FEATURES)
    everywhere = np.ones_like(MASK)
    np.testing.assert_allclose(layer(x), reference(layer, x, everywhere), rtol=1e-5, atol=1e-5)
    masked = ops.convert_to_numpy(layer(x, mask=MASK))
    expected = reference(layer, x, MASK)
    assert abs(expected).max() > 0.5
    np.testing.assert_allclose(masked * MASK[:, :, None], expected, rtol=1e-5, atol=1e-5)
    # What may attend to nothing has a context of zeros.
    bias = references.arrays(layer).get("output/bias", np.zeros(FEATURES))
    np.testing.assert_allclose(masked[2], np.tile(bias, (TIME, 1)), atol=1e-6)


@pytest.mark.parametrize("name", ["plain", "one_key_head"])
def test_attention_to_a_memory_equals_reference(name):
    layer = make(name, memory_size=5)
    x, memory = draw(BATCH, TIME, FEATURES), draw(BATCH, SOURCE, 5, seed=1)
    weights, config = references.arrays(layer), layer.get_config()
    expected = [
        references.attention(weights, config, x[row], memory[row][MEMORY_MASK[row]])
        for row in range(BATCH)
    ]
    outputs = layer(x, memory, memory_mask=MEMORY_MASK)
    np.testing.assert_allclose(outputs, expected, rtol=1e-5, atol=1e-5)
    step, alignments = layer.recall(x[:, 2:3], layer.remember(memory), MEMORY_MASK)
    np.testing.assert_allclose(step[:, 0], outputs[:, 2], rtol=1e-5, atol=1e-5)
    assert tuple(alignments.shape) == (BATCH, layer.num_heads, 1, SOURCE)
    np.testing.assert_allclose(ops.sum(alignments, axis=-1), 1, rtol=1e-5)


@pytest.mark.parametrize("name", CAUSAL)
def test_cache_gives_what_the_whole_gives(name):
    layer, x = make(name), draw(BATCH, TIME + 3, FEATURES)
    mask = np.concatenate([MASK, np.ones((BATCH, 3), bool)], axis=1)
    expected = reference(layer, x, mask)
    place, cache = begin_place(BATCH, 12), layer.begin(BATCH, 12)
    shape = (BATCH, 12, layer.num_key_value_heads, layer.head_dim)
    # A prompt in two pieces, then step after step.
    for start, end in ((0, 4), (4, 6), (6, 7), (7, 8), (8, 9)):
        place, span = advance(place, ops.cast(mask[:, start:end], "int32"), "float32")
        outputs, cache = layer.extend(x[:, start:end], cache, span)
        counts = mask[:, start:end, None]
        np.testing.assert_allclose(outputs * counts, expected[:, start:end], rtol=1e-5, atol=1e-5)
        assert [tuple(part.shape) for part in cache] == [shape, shape]
    np.testing.assert_array_equal(place["position"], TIME + 3)


@pytest.mark.parametrize(
    ("activation", "use_bias"),
    [("relu", True), ("gelu", True), ("gelu_tanh", False), ("swiglu", True), ("swiglu", False)],
)
def test_feed_forward_equals_reference(activation, use_bias):
    layer, x = FeedForward(5, activation, use_bias), draw(2, 3, FEATURES)
    layer.build(x.shape)
    randomize(layer)
    expected = [references.feed_forward(references.arrays(layer), activation, row) for row in x]
    np.testing.assert_allclose(layer(x), expected, rtol=1e-5, atol=2e-6)


def test_positions_are_added():
    x = draw(2, 5, FEATURES)
    places = np.array([[0, 300, 2, 2, 7]], "int32")
    encodings = np.array([references.sinusoid(p, FEATURES) for p in range(301)])
    sinusoidal, learned = SinusoidalPositions(), LearnedPositions(301)
    learned.build(x.shape)
    randomize(learned)
    tables = (encodings, ops.convert_to_numpy(learned.embeddings))
    for layer, table in zip((sinusoidal, learned), tables, strict=True):
        np.testing.assert_allclose(layer(x), x + table[:5], atol=1e-5)
        np.testing.assert_allclose(layer(x, places), x + table[places[0]], atol=1e-4)
    with pytest.raises(ValueError, match="must have at most 4 steps"):
        LearnedPositions(4)(x)
    with pytest.raises(ValueError, match="must have an even number of features"):
        SinusoidalPositions()(x[:, :, :3])


@pytest.mark.parametrize(
    ("layer", "arguments", "weights", "seeds"),
    [
        (MultiHeadAttention, {**CASES["grouped"], "dropout": 0.2}, 4, 1),
        (FeedForward, {"hidden_dim": 5, "activation": "swiglu", "dropout": 0.2}, 6, 1),
        (LearnedPositions, {"max_length": 9}, 1, 0),
    ],
)
def test_battery(layer, arguments, weights, seeds):
    Battery().run_layer_test(
        layer,
        init_kwargs=arguments,
        input_shape=(3, 4, 6),
        expected_output_shape=(3, 4, 6),
        expected_num_trainable_weights=weights,
        expected_num_non_trainable_weights=0,
        expected_num_seed_generators=seeds,
        supports_masking=True,
    )


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
@pytest.mark.parametrize("name", ["rotary_causal", "alibi"])
def test_mixed_precision_stays_finite_and_close(name, policy):
    layer, x = make(name), draw(2, 40, FEATURES)
    mixed = MultiHeadAttention(**CASES[name], dtype=policy)
    mixed.build(x.shape)
    mixed.set_weights(layer.get_weights())
    mask = np.arange(40) < np.array([[30], [0]])
    expected = ops.convert_to_numpy(layer(x, mask=mask))
    outputs = ops.convert_to_numpy(ops.cast(mixed(x, mask=mask), "float32"))
    tolerance = 0.02 if policy == "mixed_float16" else 0.15
    np.testing.assert_allclose(outputs, expected, atol=tolerance * abs(expected).max())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (dict(num_heads=0, head_dim=2), "`num_heads` must be a positive integer"),
        (dict(num_heads=4, head_dim=2.0), "`head_dim` must be a positive integer"),
        (dict(num_heads=4, head_dim=2, num_key_value_heads=3), "`num_key_value_heads` must divide"),
        (dict(num_heads=4, head_dim=3, positions="rotary"), "`head_dim` must be even"),
        (dict(num_heads=4, head_dim=3, positions="learned"), "`positions` must be one of"),
    ],
)
def test_bad_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        MultiHeadAttention(**arguments)


def test_a_layer_is_used_as_it_was_built():
    x = draw(2, 3, FEATURES)
    with pytest.raises(ValueError, match="`memory` must not be given with `causal`"):
        MultiHeadAttention(2, 3, causal=True)(x, x)
    with pytest.raises(ValueError, match="`memory` must be given always or never"):
        make("plain")(x, x)
    with pytest.raises(ValueError, match="`causal` must be True for `extend`"):
        make("plain").extend(x, None, None)
