"""The n-gram embedding against a loop over tokens, in Python's unbounded integers."""

import keras
import numpy as np
import pytest
from keras import ops

from kzoo.layers import NGramEmbedding
from kzoo.layers.ngram_hash import MAX_BUCKETS, ngram_buckets
from tests.weights import randomize

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


TEXTS = np.array([[1, 2, 3, 4], [1, 2, 3, 0], [1, 2, 0, 0], [5, 6, 3, 4], [5, 6, 0, 0]], "int32")
LABELS = np.array([1, 1, 0, 0, 0])


def adapted(num_buckets=1000, min_count=2):
    layer = NGramEmbedding(10, 4, max_order=3, num_buckets=num_buckets, ngram_dim=2)
    layer.adapt([(TEXTS[:2], LABELS[:2]), (TEXTS[2:], LABELS[2:])], min_count)
    return layer


def test_adapted_rows_start_at_naive_bayes():
    # (1, 2) is in two texts of class 1 and one of class 0; two texts in five are of class 1.
    ratio = np.log(3 / 2) - np.log(3 / 4)
    rows = ops.convert_to_numpy(adapted()(TEXTS))
    np.testing.assert_allclose(rows[:3, 1, 4], 0.1 * ratio, rtol=1e-6)
    # As a token, 5 is in no text of class 1 and in two of class 0.
    np.testing.assert_allclose(rows[3:, 0, 0], 0.1 * (np.log(1 / 3) - np.log(3 / 4)), rtol=1e-6)


def test_three_classes_have_a_column_each():
    layer = NGramEmbedding(10, 4, max_order=2, num_buckets=1000, ngram_dim=3)
    layer.adapt([(TEXTS, np.array([1, 1, 0, 2, 2]))])
    # (1, 2) is in one text of class 0 and two of class 1; classes hold 1, 2 and 2 of the 5 texts.
    odds = np.array([2 / 3, 3 / 2, 1 / 4]) / np.array([2 / 5, 3 / 4, 3 / 4])
    np.testing.assert_allclose(layer(TEXTS)[0, 1, 4:], 0.1 * np.log(odds), rtol=1e-6)


def test_what_is_rare_or_unknown_reads_zeros():
    layer = adapted(min_count=2)
    rows = ops.convert_to_numpy(layer(np.concatenate([TEXTS, [[7, 8, 9, 3]]])))
    bigrams, trigrams = rows[..., 4:6].any(-1), rows[..., 6:].any(-1)
    # (0, 1), (1, 2), (2, 3), (3, 4) and (0, 5), (5, 6) are in two texts or more; (6, 3) is in one.
    assert bigrams[:2].tolist() == [[True] * 4, [True] * 3 + [False]]
    assert bigrams[3].tolist() == [True, True, False, True]
    assert trigrams[0].tolist() == [True, True, True, False]
    assert not bigrams[5].any()
    assert not trigrams[5].any()
    assert ops.convert_to_numpy(adapted(min_count=1)(TEXTS))[3, 2, 4:6].any()


def test_the_most_frequent_owns_the_bucket():
    rows = ops.convert_to_numpy(adapted(num_buckets=1)(TEXTS))
    # All bigrams share one bucket: (0, 1) and (1, 2) are in three texts, the others in two.
    assert rows[:3, 0, 4:6].any() != rows[:3, 1, 4:6].any()
    assert not rows[:, 2:, 4:6].any()
    assert not rows[3:, :, 4:6].any()


def test_adapted_layer_survives_saving(tmp_path):
    ids = keras.Input((None,), dtype="int32")
    model = keras.Model(ids, adapted()(ids))
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded(TEXTS), model(TEXTS))


def test_adapt_without_data_is_an_error():
    with pytest.raises(ValueError, match="`data`"):
        NGramEmbedding(10, 4).adapt([])
