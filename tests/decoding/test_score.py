"""Teacher-forced scores equal sums of log-probabilities."""

import numpy as np

from kzoo.decoding import score
from tests.decoding.steps import markov, walk


def test_equals_the_table_whatever_stands_behind_the_length():
    tables, step, state, start = markov(6, 5, seed=0)
    random = np.random.default_rng(1)
    ids = random.integers(0, 5, (6, 70)).astype("int32")
    lengths = np.array([0, 1, 2, 64, 65, 70], "int32")
    expected = [
        sum(walk(table, start[row], ids[row, : lengths[row]])) for row, table in enumerate(tables)
    ]
    ids[1, 1:] = 1000
    np.testing.assert_allclose(score(step, state, start, ids, lengths), expected, rtol=1e-5)
