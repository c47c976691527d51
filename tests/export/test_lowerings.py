"""The lowering that was asked for is the one in the file, and what cannot be has a reason."""

import keras
import numpy as np
import pytest
from keras import layers, ops

from kzoo.export import Export, Predictor, export_many, export_tflite, read_bundle, verify
from kzoo.layers import Bidirectional, GRUCell, LSTMCell, Recurrent, SimpleRNNCell, SRUCell

FEATURES = 8
FUSED = "UNIDIRECTIONAL_SEQUENCE_LSTM"


def model(*recurrent, time=None):
    inputs = x = keras.Input((time, FEATURES), name="x")
    for layer in recurrent:
        x = layer(x)
    built = keras.Model(inputs, layers.Dense(3, name="y")(x))
    random = np.random.default_rng(0)
    for weight in built.weights:
        weight.assign(random.normal(size=weight.shape) * weight.shape[0] ** -0.5)
    return built


def lstms():
    return model(
        Recurrent(LSTMCell(16, use_bias=False), return_sequences=True, name="first"),
        Bidirectional(Recurrent(LSTMCell(32), return_sequences=True, name="second")),
        Recurrent(LSTMCell(32), go_backwards=True, name="third"),
    )


def mixed(time=None):
    return model(
        Recurrent(SRUCell(16), return_sequences=True, name="sru"),
        Bidirectional(Recurrent(GRUCell(16), name="gru")),
        time=time,
    )


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """Models and verifications by name: one start of the converter for all."""
    folder = tmp_path_factory.mktemp("lowerings")
    dynamic, static, fused = mixed(), mixed(time=9), lstms()
    asked = {
        "default": (dynamic, {}),
        "auto": (dynamic, {"lowering": "auto"}),
        "scan": (dynamic, {"lowering": "scan"}),
        "loop": (dynamic, {"lowering": "loop"}),
        "loop_of_three": (dynamic, {"lowering": "loop", "batch_size": 3}),
        "unrolled": (static, {"lowering": "unrolled"}),
        "fused": (fused, {"lowering": "fused", "batch_size": 1}),
        "fused_of_two": (fused, {"lowering": "fused", "batch_size": 2}),
        "fused_dynamic": (fused, {"precision": "dynamic", "lowering": "fused", "batch_size": 1}),
    }
    exports = [Export(m, folder / f"{name}.tflite", **kw) for name, (m, kw) in asked.items()]
    verifications = export_many(exports)
    return {name: (m, v) for (name, (m, _)), v in zip(asked.items(), verifications, strict=True)}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("default", {"sru": "scan", "gru": "loop", "backward_gru": "loop"}),
        ("auto", {"sru": "scan", "gru": "loop", "backward_gru": "loop"}),
        ("scan", {"sru": "scan", "gru": "loop", "backward_gru": "loop"}),
        ("loop", {"sru": "loop", "gru": "loop", "backward_gru": "loop"}),
        ("unrolled", {"sru": "unrolled", "gru": "unrolled", "backward_gru": "unrolled"}),
        ("fused", dict.fromkeys(["first", "second", "backward_second", "third"], "fused")),
    ],
)
def test_the_result_and_the_manifest_say_what_was_picked(exported, name, expected):
    verification = exported[name][1]
    assert verification.lowering == expected
    assert read_bundle(verification.path).manifest["lowering"] == expected
    assert verification.max_difference <= 1e-5


@pytest.mark.parametrize(
    ("name", "has_loop", "has_fused"),
    [
        ("auto", True, False),
        ("loop", True, False),
        ("unrolled", False, False),
        ("fused", False, True),
        ("fused_dynamic", False, True),
    ],
)
def test_the_file_holds_it(exported, name, has_loop, has_fused):
    operators = exported[name][1].operators
    assert ("WHILE" in operators) == has_loop
    assert (FUSED in operators) == has_fused


def test_linear_recurrences_are_scanned_only_where_asked(exported):
    # The scan pads time to whole blocks of its own.
    assert "PADV2" in exported["scan"][1].operators or "PAD" in exported["scan"][1].operators
    sizes = {name: exported[name][1].size_bytes for name in ("default", "auto", "scan", "loop")}
    assert sizes["default"] == sizes["auto"] == sizes["scan"] != sizes["loop"]


def test_outputs_of_long_sequences_are_in_their_places(exported):
    """A loop gathers 16 of them in a block, and 256 in a block of blocks."""
    source, verification = exported["loop"]
    lengths = (16, 257, 600)
    cases = verify(verification.path, source, lengths=lengths).cases
    assert {case["x"][1] for case in cases} == {*lengths}


@pytest.mark.parametrize("name", ["fused", "fused_of_two", "fused_dynamic"])
def test_fused_files_run_in_the_interpreter_only(exported, name):
    source, verification = exported[name]
    assert verification.runtimes == ("Interpreter",)
    rows = 2 if name == "fused_of_two" else 1
    assert [case["x"] for case in verification.cases] == [
        (rows, time, FEATURES) for time in (3, 37, 100)
    ]
    assert verify(verification.path, source).cases == verification.cases
    limit = 1e-1 if name == "fused_dynamic" else 1e-5
    assert verification.max_difference <= limit
    signature = read_bundle(verification.path).manifest["signatures"]["serving_default"]
    assert signature["inputs"][0]["shape"] == [rows, None, FEATURES]
    assert signature["outputs"][0]["shape"] == [rows, 3]


