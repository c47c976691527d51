"""Classifiers whose layers have connections around them."""

import keras
import numpy as np
import pytest

from kzoo.layers import Highway, Residual
from kzoo.models import text_classifier
from tests.models.test_classifier import IDS

SIZES = {"vocabulary_size": 12, "num_classes": 3, "embedding_dim": 4, "cell": "gru", "units": 4}


@pytest.mark.parametrize("connection", ["residual", "highway"])
def test_they_ignore_padding_train_save_and_load(connection, tmp_path):
    model = text_classifier(num_layers=2, connection=connection, **SIZES)
    kinds = [type(layer) for layer in model.layers if isinstance(layer, Residual | Highway)]
    assert kinds == [{"residual": Residual, "highway": Highway}[connection]]
    padded = model(IDS)
    np.testing.assert_allclose(padded[1:2], model(IDS[1:2, :2]), atol=1e-6)
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(IDS, np.array([0, 1, 2]), verbose=0)
    trained = model(IDS)
    assert np.abs(trained - padded).max() > 1e-4
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded(IDS), trained)


def test_what_goes_around_a_layer_is_not_dropped():
    model = text_classifier(num_layers=2, connection="residual", dropout=0.99, **SIZES)
    around = model.get_layer("residual_1")
    # The states of a GRU are between -1 and 1, and the inputs are not. They are eighths, so that
    # no sum is rounded to more than 1 above its input.
    x = np.random.default_rng(0).integers(24, 33, size=(2, 5, 8)).astype("float32") / 8
    outputs = keras.ops.convert_to_numpy(around(x, training=True))
    assert np.abs(outputs - x).max() <= 1
    assert np.abs(outputs - around(x, training=False)).max() > 1e-3


def test_the_last_layer_of_pooling_last_has_none():
    model = text_classifier(num_layers=3, connection="highway", pooling="last", **SIZES)
    assert [layer.name for layer in model.layers if isinstance(layer, Highway)] == ["highway_1"]
    padded = model(IDS)
    np.testing.assert_allclose(padded[1:2], model(IDS[1:2, :2]), atol=1e-6)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"connection": "dense", "num_layers": 2}, r"`connection` must be one of .*'dense'"),
        ({"connection": "residual"}, "`connection` must be None where no layer can have one"),
        ({"connection": "highway", "num_layers": 2, "pooling": "last"}, "or 3 with pooling='last'"),
    ],
)
def test_bad_connections_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        text_classifier(**SIZES, **options)
