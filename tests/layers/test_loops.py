"""The loop of exported graphs gathers outputs in blocks of blocks, of which none may be full."""

import numpy as np
import pytest
from keras import ops

from kzoo.layers.loops import LOOP_BLOCK, loop

LARGE = LOOP_BLOCK**2
TIMES = [1, LOOP_BLOCK - 1, LOOP_BLOCK, LOOP_BLOCK + 1, LARGE - 1, LARGE, LARGE + 1, 2 * LARGE + 9]


@pytest.mark.parametrize("time", TIMES)
def test_every_output_is_in_its_place(time):
    inputs = np.random.default_rng(time).normal(size=(time, 2, 3)).astype("float32")

    def add(carry, x):
        return [carry[0] + x, carry[1] + 1]

    start = [ops.ones((2, 3)), ops.zeros((2, 1))]
    outputs, (last, count) = loop(add, start, ops.convert_to_tensor(inputs), True)
    expected = 1 + np.cumsum(inputs, axis=0)
    np.testing.assert_allclose(ops.convert_to_numpy(outputs), expected, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(ops.convert_to_numpy(last), expected[-1], rtol=1e-4, atol=1e-4)
    np.testing.assert_array_equal(ops.convert_to_numpy(count), np.full((2, 1), time))