def test_fused_files_predict_every_sequence_from_zero(exported):
    source, verification = exported["fused"]
    predictor = Predictor(verification.path)
    random = np.random.default_rng(3)
    for time in (9, 9, 4, 9):
        x = random.normal(size=(1, time, FEATURES)).astype("float32")
        np.testing.assert_allclose(predictor(x), source(x), atol=1e-5)
    with pytest.raises(ValueError, match="takes batches of 1 rows only, got 2"):
        predictor(np.concatenate([x, x]))
    assert predictor(x[:0]).shape == (0, 3)


def test_real_inputs_are_cut_to_the_batch_size(exported, tmp_path):
    source, _ = exported["loop_of_three"]
    inputs = np.random.default_rng(4).normal(size=(7, 20, FEATURES))
    verification = export_tflite(
        source, tmp_path / "model.tflite", inputs=inputs, lowering="loop", batch_size=3
    )
    assert [case["x"][0] for case in verification.cases] == [3, 3, 3]
    assert verification.runtimes == ("Interpreter", "CompiledModel")


def refused(kind):
    if kind == "masked":
        ids = keras.Input((None,), dtype="int32")
        x = layers.Embedding(9, 4, mask_zero=True)(ids)
        return keras.Model(ids, Recurrent(LSTMCell(4), name="it")(x))
    recurrent = {
        "gru": lambda: Recurrent(GRUCell(4), name="it"),
        "simple": lambda: Recurrent(SimpleRNNCell(4), name="it"),
        "relu": lambda: Recurrent(LSTMCell(4, activation="relu"), name="it"),
        "state": lambda: Recurrent(LSTMCell(4), return_state=True, name="it"),
        "lstm": lambda: Recurrent(LSTMCell(4), name="it"),
        "backward": lambda: Bidirectional(Recurrent(GRUCell(4), name="it")),
    }[kind]()
    inputs = keras.Input((None, 3))
    return keras.Model(inputs, recurrent(inputs))


@pytest.mark.parametrize(
    ("kind", "options", "reason"),
    [
        ("gru", {"batch_size": 1}, "computes LSTMCell only, and its cell is GRUCell"),
        ("backward", {"batch_size": 1}, "computes LSTMCell only, and its cell is GRUCell"),
        ("simple", {"batch_size": 1}, "computes LSTMCell only, and its cell is SimpleRNNCell"),
        ("relu", {"batch_size": 1}, "computes tanh and sigmoid only"),
        ("masked", {"batch_size": 1}, "takes no mask, and its input is masked"),
        ("state", {"batch_size": 1}, "neither takes nor gives a state"),
        ("lstm", {}, "needs a static batch size; export with batch_size=1"),
    ],
)
def test_what_cannot_be_fused_is_named_with_its_reason(tmp_path, kind, options, reason):
    keras.backend.clear_session()
    with pytest.raises(ValueError, match="lowering: layer 'it' cannot be fused: ") as error:
        export_tflite(refused(kind), tmp_path / "model.tflite", lowering="fused", **options)
    assert reason in str(error.value)
    assert len(str(error.value).splitlines()) == 1
    assert not list(tmp_path.iterdir())


def test_unrolling_needs_static_time(tmp_path):
    with pytest.raises(ValueError, match=r"layer 'it' cannot be unrolled: .* steps is dynamic"):
        export_tflite(refused("lstm"), tmp_path / "model.tflite", lowering="unrolled")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"lowering": "fast"}, "lowering: expected one of .* got 'fast'"),
        ({"batch_size": 0}, "batch_size: expected a positive integer or None, got 0"),
        ({"batch_size": 1.5}, "batch_size: expected a positive integer or None, got 1.5"),
    ],
)
def test_bad_arguments_are_named(tmp_path, options, message):
    with pytest.raises(ValueError, match=message):
        export_tflite(refused("lstm"), tmp_path / "model.tflite", **options)


def test_the_traced_function_of_a_fused_layer_is_an_lstm():
    """Where nobody converts it, as in a SavedModel, the function still computes."""
    from kzoo.export.lowering import Lowering
    from kzoo.layers import lowering_scope

    layer = Recurrent(LSTMCell(5), return_sequences=True)
    x = np.random.default_rng(0).normal(size=(2, 6, 3)).astype("float32")
    expected = layer(x)
    with lowering_scope(Lowering("fused")):
        fused = layer(ops.convert_to_tensor(x))
    np.testing.assert_allclose(fused, expected, atol=1e-6)


@pytest.mark.parametrize("cell", [GRUCell, LSTMCell])
def test_an_output_that_is_a_state_too_keeps_both_names(tmp_path, cell):
    """Unrolled, the last output and the state are one tensor."""
    inputs = keras.Input((4, FEATURES), name="x")
    outputs = Recurrent(cell(5), return_state=True, name="it")(inputs)
    verification = export_tflite(
        keras.Model(inputs, outputs), tmp_path / "model.tflite", lowering="unrolled"
    )
    assert verification.max_difference < 1e-5
    manifest = read_bundle(verification.path).manifest["signatures"]["serving_default"]
    names = ["it", "it_1", "it_2"][: len(outputs)]
    assert [spec["name"] for spec in manifest["outputs"]] == names
