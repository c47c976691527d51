"""Blocks of a Transformer against NumPy, with and without a cache, and the contract of a layer."""

import keras
import numpy as np
import pytest
from keras import ops
from keras.src import testing

from kzoo.layers import (
    FeedForward,
    MultiHeadAttention,
    TransformerDecoderBlock,
    TransformerEncoderBlock,
)
from kzoo.layers.key_value_cache import advance, begin_place
from tests.layers import transformer_references as references
from tests.layers.transformer_references import MEMORY_MASK, SOURCE, draw
from tests.weights import randomize

BATCH, TIME, FEATURES, MEMORY = 4, 5, 6, 4
MASK = np.arange(TIME)[None] < np.array([3, TIME, 0, TIME])[:, None]
MASK[3, 1] = False

# Of the feed-forward network, of both attentions, and of the block.
CASES = {
    "original": ({}, {}, {}),
    "gpt": ({"activation": "gelu_tanh"}, {}, {"normalize_first": True}),
    "llama": (
        {"activation": "swiglu", "use_bias": False},
        {"num_key_value_heads": 1, "use_bias": False},
        {"normalize_first": True, "normalization": "rms_norm"},
    ),
    "rms_norm_last": ({"activation": "gelu"}, {}, {"normalization": "rms_norm"}),
}


class Battery(testing.TestCase):
    """Gives access to `run_layer_test`."""

    def runTest(self):
        """Nothing: the tests below call the battery."""


def make(name, kind, memory=True, dropout=0.0):
    """Returns a block; `kind` is "encoder" or "decoder"."""
    feed_forward, attention, block = CASES[name]
    heads = {"num_heads": 2, "head_dim": 3, "dropout": dropout, **attention}
    layers = [
        MultiHeadAttention(**heads, causal=kind == "decoder"),
        FeedForward(7, **feed_forward, dropout=dropout),
    ]
    if kind == "encoder":
        return TransformerEncoderBlock(*layers, **block, dropout=dropout)
    layers.append(MultiHeadAttention(**heads) if memory else None)
    return TransformerDecoderBlock(*layers, **block, dropout=dropout)


def build(layer, memory=False):
    layer.build((None, None, FEATURES), *([(None, None, MEMORY)] if memory else []))
    layer.built = True
    return randomize(layer)


@pytest.mark.parametrize("name", CASES)
def test_encoder_block_equals_reference(name):
    layer, x = build(make(name, "encoder")), draw(BATCH, TIME, FEATURES)
    outputs = ops.convert_to_numpy(layer(x, mask=MASK))
    assert np.isfinite(outputs).all()
    for row, counts in enumerate(MASK):
        expected = references.block(layer, x[row, counts])
        np.testing.assert_allclose(outputs[row, counts], expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("with_memory", [True, False])
@pytest.mark.parametrize("name", CASES)
def test_decoder_block_equals_reference_and_its_steps(name, with_memory):
    layer = build(make(name, "decoder", with_memory), with_memory)
    x, memory = draw(BATCH, TIME, FEATURES), draw(BATCH, SOURCE, MEMORY, seed=1)
    given = {"memory": memory, "memory_mask": MEMORY_MASK} if with_memory else {}
    outputs = ops.convert_to_numpy(layer(x, mask=MASK, **given))
    for row, counts in enumerate(MASK):
        inputs = [memory[row, MEMORY_MASK[row]]] if with_memory else []
        expected = references.block(layer, x[row, counts], *inputs)
        np.testing.assert_allclose(outputs[row, counts], expected, rtol=1e-5, atol=1e-5)
    place, cache = begin_place(BATCH, TIME), layer.begin(BATCH, TIME)
    remembered = (layer.remember(memory), MEMORY_MASK) if with_memory else ()
    for t in range(TIME):
        mask = MASK[:, t : t + 1]
        place, span = advance(place, ops.cast(mask, "int32"), "float32")
        step, cache, weights = layer.extend(x[:, t : t + 1], cache, span, *remembered)
        np.testing.assert_allclose(
            step * mask[..., None], outputs[:, t : t + 1] * mask[..., None], rtol=1e-5, atol=1e-5
        )
        assert (weights is not None) == with_memory


def test_dropout_reaches_every_sublayer():
    layer, x = build(make("original", "encoder", dropout=0.5)), draw(BATCH, TIME, FEATURES)
    plain = ops.convert_to_numpy(layer(x))
    seen = {"block": layer.dropout, "attention": layer.attention.dropout}
    seen["feed_forward"] = layer.feed_forward.dropout
    for dropout in seen.values():
        for other in seen.values():
            other.rate = 0.5 if other is dropout else 0.0
        assert abs(ops.convert_to_numpy(layer(x, training=True)) - plain).max() > 1e-2
    np.testing.assert_array_equal(layer(x, training=False), plain)


def test_battery():
    block = make("llama", "encoder", dropout=0.2)
    Battery().run_layer_test(
        TransformerEncoderBlock,
        init_kwargs={
            "attention": block.attention,
            "feed_forward": block.feed_forward,
            "normalization": "rms_norm",
            "normalize_first": True,
            "dropout": 0.1,
        },
        input_shape=(3, 4, 6),
        expected_output_shape=(3, 4, 6),
        expected_num_trainable_weights=9,
        expected_num_non_trainable_weights=0,
        expected_num_seed_generators=3,
        supports_masking=True,
        run_training_check=False,
    )


def test_decoder_block_saves_and_loads(tmp_path):
    x, memory = keras.Input((None, FEATURES)), keras.Input((None, MEMORY))
    model = keras.Model([x, memory], make("llama", "decoder")(x, memory))
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    inputs = [draw(2, 3, FEATURES), draw(2, 4, MEMORY)]
    np.testing.assert_array_equal(loaded(inputs), model(inputs))


def test_bad_arguments_are_named():
    attention, feed_forward = MultiHeadAttention(2, 3), FeedForward(7)
    with pytest.raises(ValueError, match="`attention` must be a kzoo"):
        TransformerEncoderBlock(keras.layers.MultiHeadAttention(2, 3), feed_forward)
    with pytest.raises(ValueError, match="`feed_forward` must be a kzoo"):
        TransformerEncoderBlock(attention, 7)
    with pytest.raises(ValueError, match="`normalization` must be one of"):
        TransformerEncoderBlock(attention, feed_forward, "batch_norm")
    with pytest.raises(ValueError, match="`attention` must be causal"):
        TransformerDecoderBlock(attention, feed_forward)
    causal = MultiHeadAttention(2, 3, causal=True)
    with pytest.raises(ValueError, match="`cross_attention` must be None or"):
        TransformerDecoderBlock(causal, feed_forward, 7)
    with pytest.raises(ValueError, match="`memory` must be given with `cross_attention`"):
        TransformerDecoderBlock(causal, feed_forward, attention)(draw(1, 2, FEATURES))
