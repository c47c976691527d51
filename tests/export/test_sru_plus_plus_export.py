"""SRU++ leaves as a file, attention and all; test_every_preset.py writes it as a scan."""

import keras
import numpy as np

from kzoo.export import export_tflite
from kzoo.layers import SRUPlusPlus


def test_runs_in_both_runtimes_as_a_loop(tmp_path):
    ids = keras.Input((None,), dtype="int32", name="ids")
    x = keras.layers.Embedding(50, 16, mask_zero=True)(ids)
    x = SRUPlusPlus(16, 4, return_sequences=True, name="first")(x)
    model = keras.Model(ids, SRUPlusPlus(12, 4, causal=False, name="second")(x))
    random = np.random.default_rng(0)
    for weight in model.weights:
        weight.assign(random.normal(size=weight.shape) * max([*weight.shape[:1], 1]) ** -0.5)
    verification = export_tflite(model, tmp_path / "model.tflite", lowering="loop")
    assert verification.runtimes == ("Interpreter", "CompiledModel")
    assert verification.lowering == {"first": "loop", "second": "loop"}
    assert not [name for name in verification.operators if "FLEX" in name.upper()]
    assert verification.max_difference <= 1e-5
