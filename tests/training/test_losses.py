"""Label smoothing and perplexity beside NumPy, with padding, and through `fit`."""

import keras
import numpy as np
import pytest

from kzoo.training import Perplexity, SmoothedCrossentropy

RNG = np.random.default_rng(7)
LOGITS = RNG.normal(size=(3, 5, 11)).astype("float32") * 2
IDS = RNG.integers(0, 11, (3, 5)).astype("int32")
WEIGHTS = (np.arange(5) < np.array([[5], [2], [3]])).astype("float32")


def log_probabilities(logits):
    logits = logits.astype("float64")
    return logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.4])
def test_smoothed_crossentropy_is_that_of_the_smoothed_target(smoothing):
    target = np.full((3, 5, 11), smoothing / 11)
    np.put_along_axis(target, IDS[..., None], 1 - smoothing + smoothing / 11, axis=-1)
    losses = -(target * log_probabilities(LOGITS)).sum(axis=-1)
    loss = SmoothedCrossentropy(smoothing)
    np.testing.assert_allclose(loss(IDS, LOGITS), losses.mean(), rtol=1e-5)
    expected = (losses * WEIGHTS).sum() / WEIGHTS.sum()
    np.testing.assert_allclose(loss(IDS, LOGITS, WEIGHTS), expected, rtol=1e-5)
    expected = keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=smoothing)(
        np.eye(11)[IDS], LOGITS
    )
    np.testing.assert_allclose(loss(IDS, LOGITS), expected, rtol=1e-5)


def test_smoothing_survives_serialization():
    loss = SmoothedCrossentropy(0.2)
    again = keras.losses.deserialize(keras.losses.serialize(loss))
    assert isinstance(again, SmoothedCrossentropy)
    assert (again.smoothing, again.reduction) == (0.2, "mean_with_sample_weight")
    assert float(again(IDS, LOGITS)) == float(loss(IDS, LOGITS))


@pytest.mark.parametrize("smoothing", [-0.1, 1, 2.0])
def test_a_share_outside_of_0_and_1_is_refused(smoothing):
    with pytest.raises(ValueError, match=r"`smoothing` must be in \[0, 1\)"):
        SmoothedCrossentropy(smoothing)


def test_perplexity_weighs_ids_and_not_batches():
    metric = Perplexity()
    metric.update_state(IDS[:1], LOGITS[:1], WEIGHTS[:1])
    # The rows of this batch are shorter.
    metric.update_state(IDS[1:, :3], LOGITS[1:, :3], WEIGHTS[1:, :3])
    chosen = np.take_along_axis(log_probabilities(LOGITS), IDS[..., None], axis=-1)[..., 0]
    expected = np.exp(-(chosen * WEIGHTS).sum() / WEIGHTS.sum())
    np.testing.assert_allclose(metric.result(), expected, rtol=1e-5)
    metric.reset_state()
    for steps in (slice(1), slice(1, None)):
        metric.update_state(IDS[:, steps], LOGITS[:, steps])
    np.testing.assert_allclose(metric.result(), np.exp(-chosen.mean()), rtol=1e-5)


def test_both_work_in_a_compiled_model_that_is_saved(tmp_path):
    ids = keras.Input((None,), dtype="int32")
    model = keras.Model(ids, keras.layers.Embedding(11, 11)(ids))
    model.compile("adam", SmoothedCrossentropy(0.1), weighted_metrics=[Perplexity()])
    model.fit(IDS, IDS, sample_weight=WEIGHTS, verbose=0)
    loss, perplexity = model.evaluate(IDS, IDS, sample_weight=WEIGHTS, verbose=0)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    values = again.evaluate(IDS, IDS, sample_weight=WEIGHTS, verbose=0)
    np.testing.assert_allclose(values, [loss, perplexity], rtol=1e-5)
    assert 10.5 < perplexity < 11.5
