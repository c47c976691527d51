"""Export to `.tflite` refuses what it cannot do: it says why, and leaves no file."""

import keras
import numpy as np
import pytest

from kzoo.export import (
    Export,
    ExportError,
    VerificationError,
    export_many,
    export_tflite,
    tflite,
    verify,
)
from kzoo.export.cases import Case, make_cases
from kzoo.export.convert import Converter
from kzoo.export.verification import LARGEST, compare
from kzoo.export.written import check_written


def dense_model(units=2):
    return keras.Sequential([keras.Input((None, 4), name="x"), keras.layers.Dense(units, name="y")])


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    path = tmp_path_factory.mktemp("small") / "model.tflite"
    export_tflite(dense_model(), path)
    return path


@keras.saving.register_keras_serializable()
class Total(keras.layers.Layer):
    """Keeps its steps in a list of TensorFlow's, as Keras's own loops do."""

    def call(self, x):
        steps = keras.ops.transpose(x, (1, 0, 2))
        _, totals = keras.ops.scan(lambda c, s: (c + s, c + s), steps[0] * 0, steps)
        return keras.ops.transpose(totals, (1, 0, 2))


def scanning():
    ids = keras.Input((None,), dtype="int32")
    x = keras.layers.Embedding(50, 8)(ids)
    both = keras.Sequential([Total(name="inner")], name="both")
    return keras.Model(ids, keras.layers.Dense(2)(Total(name="outer")(both(x))))


def hashing():
    ids = keras.Input((None,), dtype="int32")
    x = keras.layers.Hashing(7, name="hash")(ids)
    return keras.Model(ids, keras.layers.Dense(2)(keras.ops.cast(x, "float32")[..., None]))


def fourier():
    x = keras.Input((None, 8))
    return keras.Model(x, keras.ops.fft((x, x))[0], name="waves")


@pytest.mark.parametrize(
    ("build", "expected"),
    [
        (
            scanning,
            [
                r"TensorListReserve: needed by layer 'both/inner' \(Total\), "
                r"layer 'outer' \(Total\)",
                "layers of kzoo.layers",
            ],
        ),
        (
            hashing,
            [
                r"AsString: needed by layer 'hash' \(Hashing\)",
                r"StringToHashBucketFast: needed by layer 'hash' \(Hashing\)",
            ],
        ),
        (fourier, [r"FFT: needed by an operation outside any layer \(waves\w*/FFT\)"]),
    ],
)
def test_foreign_operators_are_blamed_on_their_layers(tmp_path, build, expected):
    keras.backend.clear_session()
    path = tmp_path / "model.tflite"
    path.write_text("older")
    with pytest.raises(ExportError) as error:
        export_tflite(build(), path)
    for pattern in expected:
        error.match(pattern)
    assert path.read_text() == "older"
    assert list(tmp_path.iterdir()) == [path]


def test_nan_fails(tmp_path):
    model = dense_model()
    model.layers[0].bias.assign([0.0, np.nan])
    with pytest.raises(VerificationError, match="'y' of the Keras model itself holds NaN"):
        export_tflite(model, tmp_path / "model.tflite")
    assert not list(tmp_path.iterdir())


def test_a_crash_of_the_converter_leaves_no_file(tmp_path, monkeypatch):
    script = "echo the last words >&2; kill -SEGV $$"
    monkeypatch.setattr(tflite, "converter", Converter(["sh", "-c", script]))
    with pytest.raises(ExportError, match=r"(?s)signal SIGSEGV.*the last words"):
        export_tflite(dense_model(), tmp_path / "model.tflite")
    assert not list(tmp_path.iterdir())


def test_lost_weights_are_noticed(tmp_path, monkeypatch, exported):
    small = exported.read_bytes()

    class Fake(Converter):
        def convert(self, jobs):
            for job in jobs:
                with open(job["target"], "wb") as file:
                    file.write(small)
            return [None] * len(jobs)

    monkeypatch.setattr(tflite, "converter", Fake(["true"]))
    with pytest.raises(ExportError, match="weights, but the converter wrote only"):
        export_tflite(dense_model(units=10000), tmp_path / "model.tflite")
    assert not list(tmp_path.iterdir())


def test_equal_weights_are_held_once(exported):
    equal = [keras.layers.Dense(4, kernel_initializer="ones") for _ in range(6)]
    model = keras.Sequential([keras.Input((4,)), *equal])
    check_written(exported, model, "float32", None, None)


@pytest.mark.parametrize("name", ["my input", "입력", "class"])
def test_names_that_no_signature_can_have_are_refused(tmp_path, name):
    model = keras.Sequential([keras.Input((4,), name=name), keras.layers.Dense(2)])
    with pytest.raises(ExportError, match=f"names of inputs .* got '{name}'"):
        export_tflite(model, tmp_path / "model.tflite")


