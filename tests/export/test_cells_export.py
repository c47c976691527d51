"""Every recurrent cell leaves as a file that runs; the wirings are in `test_recurrent_grid.py`."""

import keras
import numpy as np
import pytest

from kzoo.export import Export, export_many
from kzoo.layers import Recurrent
from tests.layers.cases import CASES

UNITS, FEATURES = 8, 5
LENGTHS = (3, 37)


def build(name):
    features = keras.Input((None, FEATURES), name="features")
    layer = Recurrent(CASES[name].make(UNITS), return_sequences=True)
    model = keras.Model(features, layer(features), name=name)
    random = np.random.default_rng(0)
    for weight in model.trainable_weights:
        weight.assign(random.normal(0, 0.6 * weight.shape[0] ** -0.5, weight.shape))
    return model


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """One start of the converter for all."""
    folder = tmp_path_factory.mktemp("cells")
    exports = [Export(build(name), folder / f"{name}.tflite", lengths=LENGTHS) for name in CASES]
    return dict(zip(CASES, export_many(exports), strict=True))


@pytest.mark.parametrize("name", CASES)
def test_cell_runs_in_both_runtimes(exported, name):
    verification = exported[name]
    assert verification.runtimes == ("Interpreter", "CompiledModel")
    shapes = [(batch_size, time, FEATURES) for batch_size in (1, 5) for time in LENGTHS]
    assert [case["features"] for case in verification.cases] == shapes
    assert not [operator for operator in verification.operators if "FLEX" in operator.upper()]
    assert verification.max_difference <= 1e-5
