"""The ensemble is the mean of its members, and one model to save and export."""

import keras
import numpy as np
import pytest

import kzoo
from kzoo.models import ensemble

IDS = np.array([[4, 5, 6, 0], [8, 9, 0, 0]], "int32")


def member(index):
    """Returns a small classifier with weights of its own."""
    sizes = {"vocabulary_size": 12, "num_classes": 3, "embedding_dim": 4, "units": 4}
    return kzoo.create_model("text_gru", name=f"member_{index}", **sizes)


def test_is_the_mean_and_survives_saving(tmp_path):
    members = [member(index) for index in range(3)]
    model = ensemble(members)
    expected = np.mean([one.predict(IDS, verbose=0) for one in members], axis=0)
    np.testing.assert_allclose(model.predict(IDS, verbose=0), expected, rtol=1e-6)
    assert model.count_params() == sum(one.count_params() for one in members)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(loaded.predict(IDS, verbose=0), expected, rtol=1e-6)


def test_one_member_is_itself():
    one = member(0)
    assert ensemble([one]) is one


def test_bad_members_are_named():
    with pytest.raises(ValueError, match="`members` must hold at least one"):
        ensemble([])
    with pytest.raises(ValueError, match="`members` must have different names"):
        ensemble([member(0), member(0)])
