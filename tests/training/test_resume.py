"""A resumed training equals an unbroken one, the best weights return, patience ends it."""

import json

import keras
import numpy as np
import pytest

from kzoo.training import Resume

X = np.random.default_rng(0).normal(size=(64, 3)).astype("float32")
Y = X @ np.array([[1.0], [-2.0], [0.5]], "float32")


def train(folder, epochs, stop_after=None, **options):
    """Trains up to `epochs`, or as if killed after `stop_after`; returns weights and callback."""
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(4), keras.layers.Dense(1)])
    schedule = keras.optimizers.schedules.CosineDecay(0.1, epochs * 4)
    model.compile(keras.optimizers.AdamW(schedule), "mse")
    resume = Resume(folder, **{"monitor": "loss", **options})
    start = resume.restore(model)
    fit = {"batch_size": 16, "shuffle": False, "verbose": 0, "callbacks": [resume]}
    if not resume.finished:
        model.fit(X, Y, epochs=stop_after or epochs, initial_epoch=start, **fit)
    return model, resume


def test_resumed_equals_unbroken(tmp_path):
    unbroken, _ = train(tmp_path / "unbroken", 6)
    train(tmp_path / "broken", 6, stop_after=2)
    train(tmp_path / "broken", 6, stop_after=3)
    resumed, resume = train(tmp_path / "broken", 6)
    assert len(resume.history) == 6
    for one, other in zip(resumed.get_weights(), unbroken.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6)


def test_a_step_is_traced_once(tmp_path):
    """The optimizer's variables had been made by the step, which TensorFlow then traced anew."""
    calls = []

    class Counting(keras.layers.Dense):
        def call(self, inputs, training=False):
            calls.append(training)
            return super().call(inputs)

    model = keras.Sequential([keras.Input((3,)), Counting(1)])
    model.compile("adam", "mse")
    resume = Resume(tmp_path, monitor="loss")
    resume.restore(model)
    model.fit(X, Y, verbose=0, callbacks=[resume])
    assert calls.count(True) == 1


def test_death_while_writing_loses_that_epoch_only(tmp_path, monkeypatch):
    unbroken, _ = train(tmp_path / "unbroken", 6)
    train(tmp_path / "broken", 6, stop_after=2)
    with monkeypatch.context() as patch:
        patch.setattr("os.replace", lambda *paths: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            train(tmp_path / "broken", 6)
    assert len(json.loads((tmp_path / "broken" / "state.json").read_text())) == 2
    resumed, resume = train(tmp_path / "broken", 6)
    assert len(resume.history) == 6
    for one, other in zip(resumed.get_weights(), unbroken.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6)


def test_patience_ends_training_and_the_best_weights_return(tmp_path):
    # Judged by a loss that should rise, the first epoch stays the best.
    model, resume = train(tmp_path, 20, mode="max", patience=2)
    assert resume.finished
    assert len(resume.history) == 3
    assert resume.best_epoch == 0
    last = model.get_weights()
    resume.load_best(model)
    first, _ = train(tmp_path / "first", 20, stop_after=1)
    assert abs(model.get_weights()[0] - last[0]).max() > 1e-4
    np.testing.assert_allclose(model.get_weights()[0], first.get_weights()[0], rtol=1e-6)
    _, again = train(tmp_path, 20, mode="max", patience=2)
    assert len(again.history) == 3


@pytest.mark.parametrize(("mode", "best"), [("max", 1), ("min", 2)])
def test_nan_is_never_the_best(tmp_path, mode, best):
    resume = Resume(tmp_path, "score", mode)
    for value in (float("nan"), 0.5, 0.25, 0.25, float("nan"), 0.5):
        resume.history.append({"score": value})
    assert resume.best_epoch == best


def test_bad_arguments_are_named(tmp_path):
    with pytest.raises(ValueError, match="`mode` must be"):
        Resume(tmp_path, mode="best")
    with pytest.raises(ValueError, match="`monitor` must be one of"):
        train(tmp_path, 1, monitor="val_loss")
