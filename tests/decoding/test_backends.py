"""The same ids everywhere: on every backend, eagerly and compiled."""

import keras
import numpy as np
import pytest
from keras import ops

from kzoo.decoding import beam_search, gnmt_length_penalty, greedy, sample, score
from tests.decoding.attentive import END, attentive_step, begin, sources, step
from tests.decoding.steps import markov, numpy


def compiled(function, batch):
    """The function compiled by the backend; on TensorFlow for every length and this batch."""
    if keras.backend.backend() == "jax":
        import jax

        return jax.jit(function)
    import tensorflow as tf

    specs = [tf.TensorSpec((batch, None, 16)), tf.TensorSpec((batch, None), tf.bool)]
    return tf.function(function, input_signature=specs)


def test_ids_are_those_of_every_backend():
    """Fixed ids, so that two backends that pass agree with each other."""
    _, step, state, start = markov(2, 6, seed=1)
    beams = beam_search(
        step,
        state,
        start,
        0,
        8,
        num_beams=3,
        num_results=2,
        length_penalty=gnmt_length_penalty(0.6),
    )
    assert numpy(beams.ids).tolist() == [
        [[1, 0, 0, 0, 0, 0, 0, 0], [1, 3, 1, 5, 1, 3, 5, 1]],
        [[1, 3, 1, 3, 5, 4, 5, 2], [2, 4, 2, 5, 2, 3, 4, 3]],
    ]
    drawn = sample(step, state, start, 0, 8, seed=2**31 - 1, temperature=0.8, top_k=4)
    assert numpy(drawn.ids).tolist() == [[1, 0, 0, 0, 0, 0, 0, 0], [2, 4, 2, 5, 3, 1, 5, 4]]

    def constant(ids, state):
        logits = np.array([-1.0, 0.3, 1.2, 0.31, -2.0, 0.9], "float32")
        return ops.expand_dims(ops.zeros_like(ids, dtype="float32"), 1) + logits, state

    drawn = sample(constant, (), [0, 0], 0, 12, seed=123, top_p=0.95, min_length=12)
    assert numpy(drawn.ids).tolist() == [
        [5, 5, 2, 5, 3, 3, 3, 2, 3, 2, 2, 1],
        [5, 2, 2, 3, 3, 3, 1, 1, 1, 5, 1, 3],
    ]


def run_greedy(memory, mask):
    decoded = greedy(attentive_step, *begin(memory, mask), END, 30, source_mask=mask)
    scores = score(step, *begin(memory, mask), decoded.ids, decoded.lengths)
    return [*decoded, scores]


def run_beam(memory, mask):
    options = {"length_penalty": gnmt_length_penalty(0.6), "coverage_penalty": 0.2}
    return list(
        beam_search(attentive_step, *begin(memory, mask), END, 30, source_mask=mask, **options)
    )


def run_sample(memory, mask):
    options = {"seed": 3, "top_k": 10, "top_p": 0.9, "repetition_penalty": 1.3}
    return list(sample(step, *begin(memory, mask), END, 30, **options)[:3])


@pytest.mark.parametrize("program", [run_greedy, run_beam, run_sample], ids=lambda p: p.__name__)
def test_compiled_gives_what_eager_gives(program):
    for batch, time, static in ((3, 9, None), (2, 4, 2)):
        inputs = sources(batch, time)
        expected = [numpy(x) for x in program(*inputs)]
        assert len(np.unique(expected[0])) > 3
        outputs = compiled(program, static)(*inputs)
        for got, x in zip(outputs, expected, strict=True):
            assert numpy(got).dtype == x.dtype
            if x.dtype == np.int32:
                np.testing.assert_array_equal(got, x)
            else:
                np.testing.assert_allclose(got, x, rtol=1e-4, atol=1e-5)


def test_padding_of_the_source_changes_nothing():
    memory, mask = sources(3, 9)
    padded = np.pad(memory, [[0, 0], [0, 4], [0, 0]]), np.pad(mask, [[0, 0], [0, 4]])
    for got, expected in zip(run_beam(*padded), run_beam(memory, mask), strict=True):
        got = numpy(got)
        if got.ndim == 4:
            assert not got[..., 9:].any()
            got = got[..., :9]
        np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-5)
