"""Factories and registry: every preset builds, trains, saves and loads."""

import keras
import numpy as np
import pytest

import kzoo
from kzoo.models import register_model, sequence_classifier, text_classifier
from kzoo.models.classifier import POOLINGS

IDS = np.array([[4, 5, 6, 7, 0], [8, 9, 0, 0, 0], [0, 0, 0, 0, 0]], "int32")
SEQUENCES = np.random.default_rng(0).normal(size=(3, 5, 2)).astype("float32")
SEQUENCES[1, 3:] = 0


def small(name):
    """Returns a small model of a preset and inputs for it."""
    if name.startswith("text"):
        sizes = {"vocabulary_size": 12, "embedding_dim": 4}
        return kzoo.create_model(name, num_classes=3, units=4, **sizes), IDS
    return kzoo.create_model(name, num_classes=3, units=4, num_features=2), SEQUENCES


@pytest.mark.parametrize("name", kzoo.list_models("text_*") + kzoo.list_models("sequence_*"))
def test_preset_trains_saves_and_loads(name, tmp_path):
    model, inputs = small(name)
    before = model.predict(inputs, verbose=0)
    np.testing.assert_allclose(before.sum(axis=-1), 1, rtol=1e-5)
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(inputs, np.array([0, 1, 2]), verbose=0)
    assert abs(model.predict(inputs, verbose=0) - before).max() > 1e-4
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    # `predict` compiles each model for itself, and may round the last bit in another way.
    np.testing.assert_array_equal(loaded(inputs), model(inputs))


@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize("bidirectional", [False, True])
def test_padding_changes_nothing(pooling, bidirectional):
    model = text_classifier(
        vocabulary_size=12,
        num_classes=3,
        embedding_dim=4,
        cell="gru",
        units=4,
        num_layers=2,
        pooling=pooling,
        bidirectional=bidirectional,
    )
    padded = model.predict(IDS, verbose=0)
    np.testing.assert_allclose(padded[1:2], model.predict(IDS[1:2, :2], verbose=0), atol=1e-6)
    assert np.isfinite(padded).all()


@pytest.mark.parametrize("cell", ["transformer", "sru_plus_plus"])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_what_attends_does_not_see_padding(cell, bidirectional):
    model = text_classifier(
        vocabulary_size=12,
        num_classes=3,
        embedding_dim=4,
        cell=cell,
        units=8,
        num_layers=2,
        pooling="attention",
        bidirectional=bidirectional,
    )
    padded = model.predict(IDS, verbose=0)
    np.testing.assert_allclose(padded[1:2], model.predict(IDS[1:2, :2], verbose=0), atol=1e-6)
    assert np.isfinite(padded).all()
    layers = [layer for layer in model.layers if layer.name.startswith(("block", "recurrent"))]
    causal = [getattr(layer, "attention", layer).causal for layer in layers]
    assert causal == [not bidirectional] * 2


def test_layers_stack():
    model = sequence_classifier(num_features=2, num_classes=2, units=4, num_layers=3)
    names = [layer.name for layer in model.layers if layer.name.startswith("bidirectional")]
    assert names == ["bidirectional_0", "bidirectional_1", "bidirectional_2"]


def test_registry_finds_and_refuses():
    assert kzoo.list_models("text_sru*") == [
        "text_sru",
        "text_sru_plus_plus",
        "text_sru_small",
    ]
    with pytest.raises(ValueError, match="`name` must be new"):
        register_model("text_sru", text_classifier)
    with pytest.raises(ValueError, match="`name` must be one of"):
        kzoo.create_model("text_elman")


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ({"vocabulary_size": 0}, "`vocabulary_size` must be a positive integer"),
        ({"num_classes": 2.0}, "`num_classes` must be a positive integer"),
        ({"units": True}, "`units` must be a positive integer"),
        ({"num_layers": 0}, "`num_layers` must be a positive integer"),
        ({"cell": "elman"}, "`cell` must be one of"),
        ({"pooling": "min"}, "`pooling` must be one of"),
        ({"cell": "transformer", "pooling": "last"}, "`connection` must be None and `pooling` not"),
        ({"cell": "sru_plus_plus", "connection": "highway"}, r"None and .* cell='sru_plus_plus'"),
    ],
)
def test_bad_sizes_are_named(sizes, message):
    with pytest.raises(ValueError, match=message):
        text_classifier(**{"vocabulary_size": 10, "num_classes": 2, **sizes})


STATISTICS = [10.0, -2.0], [4.0, 0.25]


@pytest.mark.parametrize("name", kzoo.list_models("regressor_*") + kzoo.list_models("labeller_*"))
def test_models_of_measurements_train_save_and_load(name, tmp_path):
    sizes = {"num_classes": 3} if name.startswith("labeller") else {"target_statistics": (80, 25)}
    raw = SEQUENCES + np.array([10, -2], "float32")
    model = kzoo.create_model(name, num_features=2, units=6, statistics=STATISTICS, **sizes)
    before = model.predict(raw, verbose=0)
    if name.startswith("labeller"):
        assert before.shape == (3, 5, 3)
        np.testing.assert_allclose(before.sum(axis=-1), 1, rtol=1e-5)
        model.compile("adam", "sparse_categorical_crossentropy")
        model.fit(raw, np.array([[0, 1, 2, 0, 1]] * 3), verbose=0)
        # What comes later changes nothing.
        again = model.predict(raw[:, :3], verbose=0)
        np.testing.assert_allclose(again, model.predict(raw, verbose=0)[:, :3], atol=1e-6)
    else:
        assert before.shape == (3, 1)
        assert abs(before - 80).max() < 25
        model.compile("adam", "mse")
        model.fit(raw, np.array([[80.0], [70.0], [90.0]]), verbose=0)
    assert abs(model.predict(raw, verbose=0) - before).max() > 1e-5
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded(raw), model(raw))


def test_measurements_are_standardized_inside():
    sizes = dict(num_features=2, num_classes=3, units=4)
    keras.utils.set_random_seed(0)
    raw = sequence_classifier(**sizes, statistics=STATISTICS, changes=True)
    keras.utils.set_random_seed(0)
    scaled = sequence_classifier(**sizes, changes=True)
    scaled.set_weights(raw.get_weights())
    x = SEQUENCES[:1]
    np.testing.assert_allclose(
        raw.predict(x * [2, 0.5] + [10, -2], verbose=0), scaled.predict(x, verbose=0), atol=1e-5
    )
