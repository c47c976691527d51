"""Scheduled sampling: which ids are replaced, by what, and that it trains the wrapped model."""

import keras
import numpy as np
import pytest
from keras import ops

from kzoo.models import seq2seq
from kzoo.training import Resume, ScheduledSampling

SIZES = {"source_vocabulary_size": 12, "target_vocabulary_size": 11, "units": 8, "dropout": 0.0}
rng = np.random.default_rng(0)
TARGET = rng.integers(3, 11, (40, 12)).astype("int32")
TARGET[:, 0] = 2
TARGET[20:, 7:] = 0
IDS = {"source_ids": rng.integers(3, 12, (40, 6)).astype("int32"), "target_ids": TARGET}


def test_mix_replaces_the_stated_share_by_the_models_own_ids():
    model = seq2seq(**SIZES)
    bias = next(weight for weight in model.weights if weight.shape == (11,))
    # What nobody says: padding is the most probable of all.
    bias.assign(9 * np.eye(11)[0])
    logits = ops.convert_to_numpy(model(IDS, training=False))
    assert not logits.argmax(-1).any()
    own = np.concatenate([TARGET[:, :1], 1 + logits[:, :-1, 1:].argmax(-1)], axis=1)
    training = ScheduledSampling(model, 0.3)
    for rate in (0.0, 0.3, 1.0):
        mixed = ops.convert_to_numpy(training.mix(IDS, rate))
        assert (mixed[TARGET == 0] == 0).all()
        assert (mixed[:, 0] == 2).all()
        kept, replaced = mixed == TARGET, mixed == own
        assert (kept | replaced).all()
        differ = (own != TARGET) & (TARGET > 0)
        assert abs(replaced[differ].mean() - rate) < 0.1


def test_fit_trains_the_wrapped_model_and_inference_is_its_own():
    model = seq2seq(**SIZES)
    rates = keras.optimizers.schedules.PolynomialDecay(0.0, 4, end_learning_rate=0.5)
    training = ScheduledSampling(model, rates)
    before = model.get_weights()
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    training.compile(keras.optimizers.Adam(0.01), loss)
    training.fit(IDS, np.roll(TARGET, -1, axis=1), batch_size=10, epochs=2, verbose=0)
    assert int(training.batches_seen) == 8
    assert all((one != other).any() for one, other in zip(before, model.get_weights(), strict=True))
    np.testing.assert_array_equal(training(IDS), model(IDS))


def test_config_round_trip():
    training = ScheduledSampling(seq2seq(**SIZES), rate=0.25, seed=3)
    again = ScheduledSampling.from_config(training.get_config())
    assert (again.rate, again.seed) == (0.25, 3)
    assert again.model.count_params() == training.model.count_params()


def test_a_checkpoint_is_loaded_before_the_first_batch(tmp_path):
    def make(seed):
        keras.utils.set_random_seed(seed)
        training = ScheduledSampling(seq2seq(**SIZES), 0.5)
        training.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
        training.optimizer.build(training.trainable_variables)
        return training

    first, second = make(0), make(1)
    first.fit(IDS, np.roll(TARGET, -1, axis=1), batch_size=40, verbose=0)
    first.save_weights(tmp_path / "epoch_000.weights.h5")
    (tmp_path / "state.json").write_text("[{}]")
    assert Resume(tmp_path).restore(second) == 1
    assert int(second.batches_seen) == 1
    np.testing.assert_array_equal(second(IDS), first(IDS))


def test_wrong_rate():
    with pytest.raises(ValueError, match=r"`rate` must be in \[0, 1\] or a schedule"):
        ScheduledSampling(seq2seq(**SIZES), rate=1.5)
