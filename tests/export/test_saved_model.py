"""Export to SavedModel: both signatures, and a target that is never half-written."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from kzoo.export import ExportError, VerificationError, export_saved_model
from kzoo.layers import GRUCell, Recurrent
from kzoo.models import bert_classifier, create_model, tag_decoder, tagger
from kzoo.text import BertTokenizer, TaggingTokenizer, WordTokenizer, tagging_graph

TEXTS = ["a good film", "", "the film was good , the book was better", "unknown words"]


@pytest.fixture(scope="module")
def tokenizer():
    return WordTokenizer.train(TEXTS[:3], vocabulary_size=50)


@pytest.fixture(scope="module")
def model(tokenizer):
    ids = keras.Input((None,), dtype="int32", name="ids")
    x = keras.layers.Embedding(tokenizer.vocabulary_size, 8, mask_zero=True)(ids)
    x = Recurrent(GRUCell(8))(x)
    return keras.Model(ids, keras.layers.Dense(3, activation="softmax", name="classes")(x))


@pytest.fixture(scope="module")
def folder(tmp_path_factory, model, tokenizer):
    folder = tmp_path_factory.mktemp("saved") / "model"
    assert 0 <= export_saved_model(model, folder, tokenizer, max_length=5) < 1e-5
    return folder


def test_text_and_ids_give_what_the_model_gives(folder, model, tokenizer):
    signatures = tf.saved_model.load(str(folder)).signatures
    ids = tokenizer(TEXTS, max_length=5)
    expected = model(ids, training=False)
    by_ids = signatures["serving_default"](ids=tf.constant(ids))["classes"]
    by_text = signatures["serving_text"](text=tf.constant(TEXTS))["classes"]
    np.testing.assert_allclose(by_ids, expected, atol=1e-6)
    np.testing.assert_allclose(by_text, expected, atol=1e-6)
    assert signatures["serving_text"](text=tf.constant([""]))["classes"].shape == (1, 3)


def test_an_older_export_is_replaced_and_nothing_else(folder, model, tmp_path):
    model_file = folder / "saved_model.pb"
    before = model_file.read_bytes()
    export_saved_model(model, folder)
    assert model_file.read_bytes() != before
    assert "serving_text" not in tf.saved_model.load(str(folder)).signatures
    assert [path.name for path in folder.parent.iterdir()] == ["model"]
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(ExportError, match="left untouched"):
        export_saved_model(model, tmp_path)
    with pytest.raises(ExportError, match=r"the name of a folder, got '\.'"):
        export_saved_model(model, ".")
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_failures_leave_the_old_folder(tmp_path):
    model = keras.Sequential([keras.Input((None, 4), name="x"), keras.layers.Dense(2, name="y")])
    target = tmp_path / "model"
    assert export_saved_model(model, target) < 1e-5
    before = (target / "saved_model.pb").read_bytes()
    model.layers[0].bias.assign([np.nan, 0.0])
    with pytest.raises(VerificationError, match="NaN"):
        export_saved_model(model, target)
    assert (target / "saved_model.pb").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["model"]
    with pytest.raises(ExportError, match="cannot write"):
        export_saved_model(model, tmp_path / "missing" / "model")


def test_real_inputs_are_what_is_compared(tmp_path):
    model = keras.Sequential([keras.Input((None, 2)), keras.layers.Lambda(keras.ops.log)])
    # Random features are negative, too.
    with pytest.raises(VerificationError, match="holds NaN"):
        export_saved_model(model, tmp_path / "model")
    real = np.random.default_rng(0).uniform(1, 2, (3, 4, 2)).astype("float32")
    assert export_saved_model(model, tmp_path / "model", inputs=real) < 1e-5


def test_a_tokenizer_needs_a_model_of_ids(tokenizer, tmp_path):
    inputs = [keras.Input((None, 2)), keras.Input((None, 2))]
    model = keras.Model(inputs, keras.layers.Add()(inputs))
    with pytest.raises(ValueError, match=r"call_graph\(\) and a model with one input"):
        export_saved_model(model, tmp_path / "model", tokenizer)
    words = TaggingTokenizer.train([["a", "film"]], min_count=1)
    model = keras.Sequential([keras.Input((None,), name="words"), keras.layers.Embedding(9, 2)])
    for other, name in ((words, "TaggingTokenizer"), (words.to_json(), "str")):
        with pytest.raises(ValueError, match=rf"got {name} and the inputs \['words'\]"):
            export_saved_model(model, tmp_path / "model", other)


def test_labels_are_the_tags_of_a_tagger(model, tokenizer, tmp_path):
    words = TaggingTokenizer.train([["a", "film"]], spell=False, min_count=1)
    sizes = {"vocabulary_size": words.vocabulary_size, "num_tags": 3, "units": 4}
    tags = tag_decoder(tagger(**sizes, head="softmax"))
    path = tmp_path / "model"
    with pytest.raises(ValueError, match=r"labels: expected .* of a tagger .* WordTok"):
        export_saved_model(model, path, tokenizer, labels=["a", "b", "c"])
    with pytest.raises(ValueError, match=r"labels: expected .* of a tagger .* NoneType"):
        export_saved_model(tags, path, labels=["a", "b", "c"])
    with pytest.raises(ValueError, match="labels: expected 3 names for output 'probabilities'"):
        export_saved_model(tags, path, words, labels=["a", "b"])
    ids = keras.Input((None,), dtype="int32", name="words")
    taken = keras.Model(ids, {"words": keras.layers.Embedding(9, 2)(ids)})
    with pytest.raises(ValueError, match="model: expected outputs of other names than 'words'"):
        export_saved_model(taken, path, words)


def test_other_words_than_those_of_python_are_no_tagger(tmp_path, monkeypatch):
    tokenizer = TaggingTokenizer.train([["a", "film"]], spell=False, min_count=1, clitics=True)
    model = keras.Sequential([keras.Input((None,), name="words"), keras.layers.Embedding(9, 2)])
    monkeypatch.setattr(tagging_graph, "split_clitics_graph", lambda words: words)
    with pytest.raises(VerificationError, match=r"output 'words' differs from .*n't"):
        export_saved_model(model, tmp_path / "model", tokenizer)
    assert not list(tmp_path.iterdir())


def test_bert_reads_texts(tmp_path):
    texts = ["a good film", "", "정말 재미있는 영화였어요 " * 9, "Café 🎬 ꟀА 100%"]
    tokenizer = BertTokenizer.train(texts, vocabulary_size=90, max_length=12)
    encoder = create_model(
        "bert_tiny", vocabulary_size=tokenizer.vocabulary_size, max_length=12, num_layers=1
    )
    model = bert_classifier(encoder, num_classes=3)
    random = np.random.default_rng(1)
    for weight in model.weights:
        weight.assign(weight + random.normal(0, 0.2, weight.shape))
    path = tmp_path / "model"
    assert export_saved_model(model, path, tokenizer) < 1e-5
    signature = tf.saved_model.load(str(path)).signatures["serving_text"]
    (found,) = signature(text=tf.constant(texts)).values()
    expected = keras.ops.convert_to_numpy(model(tokenizer(texts)))
    np.testing.assert_allclose(found, expected, atol=1e-5)
    np.testing.assert_allclose(found.numpy().sum(axis=-1), 1, atol=1e-5)
    assert np.ptp(expected, axis=0).max() > 0.01
