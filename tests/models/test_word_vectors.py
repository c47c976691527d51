"""Word vectors: updates equal those of a loop over pairs; presets train, save and load."""

import keras
import numpy as np
import pytest
from keras import ops

import kzoo
from kzoo.training import NegativeSamplingLoss, WordWindows

SIZES = {"vocabulary_size": 12, "embedding_dim": 6}
SENTENCES = [[4, 5, 6, 7, 8, 4], [9, 4, 10, 11, 5, 6]]


def randomize(model, seed=0):
    rng = np.random.default_rng(seed)
    for weight in model.trainable_weights:
        weight.assign(rng.normal(scale=0.4, size=weight.shape))
    return model


def tables(model):
    return [
        ops.convert_to_numpy(model.get_layer(name).weights[0]).astype("float64")
        for name in ("words", "contexts")
    ]


def compiled(model, learning_rate=0.1):
    model.compile(keras.optimizers.SGD(learning_rate), NegativeSamplingLoss(), jit_compile=False)
    return model


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def skip_gram_gradients(words, contexts, inputs, targets):
    """Mikolov et al.'s updates, a pair at a time: `(sigma(u.v) - label) u`, and of `u` with `v`."""
    slopes = np.zeros_like(words), np.zeros_like(contexts)
    for ids, noise, target in zip(inputs["ids"], inputs["noise"], targets, strict=True):
        for place, word in enumerate(ids):
            for output, weight in zip([*ids, *noise], target[place], strict=True):
                error = abs(weight) * (sigmoid(words[word] @ contexts[output]) - (weight > 0))
                slopes[0][word] += error * contexts[output]
                slopes[1][output] += error * words[word]
    return slopes


def cbow_gradients(words, contexts, inputs, targets):
    """The same for the mean of a window, which shares what it learns among its words."""
    slopes = np.zeros_like(words), np.zeros_like(contexts)
    rows = zip(inputs["ids"], inputs["noise"], inputs["windows"], targets, strict=True)
    for ids, noise, windows, target in rows:
        for place, word in enumerate(ids):
            window = ids[windows[place] > 0]
            mean = words[window].mean(axis=0) if window.size else np.zeros(words.shape[1])
            for output, weight in zip([word, *noise], target[place], strict=True):
                error = abs(weight) * (sigmoid(mean @ contexts[output]) - (weight > 0))
                np.add.at(slopes[0], window, error * contexts[output] / max(len(window), 1))
                slopes[1][output] += error * mean
    return slopes


@pytest.mark.parametrize(
    ("name", "gradients"), [("skip_gram", skip_gram_gradients), ("cbow", cbow_gradients)]
)
def test_an_update_is_that_of_a_loop_over_pairs(name, gradients):
    windows = WordWindows(SENTENCES, 12, bag=name == "cbow", window=3, sample=0)
    inputs, targets = windows[0]
    model = compiled(randomize(kzoo.create_model(name, **SIZES)))
    before = tables(model)
    model.train_on_batch(inputs, targets)
    for old, new, slope in zip(
        before, tables(model), gradients(*before, inputs, targets), strict=True
    ):
        np.testing.assert_allclose(new, old - 0.1 * slope, atol=1e-5)


@pytest.mark.parametrize("name", ["skip_gram", "cbow"])
def test_preset_trains_saves_and_loads(name, tmp_path):
    windows = WordWindows(SENTENCES * 20, 12, bag=name == "cbow", window=2, sample=0, batch_size=2)
    model = compiled(kzoo.create_model(name, **SIZES), 0.01)
    losses = model.fit(windows, epochs=30, verbose=0).history["loss"]
    assert losses[-1] < 0.95 * losses[0]
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    inputs, _ = windows[0]
    np.testing.assert_array_equal(
        ops.convert_to_numpy(loaded(inputs)), ops.convert_to_numpy(model(inputs))
    )


@pytest.mark.parametrize("name", ["skip_gram", "cbow"])
def test_bad_sizes_are_named(name):
    with pytest.raises(ValueError, match="`embedding_dim` must be a positive integer"):
        kzoo.create_model(name, vocabulary_size=12, embedding_dim=0)
