"""A sequence in chunks gives what the whole sequence gives, in the `.tflite` file."""

import itertools
import resource

import keras
import numpy as np
import pytest
from keras import layers, ops

from kzoo.export import (
    ExportError,
    Predictor,
    StreamingPredictor,
    VerificationError,
    export_streaming,
    export_tflite,
    read_bundle,
    verify,
)
from kzoo.layers import LSTMCell, NGramEmbedding, Recurrent, SRUCell
from tests.export.streaming_inputs import IDS, TIME, VOCABULARY
from tests.weights import randomize


def tagger():
    """Two outputs, with a time axis and without; masked; every kind of state."""
    ids = keras.Input((None,), dtype="int32", name="ids")
    x = NGramEmbedding(VOCABULARY, 16, max_order=3, num_buckets=50, ngram_dim=8, name="words")(ids)
    x = Recurrent(LSTMCell(32), return_sequences=True, name="lstm")(x)
    tags = layers.Dense(3, activation="softmax", name="tags")(x)
    x = Recurrent(SRUCell(32), name="sru")(layers.Conv1D(32, 2, padding="causal", name="conv")(x))
    label = layers.Dense(2, activation="softmax", name="label")(x)
    return randomize(keras.Model(ids, [tags, label], name="tagger"))


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    folder = tmp_path_factory.mktemp("streaming")
    model = tagger()
    files = {
        (1, "float32"): export_streaming(model, folder / "one.tflite", labels=["a", "b", "c"]),
        (4, "dynamic"): export_streaming(model, folder / "four.tflite", 4, "dynamic"),
        (None, "float32"): export_streaming(model, folder / "any.tflite", None, inputs=IDS),
    }
    return model, files


FILES = [(1, "float32"), (4, "dynamic"), (None, "float32")]


