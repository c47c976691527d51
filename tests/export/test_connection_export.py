"""Stacks with residual and highway connections leave as files, whole and in chunks."""

import keras
import numpy as np
import pytest
from keras import layers, ops

from kzoo.export import Export, export_many, prepare, streaming_model, zero_state
from kzoo.layers import Bidirectional, GRUCell, Highway, Recurrent, Residual, SRUCell

UNITS = 6


def stack(inner):
    """Two layers with a connection each, and a last one that needs the mask."""
    ids = keras.Input((None,), dtype="int32", name="ids")
    x = layers.Embedding(50, UNITS, mask_zero=True)(ids)
    x = Residual(inner(), name="first")(x)
    x = Highway(inner(), name="second")(x)
    model = keras.Model(ids, Recurrent(GRUCell(4), name="last")(x))
    random = np.random.default_rng(0)
    for weight in model.weights:
        weight.assign(random.normal(size=weight.shape) * weight.shape[0] ** -0.5)
    return model


@pytest.fixture(scope="module")
def models():
    return {
        "kzoo": stack(lambda: Bidirectional(Recurrent(SRUCell(UNITS // 2), return_sequences=True))),
        "keras": stack(lambda: layers.LSTM(UNITS, return_sequences=True)),
    }


def test_they_run_in_both_runtimes(models, tmp_path):
    exports = [Export(model, tmp_path / f"{name}.tflite") for name, model in models.items()]
    for verification in export_many(exports):
        assert verification.runtimes == ("Interpreter", "CompiledModel")
        assert not [name for name in verification.operators if "FLEX" in name.upper()]
        assert verification.max_difference <= 1e-5


def test_layers_of_keras_inside_are_replaced(models):
    prepared = prepare(models["keras"])
    assert type(prepared.get_layer("second").layer) is Recurrent


@pytest.mark.parametrize("chunk_size", [1, 4])
def test_chunks_give_what_the_whole_gives(models, chunk_size):
    model = prepare(models["keras"])
    step = streaming_model(model, chunk_size)
    ids = np.array([[7, 1, 8, 2, 8, 1, 8, 2], [3, 1, 4, 0, 0, 0, 0, 0]])
    state = zero_state(step, 2)
    for start in range(0, 8, chunk_size):
        chunk = ops.convert_to_tensor(ids[:, start : start + chunk_size])
        outputs, *state = step([chunk, *state])
    np.testing.assert_allclose(outputs, model(ids), rtol=1e-5, atol=1e-5)
