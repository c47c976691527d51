"""Files of int8: a scale for each row of a table, kernels that stay float, and which should."""

import keras
import numpy as np
import pytest

from kzoo.export import (
    Export,
    ExportError,
    Predictor,
    export_many,
    export_tflite,
    most_sensitive,
    read_bundle,
)
from kzoo.export.rounding import round_again
from kzoo.layers import Recurrent, SRUCell

ROWS, WIDTH, NARROW, UNITS = 300, 24, 8, 64
IDS = np.arange(ROWS, dtype="int32").reshape(3, 100)
# Of rounding to the nearest of 255 steps, with what float32 adds.
HALF = 0.5001 / 127


def make():
    """A model whose first table also scores, and whose second one has narrow rows."""
    ids = keras.Input((None,), dtype="int32", name="ids")
    table = keras.layers.ReversibleEmbedding(ROWS, WIDTH, name="table")
    rows = table(ids)
    narrow = keras.layers.Embedding(ROWS, NARROW, name="narrow")(ids)
    x = keras.layers.Dense(UNITS, "relu", name="hidden")(rows)
    x = keras.layers.Dense(WIDTH, name="back")(x)
    outputs = {"rows": rows, "narrow_rows": narrow, "scores": table(x, reverse=True)}
    outputs = {name: keras.layers.Identity(name=name)(x) for name, x in outputs.items()}
    model = keras.Model(ids, outputs)
    # As in real tables, some rows are much longer than others.
    lengths = np.geomspace(1e-3, 1, ROWS, dtype="float32")[:, None]
    random = np.random.default_rng(0)
    table.embeddings.assign(lengths * random.uniform(-1, 1, (ROWS, WIDTH)))
    table.embeddings[7].assign(np.zeros(WIDTH))
    return model


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(0)
    return make()


@pytest.fixture(scope="module")
def files(model, tmp_path_factory):
    """The verified files: all int8, and one with a layer in float."""
    folder = tmp_path_factory.mktemp("rounding")
    kept = {"int8": (), "kept": ("hid*",)}
    exports = [
        Export(model, folder / f"{name}.tflite", "dynamic", IDS, keep_float=patterns)
        for name, patterns in kept.items()
    ]
    return dict(zip(kept, export_many(exports), strict=True))


def test_rows_are_rounded_by_their_own_scales(files, model):
    outputs = Predictor(files["int8"].path)(IDS)
    for name, layer in (("rows", "table"), ("narrow_rows", "narrow")):
        table = model.get_layer(layer).embeddings.numpy()
        difference = np.abs(outputs[name].reshape(table.shape) - table)
        by_row = difference <= HALF * np.abs(table).max(axis=1, keepdims=True)
        # Narrow rows share one scale, by which all are as wrong as the largest may be.
        assert by_row.all() == (name == "rows")
        assert (difference <= HALF * np.abs(table).max()).all()
    assert files["int8"].runtimes == ("Interpreter", "CompiledModel")


def test_a_table_that_also_scores_is_in_the_file_once(files):
    sizes = files["int8"].constant_bytes
    assert sizes["INT8"] == ROWS * (WIDTH + NARROW) + 2 * WIDTH * UNITS
    # A scale for each row of one table, the two biases and small numbers.
    assert sizes["FLOAT32"] < 4 * (ROWS + UNITS + WIDTH + 20)


def test_kept_kernels_and_no_others_are_float(files, model):
    hidden, back = (model.get_layer(name).kernel.numpy() for name in ("hidden", "back"))
    content = files["kept"].path.read_bytes()
    assert hidden.T.tobytes() in content
    assert back.T.tobytes() not in content
    before, after = (files[name].constant_bytes for name in ("int8", "kept"))
    assert before["INT8"] - after["INT8"] == hidden.size
    assert after["FLOAT32"] - before["FLOAT32"] == 4 * hidden.size
    assert read_bundle(files["kept"].path).manifest["keep_float"] == ["hidden"]
    assert "keep_float" not in read_bundle(files["int8"].path).manifest


def test_a_kernel_that_stands_matrix_by_matrix_is_kept(tmp_path):
    inputs = keras.Input((None, 40))
    layer = Recurrent(SRUCell(32), name="walker")
    model = keras.Model(inputs, keras.layers.Dense(40, name="scores")(layer(inputs)))
    kept = {"int8": (), "kept": ("walker*",)}
    exports = [
        Export(model, tmp_path / f"{name}.tflite", "dynamic", keep_float=patterns, lengths=(20,))
        for name, patterns in kept.items()
    ]
    before, after = (file.constant_bytes for file in export_many(exports))
    assert before["INT8"] - after["INT8"] == layer.cell.kernel.numpy().size == 40 * 4 * 32


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (dict(precision="dynamic", keep_float=["table"]), r"such as \['hidden', 'back'\], got 'ta"),
        (dict(precision="float16", keep_float=["hidden"]), "'dynamic', which alone .* 'float16'"),
        (dict(precision="dynamic", keep_float="hidden"), "a sequence of patterns, got 'hidden'"),
    ],
)
def test_what_cannot_be_kept_is_refused(model, tmp_path, arguments, message):
    with pytest.raises(ValueError, match=message):
        export_tflite(model, tmp_path / "model.tflite", **arguments)


def test_a_kernel_that_is_not_in_the_file_is_refused(files):
    content = files["int8"].path.read_bytes()
    with pytest.raises(ExportError, match="no int8 kernel of layer 'other'"):
        round_again(content, (), {"other": [np.ones((WIDTH, UNITS))]})


def test_the_most_sensitive_layer_has_the_widest_inputs():
    """One large number among the inputs takes the others their steps."""
    names = ("even", "uneven")
    inputs = [keras.Input((40,), name=f"{name}_inputs") for name in names]
    layers = [keras.layers.Dense(40, name=name) for name in names]
    outputs = layers[0](inputs[0]) + layers[1](inputs[1])
    model = keras.Model(inputs, keras.layers.Dense(2, name="small")(outputs))
    # The large number is worth nothing by itself.
    kernel = layers[1].kernel.numpy()
    kernel[3] = 0
    layers[1].kernel.assign(kernel)
    batch = list(np.random.default_rng(0).normal(size=(2, 16, 40)))
    batch[1][:, 3] *= 100
    found = most_sensitive(model, [batch])
    assert [one.path for one in found] == ["uneven", "even"]
    assert found[0].harm > 10 * abs(found[1].harm)
    assert found[0].extra_bytes == 3 * 40 * 40
    with pytest.raises(ValueError, match="batches: expected at least one"):
        most_sensitive(model, [])