def test_tables_are_refused(tmp_path):
    layer = keras.layers.IntegerLookup(vocabulary=[3, 5], name="ages")
    ages = keras.Input((None,), dtype="int64")
    model = keras.Model(ages, keras.layers.Embedding(9, 3)(layer(ages)))
    with pytest.raises(ExportError, match=r"layer 'ages' \(IntegerLookup\) looks into a table"):
        export_tflite(model, tmp_path / "model.tflite")


def test_bytes_may_be_ids():
    model = keras.Sequential([keras.Input((None,), dtype="uint8"), keras.layers.Embedding(9, 4)])
    ids = make_cases(model)[0].inputs[model.inputs[0].name]
    assert 0 < ids.max() < 9


def test_bad_arguments_fail_before_any_work(tmp_path, monkeypatch):
    monkeypatch.setattr("kzoo.export.tflite.trace", None)
    model = dense_model()
    path = tmp_path / "model.tflite"
    with pytest.raises(ExportError, match="cannot write"):
        export_tflite(model, tmp_path / "missing" / "model.tflite")
    for folder in (tmp_path, "."):
        with pytest.raises(ExportError, match="existing folder"):
            export_tflite(model, folder)
    with pytest.raises(ValueError, match="precision: expected one of"):
        export_tflite(model, path, "int4")
    with pytest.raises(ValueError, match="labels: expected 2 names"):
        export_tflite(model, path, labels=["one"])
    with pytest.raises(ValueError, match="labels: expected 2 names"):
        export_tflite(model, path, labels="ab")
    with pytest.raises(ValueError, match="tokenizer: expected an object with to_json"):
        export_tflite(model, path, tokenizer="byte")
    with pytest.raises(ValueError, match=r"tolerance: expected names .* \['y'\], got \['z'\]"):
        export_tflite(model, path, tolerance={"z": 1.0})
    with pytest.raises(ValueError, match="one line"):
        export_tflite(model, path, labels=["one", "two\nthree"])
    with pytest.raises(ValueError, match="max_length"):
        export_tflite(model, path, max_length=0)
    with pytest.raises(ValueError, match="different one for each"):
        export_many([Export(model, path), Export(model, path, "dynamic")])
    with pytest.raises(ExportError, match=r"expected a keras\.Model"):
        export_tflite("model", path)
    with pytest.raises(ExportError, match="no symbolic inputs"):
        export_tflite(keras.Sequential([keras.layers.Dense(2)]), path)
    assert not list(tmp_path.iterdir())


def test_infinity_agrees_with_nothing_but_itself():
    case = Case({}, {"y": np.array([np.inf, -np.inf, 2.0], "float32")})
    for output in ([np.inf, -np.inf, 2.0], [LARGEST, -LARGEST, 2.0]):
        assert compare("here", case, {"y": np.array(output, "float32")}, 1e-5) == 0
    for output in ([5.0, -np.inf, 2.0], [np.inf, np.inf, 2.0], [np.inf, -np.inf, 2.1]):
        with pytest.raises(VerificationError, match="differs"):
            compare("here", case, {"y": np.array(output, "float32")}, 1e-5)


@pytest.mark.parametrize("content", [b"", b"<html>not found</html>" * 9])
def test_what_is_no_model_is_said_to_be_none(tmp_path, content):
    path = tmp_path / "model.tflite"
    path.write_bytes(content)
    with pytest.raises(ExportError, match="cannot load it"):
        verify(path, dense_model())


def test_bad_inputs_are_named(exported):
    path, model = exported, dense_model()
    for inputs, message in [
        (np.full((2, 3, 4), np.nan), "'x' holds NaN in 2 of 2 rows"),
        (np.ones((0, 3, 4)), "at least one row"),
        (np.ones((2, 3, 5)), "expected 'x' of shape"),
        ([np.ones((2, 3, 4))] * 2, "expected 1 arrays"),
        (np.full((2, 3, 4), "a"), "expected numbers"),
    ]:
        with pytest.raises(ValueError, match=message):
            verify(path, model, inputs=inputs)
    with pytest.raises(ValueError, match="lengths: expected sizes of at least 1"):
        verify(path, model, lengths=(0,))


def test_other_backends_are_told_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    with pytest.raises(ExportError, match=r"KERAS_BACKEND=tensorflow kzoo export model.keras"):
        export_tflite(dense_model(), tmp_path / "model.tflite")


def test_models_that_keras_has_quantized_are_named(tmp_path):
    model = dense_model()
    model.quantize("int8")
    with pytest.raises(ExportError, match=r"layer 'y' .* quantized by Keras \(int8\).*'dynamic'"):
        export_tflite(model, tmp_path / "model.tflite")
    assert not list(tmp_path.iterdir())
