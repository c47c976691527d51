"""Export to `.tflite`: what the file holds, and what it computes."""

import hashlib
import zipfile

import keras
import numpy as np
import pytest

from kzoo.export import (
    Export,
    ExportError,
    Predictor,
    VerificationError,
    export_many,
    export_tflite,
    read_bundle,
    verify,
)
from kzoo.layers import LSTMCell, Recurrent
from kzoo.text import ByteTokenizer

PRECISIONS = ("float32", "float16", "dynamic")
LABELS = ("bad", "so-so", "좋다")
TEXTS = ["A good film!", "", "정말 재미있는 영화", "x" * 200]


def text_classifier():
    ids = keras.Input((None,), dtype="int32", name="ids")
    x = keras.layers.Embedding(260, 64, mask_zero=True)(ids)
    x = Recurrent(LSTMCell(32))(x)
    outputs = keras.layers.Dense(3, activation="softmax", name="probabilities")(x)
    return keras.Model(ids, outputs, name="classifier")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("exports")


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(0)
    return text_classifier()


@pytest.fixture(scope="module")
def verifications(folder, model):
    tokenizer = ByteTokenizer()
    exports = [
        Export(
            model,
            folder / f"{precision}.tflite",
            precision,
            inputs=tokenizer(TEXTS),
            tokenizer=tokenizer,
            labels=LABELS,
            max_length=64,
        )
        for precision in PRECISIONS
    ]
    return dict(zip(PRECISIONS, export_many(exports), strict=True))


@pytest.mark.parametrize("precision", PRECISIONS)
def test_verification_says_what_was_run(verifications, precision):
    verification = verifications[precision]
    assert [case["ids"] for case in verification.cases] == [
        (batch_size, length) for batch_size in (1, 5) for length in (3, 37, 64)
    ]
    assert "WHILE" in verification.operators
    # A loop body's operator: all subgraphs were read.
    assert "TANH" in verification.operators
    assert 0 < verification.latency_ms < 1000
    assert verification.latency_shapes == {"ids": (1, 64)}
    assert verification.size_bytes == verification.path.stat().st_size


def test_weights_shrink_with_precision(verifications):
    weights = 260 * 64 + 64 * 128 + 32 * 128
    assert verifications["float32"].constant_bytes["FLOAT32"] >= 4 * weights
    assert verifications["float16"].constant_bytes["FLOAT16"] >= 2 * weights
    # The embedding table, which is read by a GATHER, is int8 too.
    assert verifications["dynamic"].constant_bytes["INT8"] == weights
    assert verifications["dynamic"].constant_bytes["FLOAT32"] < 4 * 1024
    assert 0 < verifications["dynamic"].max_difference < 0.05


@pytest.mark.parametrize("precision", PRECISIONS)
def test_the_file_alone_classifies_text(verifications, model, precision):
    path = verifications[precision].path
    predictor = Predictor(path)
    with pytest.warns(UserWarning, match="1 of 4 sequences were cut to 64 steps"):
        probabilities = predictor(TEXTS)
    expected = model(ByteTokenizer()(TEXTS, max_length=64), training=False).numpy()
    limit = {"float32": 1e-5, "float16": 1e-2, "dynamic": 5e-2}[precision]
    np.testing.assert_allclose(probabilities, expected, atol=limit)
    assert predictor.classify(TEXTS[:3]) == [
        (LABELS[row.argmax()], pytest.approx(float(row.max()), abs=1e-6))
        for row in probabilities[:3]
    ]
    assert predictor([]).shape == (0, 3)


def test_the_bundle_lists_like_any_zip(verifications):
    path = verifications["float32"].path
    with zipfile.ZipFile(path) as archive:
        assert sorted(archive.namelist()) == [
            "golden.json",
            "labels.txt",
            "manifest.json",
            "tokenizer.json",
        ]
        assert archive.read("labels.txt").decode() == "bad\nso-so\n좋다\n"
    bundle = read_bundle(path)
    assert bundle.labels == LABELS
    assert bundle.tokenizer == ByteTokenizer().to_json()
    manifest = bundle.manifest
    assert (manifest["precision"], manifest["max_length"]) == ("float32", 64)
    assert manifest["signatures"] == {
        "serving_default": {
            "inputs": [{"name": "ids", "shape": [None, None], "dtype": "int32"}],
            "outputs": [{"name": "probabilities", "shape": [None, 3], "dtype": "float32"}],
        }
    }
    content = path.read_bytes()[: manifest["flatbuffer"]["bytes"]]
    assert hashlib.sha256(content).hexdigest() == manifest["flatbuffer"]["sha256"]