@pytest.mark.parametrize("file", FILES)
def test_the_file_was_streamed_in_both_runtimes(exported, file):
    verification = exported[1][file]
    size = file[0] or 1
    assert [case["ids"] for case in verification.cases] == [
        (rows, -(-length // size) * size) for rows, length in itertools.product((1, 5), (3, 40))
    ]
    assert verification.runtimes == ("Interpreter", "CompiledModel")
    assert verification.max_difference <= (1e-5 if file[1] == "float32" else 1e-1)
    assert verification.latency_shapes == {"ids": (1, size)}
    # Nothing is hidden in the file, and a short chunk takes no loop.
    assert "VAR_HANDLE" not in verification.operators
    assert ("WHILE" in verification.operators) == (file[0] is None)
    lowerings = {"unrolled"} if file[0] else {"loop", "scan"}
    assert set(verification.lowering.values()) == lowerings


@pytest.mark.parametrize("file", FILES)
def test_the_predictor_gives_the_whole_sequence(exported, file):
    model, files = exported
    predictor = StreamingPredictor(files[file].path)
    tags, label = (ops.convert_to_numpy(x) for x in model(IDS))
    # Another stream before it leaves nothing behind.
    predictor(IDS[::-1, :4] if file[0] != 1 else IDS[::-1, :1])
    predictor.reset()
    ends = range(file[0] or 4, TIME + 1, file[0] or 4)
    outputs = []
    for index, end in enumerate(ends):
        outputs.append(predictor(IDS[:, end - (file[0] or 4) : end]))
        if index == 1:
            # A state can be put away and taken up again.
            kept, predictor.state = predictor.state, None
            predictor(IDS[:1, : file[0] or 4])
            predictor.state = kept
    limit = 1e-5 if file[1] == "float32" else 1e-1
    np.testing.assert_allclose(np.concatenate([o["tags"] for o in outputs], 1), tags, atol=limit)
    np.testing.assert_allclose(outputs[-1]["label"], label, atol=limit)


def test_the_manifest_lists_the_state(exported):
    path = exported[1][4, "dynamic"].path
    streaming = read_bundle(path).manifest["streaming"]
    assert (streaming["chunk_size"], streaming["inputs"]) == (4, ["ids"])
    assert streaming["outputs"] == ["tags"]
    assert {state["input"]: (state["shape"], state["dtype"]) for state in streaming["state"]} == {
        "words_state_0": ([2], "int32"),
        "lstm_state_0": ([32], "float32"),
        "lstm_state_1": ([32], "float32"),
        # The output before the chunk, which masked steps repeat.
        "lstm_state_2": ([32], "float32"),
        "conv_state_0": ([1, 32], "float32"),
        "sru_state_0": ([32], "float32"),
    }
    signature = read_bundle(path).manifest["signatures"]["serving_default"]
    inputs = {spec["name"]: spec for spec in signature["inputs"]}
    outputs = {spec["name"]: spec for spec in signature["outputs"]}
    for state in streaming["state"]:
        assert inputs[state["input"]]["shape"] == [None, *state["shape"]]
        assert inputs[state["input"]]["dtype"] == outputs[state["output"]]["dtype"]
    # A plain client sees named inputs, which it zeroes itself.
    zeros = {s["input"]: np.zeros([4, *s["shape"]], s["dtype"]) for s in streaming["state"]}
    first = Predictor(path)({"ids": IDS[:, :4], **zeros})
    np.testing.assert_array_equal(first["tags"], StreamingPredictor(path)(IDS[:, :4])["tags"])


def test_verify_replays_sequences_and_the_golden_one(exported):
    model, files = exported
    path = files[1, "float32"].path
    verification = verify(path, model, lengths=(2, 9))
    assert [case["ids"] for case in verification.cases] == [(1, 3), (1, 2), (1, 9), (5, 2), (5, 9)]
    golden = read_bundle(path).golden
    tags, label = model(np.array(golden["inputs"]["ids"]))
    np.testing.assert_allclose(golden["outputs"]["tags"], tags, atol=1e-6)
    np.testing.assert_allclose(golden["outputs"]["label"], label, atol=1e-6)
    with pytest.raises(VerificationError, match="differs from the Keras model"):
        verify(path, randomize(keras.models.clone_model(model), seed=9))


def test_bad_chunks_are_named(exported):
    predictor = StreamingPredictor(exported[1][4, "dynamic"].path)
    with pytest.raises(ValueError, match=r"expected 'ids' of shape \[None, 4\], got \[4, 3\]"):
        predictor(IDS[:, :3])
    predictor(IDS[:2, :4])
    with pytest.raises(ValueError, match=r"began with 2 rows, got 4; call reset\(\)"):
        predictor(IDS[:, :4])


def test_only_step_models_are_streamed(tmp_path):
    path = tmp_path / "model.tflite"
    export_tflite(keras.Sequential([keras.Input((None, 4)), layers.Dense(2)]), path)
    with pytest.raises(ExportError, match="is no step model; write it with export_streaming"):
        StreamingPredictor(path)


def test_keras_layers_are_streamed_too_and_memory_stays_flat(tmp_path):
    model = keras.Sequential(
        [keras.Input((None, 3)), layers.LSTM(8, return_sequences=True, name="lstm")]
    )
    path = tmp_path / "model.tflite"
    export_streaming(model, path)
    predictor = StreamingPredictor(path)
    steps = 20_000
    x = np.random.default_rng(0).normal(size=(1, steps, 3)).astype("float32")
    last = np.empty((steps, 8), "float32")
    for t in range(steps):
        last[t] = predictor(x[:, t : t + 1])[0, 0]
        if t == 1_000:
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # Kilobytes; the outputs of all steps, kept by each step, would be far more.
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 2_000
    np.testing.assert_allclose(last, model.predict(x, verbose=0)[0], atol=1e-5)


def test_an_output_that_is_also_a_state_keeps_its_own_name(tmp_path):
    model = keras.Sequential([keras.Input((None, 3)), Recurrent(LSTMCell(8), name="lstm")])
    path = tmp_path / "model.tflite"
    assert export_streaming(model, path).runtimes == ("Interpreter", "CompiledModel")
    predictor = StreamingPredictor(path)
    x = np.random.default_rng(0).normal(size=(2, 4, 3)).astype("float32")
    for t in range(4):
        output = predictor(x[:, t : t + 1])
    np.testing.assert_allclose(output, model(x), atol=1e-5)
    np.testing.assert_array_equal(predictor.state["lstm_state_0"], output)
