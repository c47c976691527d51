"""The n-gram embedding against a loop over tokens, in Python's unbounded integers."""

import numpy as np
import pytest
from keras import ops

from kzoo.layers import NGramEmbedding
from kzoo.layers.ngram_embedding import MAX_BUCKETS, ngram_buckets
from tests.layers.grid import randomize

IDS = np.array([[3, 1, 4, 1, 5], [9, 2, 6, 0, 0]], "int32")


def bucket(row, position, order, num_buckets, prime=8191):
    """The hash of one n-gram, written out."""
    key = row[position] % num_buckets
    for distance in range(1, order):
        earlier = row[position - distance] if position >= distance else 0
        key = (key * prime + earlier * 127) % num_buckets
    return key


@pytest.mark.parametrize("order", [1, 2, 3, 4])
@pytest.mark.parametrize("num_buckets", [7, 1000, MAX_BUCKETS])
@pytest.mark.parametrize("largest", [9, 2**20])
def test_buckets(order, num_buckets, largest):
    ids = np.random.default_rng(0).integers(0, largest, (3, 9)).astype("int32")
    rows = ids.tolist()
    expected = [[bucket(row, t, order, num_buckets) for t in range(9)] for row in rows]
    np.testing.assert_array_equal(ngram_buckets(ids, order, num_buckets), expected)


def test_another_seed_lets_others_share_a_row():
    ids = np.random.default_rng(0).integers(1, 2000, (200, 2)).astype("int32")
    first, other = (ops.convert_to_numpy(ngram_buckets(ids, 2, 50, seed))[:, 1] for seed in (0, 7))
    shared = first[:, None] == first[None]
    assert (shared != (other[:, None] == other[None])).any()
    assert other.tolist() == [bucket(row, 1, 2, 50, prime=8117) for row in ids.tolist()]


def test_equals_reference():
    layer = NGramEmbedding(10, 4, max_order=3, num_buckets=13, ngram_dim=2)
    layer.build(IDS.shape)
    tables = randomize(layer).get_weights()
    expected = [
        [
            np.concatenate(
                [tables[0][row[t]]]
                + [tables[order - 1][bucket(row, t, order, 13)] for order in (2, 3)]
            )
            for t in range(5)
        ]
        for row in IDS.tolist()
    ]
    np.testing.assert_array_equal(layer(IDS), expected)
    np.testing.assert_array_equal(ops.convert_to_numpy(layer.compute_mask(IDS)), IDS != 0)


def test_what_follows_does_not_change_an_ngram():
    layer = NGramEmbedding(10, 4, max_order=4)
    np.testing.assert_array_equal(layer(IDS)[:, :3], layer(IDS[:, :3]))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"num_buckets": MAX_BUCKETS + 1}, "`num_buckets`"),
        ({"max_order": 0}, "`max_order`"),
        ({"hash_seed": 8}, "`hash_seed`"),
    ],
)
def test_bad_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        NGramEmbedding(10, 4, **arguments)
