"""Every recurrent cell, in every wiring, leaves in every precision and runs everywhere."""

import itertools

import keras
import numpy as np
import pytest

from kzoo.export import Export, export_many
from kzoo.layers import CELLS, Bidirectional, Recurrent

PRECISIONS = ("float32", "float16", "dynamic")
WIRINGS = list(
    itertools.product(("forward", "bidirectional"), ("last", "sequence"), (1, 2), (True, False))
)
UNITS = 32
SHAPES = [(batch_size, time) for batch_size in (1, 5) for time in (3, 37, 100)]


def build(cell, direction, output, depth, masked):
    ids = keras.Input((None,), dtype="int32", name="ids")
    x = keras.layers.Embedding(50, UNITS, mask_zero=masked)(ids)
    for level in range(depth):
        sequences = output == "sequence" or level < depth - 1
        layer = Recurrent(CELLS[cell](UNITS), return_sequences=sequences)
        x = (Bidirectional(layer) if direction == "bidirectional" else layer)(x)
    name = f"{cell}-{direction}-{output}-{depth}-{'masked' if masked else 'unmasked'}"
    model = keras.Model(ids, x, name=name)
    random = np.random.default_rng(0)
    # A recurrent kernel with eigenvalues near one would amplify the rounding of int8 weights with
    # every step, and the test would measure chaos.
    scale = {w.shape: 0.6 * w.shape[0] ** -0.5 for w in model.weights}
    model.set_weights([random.normal(0, scale[w.shape], w.shape) for w in model.weights])
    return model


@pytest.fixture(scope="module")
def exported(request, tmp_path_factory):
    """All files of one cell, by wiring and precision: one start of the converter for all."""
    folder = tmp_path_factory.mktemp(request.param)
    exports = {}
    for wiring in WIRINGS:
        model = build(request.param, *wiring)
        for precision in PRECISIONS:
            path = folder / f"{model.name}-{precision}.tflite"
            exports[wiring, precision] = Export(model, path, precision)
    return dict(zip(exports, export_many(list(exports.values())), strict=True))


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("wiring", WIRINGS, ids=lambda wiring: "-".join(map(str, wiring)))
@pytest.mark.parametrize("exported", ["simple_rnn", "lstm", "gru", "sru"], indirect=True)
def test_runs_in_both_runtimes(exported, wiring, precision):
    verification = exported[wiring, precision]
    assert verification.path.stat().st_size == verification.size_bytes
    assert verification.precision == precision
    assert verification.runtimes == ("Interpreter", "CompiledModel")
    assert [case["ids"] for case in verification.cases] == SHAPES
    assert not [name for name in verification.operators if "FLEX" in name.upper()]
    # Not only the file's name: the weights are of the precision that was asked for.
    weights = {"float32": "FLOAT32", "float16": "FLOAT16", "dynamic": "INT8"}[precision]
    assert verification.constant_bytes[weights] > 1000
    limit = {"float32": 1e-5, "float16": 1e-2, "dynamic": 1e-1}[precision]
    assert verification.max_difference <= limit
