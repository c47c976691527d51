"""What a step hands back untouched stays outside of the loop, with a row for each beam."""

import numpy as np
import pytest
from keras import ops

from kzoo.decoding import beam_search, greedy
from kzoo.decoding.step import StepFunction


def step(ids, state):
    count, memory = state
    return ops.one_hot(ids, 6) + memory, (count + 1, memory)


def test_memory_is_no_state():
    count, memory = np.zeros((2,)), np.ones((2, 6), "float32")
    function = StepFunction(step, (count, memory), [4, 5])
    assert [tuple(x.shape) for x in function.state] == [(2,)]
    assert [tuple(x.shape) for x in function.memory] == [(2, 6)]


def test_every_beam_reads_the_memory_of_its_row():
    tables = np.array([[0, 0, 9, 5, 1, 0], [0, 0, 1, 5, 9, 0]], "float32")
    seen = []

    def spy(ids, state):
        seen.append(ops.convert_to_numpy(state[1]))
        return step(ids, state)

    decoded = beam_search(spy, (np.zeros((2,)), tables), [2, 2], 1, 3, num_beams=3)
    np.testing.assert_array_equal(seen[-1], np.repeat(tables, 3, axis=0))
    assert ops.convert_to_numpy(decoded.ids)[:, 0].tolist() == [[2, 2, 2], [4, 4, 4]]


def test_memory_must_stay_memory():
    calls = []

    def fickle(ids, state):
        calls.append(ids)
        return ops.one_hot(ids, 6), (state if len(calls) == 1 else state + 1)

    with pytest.raises(ValueError, match="must always hand back untouched"):
        greedy(fickle, np.zeros((2, 3)), [4, 4], 1, 3)
