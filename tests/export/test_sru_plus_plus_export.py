"""SRU++ leaves as a file, attention and all."""

import keras
import numpy as np
import pytest

from kzoo.export import Export, export_many
from kzoo.layers import SRUPlusPlus


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sru_plus_plus")
    ids = keras.Input((None,), dtype="int32", name="ids")
    x = keras.layers.Embedding(50, 16, mask_zero=True)(ids)
    x = SRUPlusPlus(16, 4, return_sequences=True, name="first")(x)
    model = keras.Model(ids, SRUPlusPlus(12, 4, causal=False, name="second")(x))
    random = np.random.default_rng(0)
    for weight in model.weights:
        weight.assign(random.normal(size=weight.shape) * max([*weight.shape[:1], 1]) ** -0.5)
    exports = [Export(model, folder / f"{name}.tflite", lowering=name) for name in ("loop", "scan")]
    return dict(zip(("loop", "scan"), export_many(exports), strict=True))


@pytest.mark.parametrize("lowering", ["loop", "scan"])
def test_runs_in_both_runtimes(exported, lowering):
    verification = exported[lowering]
    assert verification.runtimes == ("Interpreter", "CompiledModel")
    assert verification.lowering == {"first": lowering, "second": lowering}
    assert not [name for name in verification.operators if "FLEX" in name.upper()]
    assert verification.max_difference <= 1e-5
