"""Every attention in a decoder leaves as a file that runs, whatever the two lengths."""

import keras
import numpy as np
import pytest

from kzoo.export import Export, export_many
from kzoo.export.bundle import SIGNATURE
from kzoo.export.runtimes import CompiledModelRuntime, InterpreterRuntime
from kzoo.layers import Recurrent
from tests.layers.attention_cases import CASES, make_cell

FEATURES = 3
NAMES = [name for name in CASES if not name.endswith("in_training")]


def build():
    """One model with a decoder for each attention."""
    sequences = keras.Input((None, FEATURES), name="sequences")
    ids = keras.Input((None,), dtype="int32", name="ids")
    sizes = {CASES[name].value_size() for name in NAMES}
    memories = {n: keras.layers.Embedding(50, n, mask_zero=True)(ids) for n in sizes}
    outputs = []
    for name in NAMES:
        layer = Recurrent(make_cell(name), return_sequences=True, name=name)
        outputs.append(layer(sequences, memory=memories[CASES[name].value_size()]))
    model = keras.Model([sequences, ids], outputs)
    random = np.random.default_rng(0)
    for weight in model.trainable_weights:
        size = max([*weight.shape[:1], 1]) if weight.name != "embeddings" else 1
        weight.assign(random.normal(0, size**-0.5, weight.shape))
    return model


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    model, path = build(), tmp_path_factory.mktemp("attention") / "model.tflite"
    (verification,) = export_many([Export(model, path, lengths=(3, 37))])
    return model, path, verification


def test_all_run_in_both_runtimes(exported):
    model, _, verification = exported
    assert model.output_names == NAMES
    assert verification.runtimes == ("Interpreter", "CompiledModel")
    assert not [operator for operator in verification.operators if "FLEX" in operator.upper()]
    assert verification.max_difference <= 1e-5


@pytest.fixture(scope="module")
def cases(exported):
    """Inputs of several lengths, and what the model makes of them."""
    model, random, cases = exported[0], np.random.default_rng(1), []
    for rows, time, source in ((2, 9, 4), (3, 70, 13), (1, 1, 1)):
        x = random.normal(size=(rows, time, FEATURES)).astype("float32")
        ids = random.integers(1, 50, size=(rows, source)).astype("int32")
        ids[-1, source // 2 :] = 0
        expected = dict(zip(NAMES, map(np.asarray, model([x, ids])), strict=True))
        cases.append(({"sequences": x, "ids": ids}, expected))
    return cases


@pytest.mark.parametrize("runtime", [InterpreterRuntime, CompiledModelRuntime])
def test_target_and_source_have_lengths_of_their_own(exported, cases, runtime):
    artifact = runtime(exported[1], SIGNATURE)
    for inputs, expected in cases:
        found = artifact.run(inputs, {name: output.shape for name, output in expected.items()})
        for name in NAMES:
            assert abs(expected[name]).max() > 0.2
            np.testing.assert_allclose(found[name], expected[name], atol=1e-5, err_msg=name)
