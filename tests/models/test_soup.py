"""The soup has the mean of its members' weights, and computes what such a model computes."""

import keras
import numpy as np
import pytest

from kzoo.models import bert, bert_classifier, uniform_soup

SIZES = {"vocabulary_size": 30, "embedding_dim": 8, "num_heads": 2, "hidden_dim": 8}


def member(seed, **sizes):
    keras.utils.set_random_seed(seed)
    return bert_classifier(bert(**{**SIZES, "num_layers": 1, **sizes}), num_classes=2)


def test_all_weights_are_means():
    members = [member(seed) for seed in range(3)]
    before = [model.get_weights() for model in members]
    model = uniform_soup(members)
    assert model is members[0]
    for found, *same in zip(model.get_weights(), *before, strict=True):
        np.testing.assert_allclose(found, sum(same) / 3, rtol=1e-6, atol=1e-7)
    for other, weights in zip(members[1:], before[1:], strict=True):
        for found, expected in zip(other.get_weights(), weights, strict=True):
            np.testing.assert_array_equal(found, expected)


def test_one_member_stays_as_it_is():
    one = member(0)
    before = one.get_weights()
    for found, expected in zip(uniform_soup([one]).get_weights(), before, strict=True):
        np.testing.assert_array_equal(found, expected)


def test_bad_members_are_named():
    with pytest.raises(ValueError, match="`members` must hold at least one"):
        uniform_soup([])
    with pytest.raises(ValueError, match="same shapes"):
        uniform_soup([member(0), member(0, hidden_dim=9)])
