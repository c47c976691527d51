"""SRU++ leaves as a file, attention and all; test_every_preset.py writes it as a scan."""

import keras
import numpy as np

from kzoo.export import export_streaming, export_tflite
from kzoo.layers import SRUPlusPlus
from tests.weights import randomize


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


def test_streams_from_a_file_longer_than_its_window(tmp_path):
    inputs = keras.Input((None, 5), name="features")
    layer = SRUPlusPlus(8, 3, window=7, return_sequences=True, name="attending")
    model = randomize(keras.Model(inputs, layer(keras.layers.Masking()(inputs))), scale=0.5)
    x = np.random.default_rng(0).normal(size=(3, 40, 5)).astype("float32")
    x[1, 4:9] = x[2, 30:] = 0
    verification = export_streaming(model, tmp_path / "s.tflite", 2, inputs=x, lengths=(40,))
    assert verification.runtimes == ("Interpreter", "CompiledModel")
    assert verification.cases[-1]["features"][1] == 40
    assert verification.max_difference <= 1e-5
