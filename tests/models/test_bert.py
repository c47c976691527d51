"""BERT: presets, heads, padding, and wrong arguments."""

import keras
import numpy as np
import pytest
from keras import ops

import kzoo
from kzoo.models import (
    bert,
    bert_classifier,
    bert_masked_language_model,
    bert_pretrainer,
    bert_question_answerer,
    bert_sentence_encoder,
    bert_tagger,
)

SIZES = {
    "vocabulary_size": 30,
    "embedding_dim": 8,
    "num_heads": 2,
    "hidden_dim": 12,
    "num_layers": 2,
    "max_length": 16,
}
IDS = np.array([[2, 7, 9, 3, 12, 3], [2, 8, 3, 0, 0, 0], [2, 5, 5, 6, 3, 0]], "int32")
INPUTS = {
    "ids": IDS,
    "mask": (IDS > 0).astype("int32"),
    "segment_ids": np.array([[0, 0, 0, 0, 1, 1], [0] * 6, [0] * 6], "int32"),
}
HEADS = {
    "masked_language_model": bert_masked_language_model,
    "pretrainer": bert_pretrainer,
    "masked_positions": lambda encoder: bert_pretrainer(encoder, next_sentence=False),
    "classifier": lambda encoder: bert_classifier(encoder, 3),
    "mean_classifier": lambda encoder: bert_classifier(encoder, 3, pooling="mean"),
    "tagger": lambda encoder: bert_tagger(encoder, 4),
    "question_answerer": bert_question_answerer,
    "sentence_encoder": bert_sentence_encoder,
}
# Layers, width and parameters of google-research/bert, whose vocabulary has 30522 ids.
PUBLISHED = {
    "tiny": (2, 128, 4_385_920),
    "mini": (4, 256, 11_170_560),
    "small": (4, 512, 28_763_648),
    "base": (12, 768, 109_482_240),
    "large": (24, 1024, 335_141_888),
}


def make(**changes):
    """Returns an encoder with random weights, biases included, and without dropout."""
    model = bert(**{**SIZES, "dropout": 0.0, "attention_dropout": 0.0, **changes})
    rng = np.random.default_rng(3)
    for weight in model.weights:
        weight.assign(rng.normal(scale=0.5, size=weight.shape))
    return model


def run(model, inputs):
    """Returns the outputs as arrays."""
    return keras.tree.map_structure(ops.convert_to_numpy, model(inputs))


def targets(name):
    """Returns inputs and targets of a head."""
    if name in ("pretrainer", "masked_positions"):
        inputs = {**INPUTS, "masked_positions": np.array([[1, 2], [1, 0], [3, 2]], "int32")}
        guessed = {"masked_language": np.take_along_axis(IDS, inputs["masked_positions"], axis=1)}
        labels = {"next_sentence": np.array([0, 1, 1])} if name == "pretrainer" else {}
        return inputs, guessed | labels
    return INPUTS, {
        "masked_language_model": {"masked_language": IDS},
        "classifier": np.array([0, 2, 1]),
        "mean_classifier": np.array([0, 2, 1]),
        "tagger": IDS % 4,
        "question_answerer": {
            "start_logits": np.array([1, 0, 2]),
            "end_logits": np.array([2, 1, 3]),
        },
        "sentence_encoder": np.eye(3, 8, dtype="float32"),
    }[name]


@pytest.mark.parametrize("name", kzoo.list_models("bert_*"))
def test_preset_saves_and_loads(name, tmp_path):
    model = kzoo.create_model(name, **SIZES)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    for key, output in run(model, INPUTS).items():
        assert output.std() > 0
        np.testing.assert_array_equal(run(loaded, INPUTS)[key], output)


