"""The corpus of plain Keras models leaves as `.tflite`, and becomes models of kzoo."""

import numpy as np
import pytest
from keras import layers

from kzoo.export import Export, export_many, prepare, verify
from tests.export.keras_corpus import CORPUS, WORDS, build_model

KERAS = (layers.RNN, layers.Bidirectional, layers.TimeDistributed)
STATEFUL = "are stateful, but the copy for export begins every call at a state of zeros"


@pytest.fixture(scope="module")
def models():
    return {name: build_model(name) for name in CORPUS}


@pytest.fixture(scope="module")
def exported(models, tmp_path_factory):
    """The whole corpus in files: one start of the converter."""
    folder = tmp_path_factory.mktemp("corpus")
    exports = [Export(model, folder / f"{name}.tflite") for name, model in models.items()]
    with pytest.warns(UserWarning, match=STATEFUL):
        return dict(zip(models, export_many(exports), strict=True))


@pytest.mark.parametrize("name", CORPUS)
def test_the_corpus_leaves_as_files_that_agree(exported, models, name):
    verification = exported[name]
    assert verification.max_difference <= 1e-5
    assert verification.runtimes == ("Interpreter", "CompiledModel")
    assert not [name for name in verification.operators if "FLEX" in name.upper()]
    batch_sizes = {shape[0] for case in verification.cases for shape in case.values()}
    assert batch_sizes == {1, 5}
    if any(None in tensor.shape[1:] for tensor in models[name].inputs):
        assert len(verification.cases) == 6
    # The file's own verification, from outside, against the user's model.
    assert verify(verification.path, models[name], lengths=(11,)).max_difference <= 1e-5


@pytest.mark.parametrize("name", CORPUS)
def test_the_corpus_holds_kzoo_layers_only(models, name):
    model = models[name]
    before = [weight.numpy().copy() for weight in model.weights]
    if name == "stateful_forecast":
        with pytest.warns(UserWarning, match=STATEFUL):
            prepared = prepare(model)
    else:
        prepared = prepare(model)
    assert any(isinstance(layer, KERAS) for layer in model._flatten_layers())
    assert not [layer for layer in prepared._flatten_layers() if isinstance(layer, KERAS)]
    assert [layer.name for layer in prepared.layers] == [layer.name for layer in model.layers]
    assert all(tensor.shape[0] is None for tensor in prepared.inputs)
    # The copy's weights are the model's, and its own.
    for weight, array, original in zip(prepared.weights, before, model.weights, strict=True):
        np.testing.assert_array_equal(weight.numpy(), array)
        weight.assign(array + 1)
        np.testing.assert_array_equal(original.numpy(), array)


def test_half_precision_is_compared_in_full_precision(exported, models):
    words = np.arange(1, 41).reshape(2, 20) % WORDS
    model = models["mixed_precision_lstm"]
    half = model(words, training=False).numpy()
    policies = {layer: layer.dtype_policy for layer in model._flatten_layers()}
    assert "mixed_float16" in {policy.name for policy in policies.values()}
    for layer in policies:
        layer.dtype_policy = "float32"
    full = model(words, training=False).numpy()
    for layer, policy in policies.items():
        layer.dtype_policy = policy
    # The file is nearer to the model in float32 than half precision is.
    assert 1e-5 < np.abs(half - full).max() < 1e-2
    assert exported["mixed_precision_lstm"].max_difference < 1e-6
