"""Folders of Hugging Face: the weights mean what NumPy says, and come back as they were."""

import json

import numpy as np
import pytest
from keras import ops
from safetensors.numpy import load_file

from kzoo.models import (
    bert_classifier,
    bert_masked_language_model,
    bert_pretrainer,
    bert_question_answerer,
    bert_tagger,
    load_bert,
    save_bert,
)
from tests.models import bert_reference as reference
from tests.models.test_bert import INPUTS

HEADS = {
    "BertModel": (None, []),
    "BertForMaskedLM": (bert_masked_language_model, ["cls.predictions."]),
    "BertForPreTraining": (bert_pretrainer, ["cls."]),
    "BertForSequenceClassification": (lambda model: bert_classifier(model, 3), ["classifier."]),
    "BertForTokenClassification": (lambda model: bert_tagger(model, 3), ["classifier."]),
    "BertForQuestionAnswering": (bert_question_answerer, ["qa_outputs."]),
}


def all_tensors():
    """Returns the tensors of an encoder and of every head."""
    more = {**reference.random_head("classifier", 3), **reference.random_head("qa_outputs", 2)}
    return reference.random_tensors() | more


def close(ours, expected):
    """Compares with the reference where there is no padding."""
    np.testing.assert_allclose(ops.convert_to_numpy(ours), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("prefix", ["", "bert."])
def test_encoder_equals_numpy(prefix, tmp_path):
    tensors = {
        prefix + name.removeprefix("bert."): array
        for name, array in reference.random_tensors().items()
        if name.startswith("bert.")
    }
    reference.write_folder(tmp_path, tensors)
    outputs = load_bert(tmp_path)(INPUTS)
    sequence, pooled = reference.encode(tensors, **INPUTS)
    counts = INPUTS["mask"] > 0
    close(ops.convert_to_numpy(outputs["sequence"])[counts], sequence[counts])
    close(outputs["pooled"], pooled)


def test_pretraining_heads_equal_numpy(tmp_path):
    tensors = reference.random_tensors()
    reference.write_folder(tmp_path, tensors)
    positions = np.array([[1, 2], [1, 0], [3, 2]], "int32")
    model = load_bert(tmp_path, head=bert_pretrainer)
    outputs = model({**INPUTS, "masked_positions": positions})
    sequence, pooled = reference.encode(tensors, **INPUTS)
    chosen = np.take_along_axis(sequence, positions[..., None], axis=1)
    close(outputs["masked_language"], reference.masked_language(tensors, chosen))
    close(outputs["next_sentence"], reference.dense(tensors, "cls.seq_relationship", pooled))
    everywhere = load_bert(tmp_path, head=bert_masked_language_model)(INPUTS)["masked_language"]
    counts = INPUTS["mask"] > 0
    expected = reference.masked_language(tensors, sequence)
    close(ops.convert_to_numpy(everywhere)[counts], expected[counts])


def test_classes_are_the_softmax_of_what_numpy_says(tmp_path):
    tensors = all_tensors()
    reference.write_folder(tmp_path, tensors)
    model = load_bert(tmp_path, head=lambda encoder: bert_classifier(encoder, 3))
    scores = reference.dense(tensors, "classifier", reference.encode(tensors, **INPUTS)[1])
    shares = np.exp(scores)
    close(model(INPUTS), shares / shares.sum(-1, keepdims=True))


@pytest.mark.parametrize("architecture", HEADS)
def test_what_is_saved_is_what_was_loaded(architecture, tmp_path):
    head, prefixes = HEADS[architecture]
    reference.write_folder(tmp_path / "theirs", all_tensors(), hidden_act="gelu_new")
    model = load_bert(tmp_path / "theirs", head=head)
    save_bert(model, tmp_path / "ours")
    config = json.loads((tmp_path / "ours" / "config.json").read_text())
    assert config["architectures"] == [architecture]
    del config["architectures"]
    assert (
        config.items()
        >= {
            **{key: value for key, value in reference.CONFIG.items() if key != "architectures"},
            "hidden_act": "gelu_new",
        }.items()
    )
    saved = load_file(tmp_path / "ours" / "model.safetensors")
    pools = "pooled" in [layer.name for layer in model.layers]
    expected = {
        name if prefixes else name.removeprefix("bert."): array
        for name, array in all_tensors().items()
        if name.startswith(("bert.", *prefixes)) and (pools or "pooler" not in name)
    }
    assert saved.keys() == expected.keys()
    for name, array in expected.items():
        np.testing.assert_array_equal(saved[name], array)
    again = load_bert(tmp_path / "ours", head=head)
    for one, two in zip(again.weights, model.weights, strict=True):
        np.testing.assert_array_equal(one, two)


def test_a_folder_without_pooling_gives_a_model_without(tmp_path):
    tensors = {
        name: array for name, array in reference.random_tensors().items() if "pooler" not in name
    }
    reference.write_folder(tmp_path, tensors)
    assert list(load_bert(tmp_path).output) == ["sequence"]
    model = load_bert(tmp_path, pools=True)
    table = reference.random_tensors()["bert.embeddings.word_embeddings.weight"]
    np.testing.assert_array_equal(model.get_layer("embedding").embeddings, table)
    assert ops.convert_to_numpy(model.get_layer("pooled").kernel).std() > 0.01


def test_options_stand_before_what_the_folder_says(tmp_path):
    reference.write_folder(tmp_path, reference.random_tensors())
    model = load_bert(tmp_path, pools=False, dropout=0.3, attention_dropout=0.4)
    assert list(model.output) == ["sequence"]
    block = model.get_layer("block_1")
    assert (block.dropout.rate, block.attention.dropout.rate) == (0.3, 0.4)
    close(model(INPUTS)["sequence"][0], load_bert(tmp_path)(INPUTS)["sequence"][0])


def test_sizes_without_weights(tmp_path):
    reference.write_folder(tmp_path, reference.random_tensors())
    model, new = load_bert(tmp_path), load_bert(tmp_path, weights=False)
    for one, two in zip(model.weights, new.weights, strict=True):
        assert one.shape == two.shape
    difference = new.get_layer("embedding").embeddings - model.get_layer("embedding").embeddings
    assert abs(ops.convert_to_numpy(difference)).max() > 0.01


def test_a_classifier_of_the_mean_has_no_form_there(tmp_path):
    reference.write_folder(tmp_path, reference.random_tensors())
    model = bert_classifier(load_bert(tmp_path), 3, pooling="mean")
    with pytest.raises(ValueError, match="`model` must classify its `pooled` output"):
        save_bert(model, tmp_path / "mean")
    assert not (tmp_path / "mean" / "model.safetensors").exists()


def test_older_names_are_understood(tmp_path):
    tensors = reference.random_tensors()
    older = {
        name.replace("LayerNorm.weight", "LayerNorm.gamma").replace(
            "LayerNorm.bias", "LayerNorm.beta"
        ): array
        for name, array in tensors.items()
    }
    older["bert.embeddings.position_ids"] = np.arange(reference.LENGTH)[None]
    assert len(older.keys() - tensors.keys()) > 5
    reference.write_folder(tmp_path, older)
    close(load_bert(tmp_path)(INPUTS)["pooled"], reference.encode(tensors, **INPUTS)[1])


def test_every_wrong_tensor_is_named(tmp_path):
    tensors = reference.random_tensors()
    del tensors["bert.encoder.layer.1.output.dense.bias"]
    del tensors["bert.pooler.dense.weight"]
    tensors["bert.encoder.layer.2.output.dense.bias"] = np.zeros(8, "float32")
    tensors["bert.encoder.layer.0.intermediate.dense.weight"] = np.zeros((8, 12), "float32")
    reference.write_folder(tmp_path, tensors)
    with pytest.raises(ValueError, match="must hold the tensors of its config") as caught:
        load_bert(tmp_path)
    message = str(caught.value)
    assert "missing=['encoder.layer.1.output.dense.bias', 'pooler.dense.weight']" in message
    assert "unexpected=['encoder.layer.2.output.dense.bias']" in message
    assert "encoder.layer.0.intermediate.dense.weight: (12, 8) expected, (8, 12) came" in message


def test_a_head_must_be_in_the_folder(tmp_path):
    reference.write_folder(tmp_path, reference.random_tensors())
    with pytest.raises(ValueError, match=r"missing=\['qa_outputs.bias', 'qa_outputs.weight'\]"):
        load_bert(tmp_path, head=bert_question_answerer)


def test_a_new_head_begins_where_the_folder_has_none(tmp_path):
    tensors = reference.random_tensors()
    reference.write_folder(tmp_path, tensors)
    model = load_bert(tmp_path, head=bert_question_answerer, new_heads=True)
    found = model.get_layer("embedding").embeddings
    np.testing.assert_array_equal(found, load_bert(tmp_path).get_layer("embedding").embeddings)
    # A part of a head is still an error.
    reference.write_folder(tmp_path, {**tensors, "qa_outputs.bias": np.zeros(2, "float32")})
    with pytest.raises(ValueError, match=r"missing=\['qa_outputs.weight'\]"):
        load_bert(tmp_path, head=bert_question_answerer, new_heads=True)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (dict(model_type="roberta"), "`model_type` must be 'bert'"),
        (dict(position_embedding_type="relative_key"), "`position_embedding_type` must be"),
        (dict(hidden_act="silu"), "`hidden_act` must be one of"),
        (dict(is_decoder=True), "`is_decoder` must be False"),
    ],
)
def test_another_model_is_refused(changes, message, tmp_path):
    reference.write_folder(tmp_path, reference.random_tensors(), **changes)
    with pytest.raises(ValueError, match=message):
        load_bert(tmp_path)


def test_missing_and_broken_files(tmp_path):
    with pytest.raises(ValueError, match=r"must hold a readable config.json"):
        load_bert(tmp_path)
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(ValueError, match=r"must hold .*vocab_size"):
        load_bert(tmp_path)
    (tmp_path / "config.json").write_text(json.dumps(reference.CONFIG))
    for content in (None, b"abc"):
        if content:
            (tmp_path / "model.safetensors").write_bytes(content)
        with pytest.raises(ValueError, match=r"must hold a readable model.safetensors"):
            load_bert(tmp_path)
