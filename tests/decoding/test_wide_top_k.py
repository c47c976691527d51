"""The highest entries of wide rows, against a stable sort."""

import numpy as np
import pytest
from keras import ops

from kzoo.decoding import beam_search, greedy
from kzoo.decoding.wide_top_k import wide_top_k
from tests.decoding.steps import log_softmax, numpy, rows_of


@pytest.mark.parametrize("n", [5, 64, 384, 400, 1000, 1024, 5000])
@pytest.mark.parametrize("k", [1, 3])
@pytest.mark.parametrize("levels", [2, 50, 10**6])
def test_equals_a_stable_sort(n, k, levels):
    random = np.random.default_rng(n)
    x = random.integers(-levels, levels, (40, n)).astype("float32")
    x[:20, random.permutation(n)[: n - 4]] = -np.inf
    values, indices = (numpy(y) for y in wide_top_k(ops.convert_to_tensor(x), k))
    expected = np.argsort(-x, axis=1, kind="stable")[:, :k]
    assert indices.dtype == "int32"
    np.testing.assert_array_equal(indices, expected)
    np.testing.assert_array_equal(values, np.take_along_axis(x, expected, 1))


def test_searches_of_a_large_vocabulary():
    logits = np.random.default_rng(0).normal(0, 2, (1, 3001)).astype("float32")
    gains = log_softmax(logits)[0]

    def step(ids, state):
        return ops.take(logits, 0 * ids, axis=0), state

    (found,) = rows_of(beam_search(step, (), [0], None, 2, num_beams=4, banned_ids=[7]))
    gains[7] = -np.inf
    first = np.argsort(-gains)[:4]
    pairs = [(gains[i] + gains[j], (i, j)) for i in first for j in first]
    expected = sorted(pairs, key=lambda pair: -pair[0])[:4]
    np.testing.assert_allclose([score for score, _ in found], [s for s, _ in expected], rtol=1e-5)
    # The two orders of a pair are equally probable.
    assert [set(ids) for _, ids in found] == [set(ids) for _, ids in expected]
    ids = greedy(step, (), [0], None, 2, banned_ids=[7]).ids
    assert numpy(ids).tolist() == [[first[0], first[0]]]
