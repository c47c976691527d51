"""Every recurrent cell leaves as a file that runs; the wirings are in `test_recurrent_grid.py`."""

import keras
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from kzoo.export import Export, export_many
from kzoo.layers import CELLS, Recurrent
from tests.layers.cases import CASES
from tests.layers.grid import CELL_CASES

# Wide enough for a weight that is held twice to show in the file's size.
UNITS, FEATURES = 64, 48
LENGTHS = (3, 37)
# A file may hold so much beside its weights: 5 % and 20 KB.
SHARE, REST = 1.05, 20_000

MAKERS = {name: case.make for name, case in CASES.items()}
MAKERS |= {
    case: lambda units, name=name, arguments=arguments: CELLS[name](units, **arguments)
    for case, (name, arguments) in CELL_CASES.items()
}


def build(name):
    features = keras.Input((None, FEATURES), name="features")
    layer = Recurrent(MAKERS[name](UNITS), return_sequences=True)
    model = keras.Model(features, layer(features), name=name)
    random = np.random.default_rng(0)
    for weight in model.trainable_weights:
        weight.assign(random.normal(0, 0.6 * weight.shape[0] ** -0.5, weight.shape))
    return model


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """Models and verifications by name: one start of the converter for all."""
    folder = tmp_path_factory.mktemp("cells")
    models = {name: build(name) for name in MAKERS}
    exports = [
        Export(model, folder / f"{name}.tflite", lengths=LENGTHS) for name, model in models.items()
    ]
    pairs = zip(models.values(), export_many(exports), strict=True)
    return dict(zip(models, pairs, strict=True))


@pytest.mark.parametrize("name", MAKERS)
def test_cell_runs_in_both_runtimes(exported, name):
    _, verification = exported[name]
    assert verification.runtimes == ("Interpreter", "CompiledModel")
    shapes = [(batch_size, time, FEATURES) for batch_size in (1, 5) for time in LENGTHS]
    assert [case["features"] for case in verification.cases] == shapes
    assert not [operator for operator in verification.operators if "FLEX" in operator.upper()]
    assert verification.max_difference <= 1e-5


@pytest.mark.parametrize("name", MAKERS)
def test_file_holds_its_weights_once_and_little_else(exported, name):
    model, verification = exported[name]
    assert verification.size_bytes <= SHARE * 4 * model.count_params() + REST


def test_what_is_left_out_is_left_out_and_constants_are_aligned(exported):
    content = exported["sru"][1].path.read_bytes()
    model = schema.Model.GetRootAs(content, 0)
    main = model.Subgraphs(0)
    named = {i for i in range(main.TensorsLength()) if main.Tensors(i).Name()}
    assert named == {*main.InputsAsNumpy(), *main.OutputsAsNumpy()}
    buffers = map(model.Buffers, range(model.BuffersLength()))
    held = [buffer for buffer in buffers if buffer.DataLength()]
    assert len({buffer.DataAsNumpy().tobytes() for buffer in held}) == len(held)
    # Where the data begin, counted from the file's first byte.
    starts = [buffer._tab.Vector(buffer._tab.Offset(4)) for buffer in held]
    assert not any(start % 16 for start in starts)


def test_every_cell_by_name_is_written():
    names = {name for name, _ in CELL_CASES.values()}
    cells = {case.cell for case in CASES.values()}
    assert [name for name in CELLS if name not in names and CELLS[name] not in cells] == []
