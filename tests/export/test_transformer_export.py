"""Transformers leave as files: blocks of every kind, and a prompt with the loop that follows it."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from kzoo.decoding import beam_search, greedy
from kzoo.export import Export, export_many
from kzoo.export.bundle import SIGNATURE
from kzoo.export.convert import converter
from kzoo.export.flatbuffer import operators
from kzoo.export.runtimes import CompiledModelRuntime, InterpreterRuntime
from kzoo.export.trace import separate
from kzoo.models import LanguageModelSteps, transformer_language_model
from kzoo.models.transformer_parts import TransformerParts
from tests.weights import randomize

SIZES = {"embedding_dim": 8, "num_heads": 4, "hidden_dim": 12}
KINDS = {
    "original": dict(),
    "rotary": dict(
        positions="rotary",
        num_key_value_heads=2,
        normalization="rms_norm",
        normalize_first=True,
        activation="swiglu",
        use_bias=False,
    ),
    "alibi": dict(positions="alibi", activation="gelu", num_key_value_heads=1),
    "learned": dict(positions="learned", activation="gelu_tanh", normalize_first=True),
}
WRITTEN, END = 5, 3


@pytest.fixture(scope="module")
def blocks(tmp_path_factory):
    """The verification of a file with a block of every kind, causal and not."""
    ids = keras.Input((None,), dtype="int32", name="ids")
    mask = ops.not_equal(ids, 0)
    x = keras.layers.Embedding(20, 8)(ids)
    for name, options in KINDS.items():
        parts = TransformerParts(**SIZES, **options)
        positions = parts.make_positions(f"{name}_positions")
        x = x if positions is None else positions(x)
        x = parts.encoder_block(name, causal=name in ("rotary", "learned"))(x, mask=mask)
    model = randomize(keras.Model(ids, x))
    path = tmp_path_factory.mktemp("blocks") / "blocks.tflite"
    return export_many([Export(model, path)])[0]


def test_blocks_run_in_both_runtimes(blocks):
    assert blocks.runtimes == ("Interpreter", "CompiledModel")
    assert not [name for name in blocks.operators if "FLEX" in name.upper()]
    # The projections are what quantization and XNNPACK know.
    assert {"FULLY_CONNECTED", "BATCH_MATMUL", "GELU"} <= set(blocks.operators)
    assert blocks.max_difference <= 1e-5


def serving(write):
    return lambda prompt_ids: separate(write(prompt_ids), lambda x: x.ref())


def programs(model):
    steps = LanguageModelSteps(model)

    def write(prompt_ids):
        state, start_ids = steps.begin(prompt_ids, WRITTEN)
        found = greedy(steps.step, state, start_ids, END, WRITTEN)
        beams = beam_search(steps.step, state, start_ids, END, WRITTEN, num_beams=2)
        return {"greedy": found.ids, "beam": beams.ids, "scores": beams.scores}

    return write


@pytest.fixture(scope="module")
def writers(tmp_path_factory):
    """For two kinds of model its program in Python and its file."""
    folder, found, jobs = tmp_path_factory.mktemp("writers"), {}, []
    for name in ("rotary", "learned"):
        model = transformer_language_model(vocabulary_size=20, num_layers=1, **SIZES, **KINDS[name])
        write = programs(randomize(model))
        archive = keras.export.ExportArchive()
        spec = tf.TensorSpec((None, None), tf.int32, name="prompt_ids")
        archive.add_endpoint(SIGNATURE, serving(write), [spec])
        archive.write_out(str(folder / name), verbose=False)
        target = folder / f"{name}.tflite"
        jobs.append(
            {"saved_model": str(folder / name), "target": str(target), "precision": "float32"}
        )
        found[name] = (write, target)
    assert converter.convert(jobs) == [None] * len(jobs)
    return found


@pytest.mark.parametrize("name", ["rotary", "learned"])
def test_a_file_reads_a_prompt_and_writes_on(writers, name):
    write, path = writers[name]
    builtin, custom = operators(path.read_bytes())
    assert "WHILE" in builtin
    assert custom == ()
    runtimes = InterpreterRuntime(path, SIGNATURE), CompiledModelRuntime(path, SIGNATURE)
    for prompts in ([[4, 5, 6, 0], [7, 8, 9, 4], [0, 0, 5, 6]], [[9, 8]]):
        inputs = {"prompt_ids": np.array(prompts, "int32")}
        expected = {k: ops.convert_to_numpy(x) for k, x in write(inputs["prompt_ids"]).items()}
        shapes = {key: x.shape for key, x in expected.items()}
        for outputs in (runtimes[0].run(inputs), runtimes[1].run(inputs, shapes)):
            np.testing.assert_array_equal(outputs["greedy"], expected["greedy"])
            np.testing.assert_array_equal(outputs["beam"], expected["beam"])
            np.testing.assert_allclose(outputs["scores"], expected["scores"], rtol=1e-4, atol=1e-4)


def test_first_runs_are_right(writers):
    """One of some thirty was wrong while the result of a first run counted."""
    write, path = writers["rotary"]
    inputs = {"prompt_ids": np.array([[9, 8]], "int32")}
    expected = {k: ops.convert_to_numpy(x) for k, x in write(inputs["prompt_ids"]).items()}
    shapes = {key: x.shape for key, x in expected.items()}
    for _ in range(60):
        for runtime in (InterpreterRuntime, CompiledModelRuntime):
            outputs = runtime(path, SIGNATURE).run(inputs, shapes)
            np.testing.assert_allclose(outputs["scores"], expected["scores"], rtol=1e-4)