@pytest.mark.parametrize("name", PUBLISHED)
def test_preset_has_the_published_size(name):
    num_layers, width, parameters = PUBLISHED[name]
    # One layer and few ids keep the test small; what is left out is counted.
    short = {"vocabulary_size": 10, "max_length": 8}
    one, two = (
        kzoo.create_model(f"bert_{name}", num_layers=n, **short).count_params() for n in (1, 2)
    )
    missing = (30522 - 10 + 512 - 8) * width
    assert one + (num_layers - 1) * (two - one) + missing == parameters
    if num_layers == 2:
        whole = kzoo.create_model(f"bert_{name}", vocabulary_size=30522)
        assert whole.count_params() == parameters


@pytest.mark.parametrize("name", HEADS)
def test_head_trains_saves_and_loads(name, tmp_path):
    keras.utils.set_random_seed(1)
    encoder = bert(**{**SIZES, "num_layers": 1}, dropout=0.0)
    table = ops.convert_to_numpy(encoder.get_layer("embedding").embeddings).copy()
    model = HEADS[name](encoder)
    inputs, labels = targets(name)
    # What a head draws is its own.
    np.testing.assert_array_equal(encoder.get_layer("embedding").embeddings, table)
    probabilities = name in ("classifier", "mean_classifier", "tagger")
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=not probabilities)
    loss = "mse" if name == "sentence_encoder" else loss
    loss = {key: loss for key in labels} if isinstance(labels, dict) else loss
    model.compile(keras.optimizers.Adam(0.03), loss)
    history = model.fit(inputs, labels, epochs=10, verbose=0).history
    assert history["loss"][-1] < 0.9 * history["loss"][0]
    assert abs(ops.convert_to_numpy(encoder.get_layer("embedding").embeddings) - table).max() > 0.01
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    keras.tree.map_structure(np.testing.assert_array_equal, run(loaded, inputs), run(model, inputs))


@pytest.mark.parametrize("name", HEADS)
def test_padding_and_batch_change_nothing(name):
    model = HEADS[name](make())
    inputs, _ = targets(name)
    alone = {key: value[1:2, :3] for key, value in inputs.items()}
    together = keras.tree.flatten(run(model, inputs))
    for whole, one in zip(together, keras.tree.flatten(run(model, alone)), strict=True):
        assert one.std() > 1e-4
        cut = whole[1:2, : one.shape[1]] if one.ndim > 1 else whole[1:2]
        np.testing.assert_allclose(cut, one, rtol=1e-4, atol=1e-5)


def test_every_input_counts():
    model = make()
    before = run(model, INPUTS)["pooled"]
    others = {"ids": INPUTS["ids"][:, ::-1], "segment_ids": 1 - INPUTS["segment_ids"]}
    others["mask"] = np.ones_like(INPUTS["mask"])
    for name, value in others.items():
        assert abs(run(model, {**INPUTS, name: value})["pooled"] - before).max() > 1e-3


def test_vectors_of_sentences_have_length_one():
    vectors = run(bert_sentence_encoder(make()), INPUTS)
    np.testing.assert_allclose((vectors**2).sum(-1), 1, rtol=1e-5)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (dict(vocabulary_size=0), "`vocabulary_size` must be a positive integer"),
        (dict(num_heads=3), "`num_heads` must divide `embedding_dim`"),
        (dict(activation="tanh"), "`activation` must be one of"),
        (dict(num_layers=0), "`num_layers` must be a positive integer"),
    ],
)
def test_wrong_arguments(wrong, message):
    with pytest.raises(ValueError, match=message):
        bert(**{**SIZES, **wrong})


@pytest.mark.parametrize("head", ["classifier", "pretrainer"])
def test_heads_that_need_the_pooled_output_say_so(head):
    with pytest.raises(ValueError, match="`encoder` must have a `pooled` output"):
        HEADS[head](bert(**SIZES, pools=False))


def test_the_others_do_without_it():
    encoder = make(pools=False)
    for head in ("masked_positions", "mean_classifier"):
        model = HEADS[head](encoder)
        assert not any(layer.name == "pooled" for layer in model.layers)
    with pytest.raises(ValueError, match=r"`pooling` must be one of .*'max'"):
        bert_classifier(encoder, 3, pooling="max")
