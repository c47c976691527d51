"""The loops inside a `.tflite`: built-in operators only, and the ids that Python gives."""

import numpy as np
import pytest
import tensorflow as tf

from kzoo.decoding import beam_search, gnmt_length_penalty, greedy, sample
from kzoo.decoding.rows import operators_scope
from kzoo.export.bundle import SIGNATURE
from kzoo.export.convert import converter
from kzoo.export.flatbuffer import operators
from kzoo.export.runtimes import CompiledModelRuntime, InterpreterRuntime
from tests.decoding.attentive import END, attentive_step, begin, sources, step

LENGTH = 70  # More than one block of the loop.


def run_greedy(memory, mask, number):
    decoded = greedy(
        attentive_step, *begin(memory, mask), END, LENGTH, min_length=3, source_mask=mask
    )
    return decoded._asdict()


def run_greedy_up_to(memory, mask, number):
    decoded = greedy(step, *begin(memory, mask), END, number, pad_id=-1, banned_ids=[0])
    return {"ids": decoded.ids, "scores": decoded.scores}


def run_beam(memory, mask, number):
    decoded = beam_search(
        attentive_step,
        *begin(memory, mask),
        END,
        LENGTH,
        num_results=2,
        length_penalty=gnmt_length_penalty(0.6),
        coverage_penalty=0.2,
        source_mask=mask,
        min_length=3,
    )
    return decoded._asdict()


def run_diverse_beam_up_to(memory, mask, number):
    decoded = beam_search(
        step, *begin(memory, mask), END, number, num_groups=2, diversity_penalty=1.0
    )
    return {"ids": decoded.ids, "scores": decoded.scores}


def run_sample(memory, mask, number):
    decoded = sample(
        step,
        *begin(memory, mask),
        END,
        LENGTH,
        seed=number,
        temperature=0.9,
        top_k=20,
        top_p=0.95,
        repetition_penalty=1.2,
    )
    return {"ids": decoded.ids, "scores": decoded.scores}


PROGRAMS = (run_greedy, run_greedy_up_to, run_beam, run_diverse_beam_up_to, run_sample)
SPECS = [
    tf.TensorSpec((None, None, 16), tf.float32, name="memory"),
    tf.TensorSpec((None, None), tf.bool, name="mask"),
    # CompiledModel takes no scalars.
    tf.TensorSpec((1,), tf.int32, name="number"),
]


def serving(program):
    def serve(memory, mask, number):
        # As in kzoo.export.trace.
        with operators_scope(tf.gather, tf.argmax):
            outputs = program(memory, mask, number[0])
        # CompiledModel needs an operator behind a loop's output.
        return {key: x[: tf.shape(x)[0]] for key, x in outputs.items()}

    return serve


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """File and `tf.function` of each program: batch, source length and number are dynamic."""
    folder = tmp_path_factory.mktemp("decoding")
    functions, jobs = {}, []
    for program in PROGRAMS:
        name = program.__name__
        module = tf.Module()
        module.serve = tf.function(serving(program), input_signature=SPECS)
        tf.saved_model.save(module, str(folder / name), signatures={SIGNATURE: module.serve})
        target = folder / f"{name}.tflite"
        jobs.append(
            {"saved_model": str(folder / name), "target": str(target), "precision": "float32"}
        )
        functions[name] = (module.serve, target)
    assert converter.convert(jobs) == [None] * len(jobs)
    return functions


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
def test_gives_what_python_gives(exported, program):
    function, path = exported[program.__name__]
    builtin, custom = operators(path.read_bytes())
    assert "WHILE" in builtin
    assert custom == ()
    interpreter = InterpreterRuntime(path, SIGNATURE)
    compiled = CompiledModelRuntime(path, SIGNATURE)
    seen = set()
    for batch, time, number in ((3, 9, 12), (1, 4, 66), (2, 2, 1)):
        memory, mask = sources(batch, time)
        inputs = {"memory": memory, "mask": mask, "number": np.array([number], "int32")}
        graph = {k: x.numpy() for k, x in function(**inputs).items()}
        eager = {k: np.asarray(x) for k, x in program(memory, mask, number).items()}
        shapes = {key: x.shape for key, x in graph.items()}
        everywhere = [eager, interpreter.run(inputs), compiled.run(inputs, shapes)]
        seen |= set(graph["ids"].ravel())
        for got in everywhere:
            assert set(got) == set(graph)
            for key, x in graph.items():
                if x.dtype == np.int32:
                    np.testing.assert_array_equal(got[key], x)
                else:
                    np.testing.assert_allclose(got[key], x, rtol=1e-3, atol=1e-4)
    assert len(seen) > 10