def test_the_golden_batch_can_be_replayed(verifications, model):
    golden = read_bundle(verifications["float32"].path).golden
    expected = model(np.array(golden["inputs"]["ids"], "int32"), training=False)
    np.testing.assert_allclose(golden["outputs"]["probabilities"], expected, atol=1e-6)


def test_tampered_weights_fail(verifications, model, tmp_path):
    original = verifications["float32"].path.read_bytes()
    table = np.asarray(model.layers[1].embeddings).tobytes()
    assert table in original
    tampered = original.replace(table, np.frombuffer(table, "float32")[::-1].tobytes())
    path = tmp_path / "tampered.tflite"
    path.write_bytes(tampered)
    with pytest.raises(ExportError, match="does not match its manifest's sha256"):
        verify(path, model)
    # Without the manifest, the numbers tell.
    end = read_bundle(verifications["float32"].path).manifest["flatbuffer"]["bytes"]
    path.write_bytes(original[:end])
    assert verify(path, model).precision is None
    path.write_bytes(tampered[:end])
    with pytest.raises(VerificationError, match=r"'ids': .* differs .* by \S+, allowed is 1e-05"):
        verify(path, model)


def test_verify_refuses_another_model(verifications, model):
    other = keras.models.clone_model(model)
    with pytest.raises(VerificationError, match="differs from the Keras model"):
        verify(verifications["float32"].path, other, tolerance=1e-6)
    with pytest.raises(VerificationError, match="expected the inputs"):
        verify(
            verifications["float32"].path,
            keras.Sequential([keras.Input((None, 4)), keras.layers.Dense(2)]),
        )


def test_a_dict_of_outputs_gives_the_names(folder):
    inputs = keras.Input((None, 3), name="x")
    steps = Recurrent(LSTMCell(4), return_sequences=True, name="lstm")(inputs)
    scores = keras.layers.Dense(2, name="dense")(steps)
    model = keras.Model(inputs, {"scores": scores, "inner": [steps, scores[:, -1]]})
    export_tflite(model, folder / "dict.tflite")
    x = np.random.default_rng(0).normal(size=(2, 5, 3)).astype("float32")
    outputs, expected = Predictor(folder / "dict.tflite")(x), model(x)
    assert set(outputs) == {"scores", "inner_0", "inner_1"}
    np.testing.assert_allclose(outputs["scores"], expected["scores"], atol=1e-5)
    for index in range(2):
        np.testing.assert_allclose(outputs[f"inner_{index}"], expected["inner"][index], atol=1e-5)


def test_several_inputs_and_outputs_keep_their_names(folder):
    ids = keras.Input((None,), dtype="int32", name="ids")
    features = keras.Input((None, 3), name="features")
    x = keras.layers.Embedding(50, 8)(ids)
    x = keras.layers.Concatenate()([x, keras.layers.Dense(8)(features)])
    states = Recurrent(LSTMCell(8), return_state=True, name="lstm")(x)
    model = keras.Model({"ids": ids, "features": features}, states)
    verification = export_tflite(model, folder / "several.tflite")
    assert set(verification.cases[0]) == {"ids", "features"}
    predictor = Predictor(folder / "several.tflite")
    random = np.random.default_rng(0)
    inputs = {"ids": random.integers(0, 50, (2, 7)), "features": random.normal(size=(2, 7, 3))}
    outputs = predictor(inputs)
    expected = model(inputs, training=False)
    assert set(outputs) == {"lstm", "lstm_1", "lstm_2"}
    for name, array in zip(("lstm", "lstm_1", "lstm_2"), expected, strict=True):
        np.testing.assert_allclose(outputs[name], array, atol=1e-5)
    broken = np.full((1, 7, 3), np.nan)
    with pytest.raises(ValueError, match="'features' holds NaN in 1 of 2 rows"):
        predictor({**inputs, "features": np.concatenate([np.ones((1, 7, 3)), broken])})
    with pytest.raises(ValueError, match="expected the names"):
        predictor({"ids": inputs["ids"]})
    with pytest.raises(ValueError, match="expected 'ids' of shape"):
        predictor({**inputs, "ids": inputs["ids"][0]})
    with pytest.raises(ValueError, match=r"as many rows of each, got {'features': 2, 'ids': 1}"):
        predictor({**inputs, "ids": inputs["ids"][:1]})
    for wrong in (0.5, 2**40):
        with pytest.raises(ValueError, match=rf"expected 'ids' of int32, got .*{wrong}"):
            predictor({**inputs, "ids": np.full((2, 7), wrong)})
