"""Training on a model's own words, so that it learns to go on from its own mistakes."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="kzoo")
class ScheduledSampling(keras.Model):
    """Wraps an encoder-decoder for training: some target ids are what the model would have said.

    A model that was only ever given the true words meets its own for the first time in decoding.
    In training, each id of `target_ids` after the start id is replaced with probability `rate` by
    the most probable id of the model but padding, and the model is run again on the mixture. The
    labels stay.

    The first run sees the true words at all steps, so both runs are parallel over the batch and
    need no sampling inside the walk; it costs one forward pass more.

    Source: Bengio et al. 2015, "Scheduled Sampling for Sequence Prediction with Recurrent Neural
    Networks", arXiv 1506.03099, section 2.4; in two runs: Mihaylova and Martins 2019, "Scheduled
    Sampling for Transformers", arXiv 1906.07651, section 3.

    Args:
        model: A model from `{"source_ids", "target_ids"}` to logits, as `kzoo.models.seq2seq`.
        rate: Probability in [0, 1], or a schedule of `keras.optimizers.schedules` that gives it
            from the number of batches seen, as a `PolynomialDecay` from 0 up to 0.25.
        seed: Integer of the draws.

    Compile and fit this model; save and decode with the one it wraps, whose weights it trains.

    Example:

    >>> import numpy as np
    >>> from kzoo.models import seq2seq
    >>> model = seq2seq(source_vocabulary_size=9, target_vocabulary_size=9, units=4)
    >>> training = ScheduledSampling(model, rate=0.25)
    >>> ids = {"source_ids": np.array([[7, 3]]), "target_ids": np.array([[2, 5, 6]])}
    >>> tuple(training(ids, training=True).shape)
    (1, 3, 9)
    """

    def __init__(self, model, rate, seed=0, **kwargs):
        if not callable(rate) and not 0 <= rate <= 1:
            raise ValueError(f"`rate` must be in [0, 1] or a schedule. Received: rate={rate!r}")
        super().__init__(**kwargs)
        self.model = model
        self.rate = rate
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)
        self.batches_seen = self.add_weight(
            name="batches_seen", shape=(), initializer="zeros", dtype="int32", trainable=False
        )
        # So that a checkpoint can be loaded before the first batch.
        self.built = model.built

    def call(self, inputs, training=False):
        """Returns the logits; in training, of a mixture of true ids and the model's own."""
        if not training:
            return self.model(inputs, training=False)
        rate = self.rate(self.batches_seen.value) if callable(self.rate) else self.rate
        self.batches_seen.assign(self.batches_seen + 1)
        mixed = self.mix(inputs, rate)
        return self.model({**inputs, "target_ids": mixed}, training=True)

    def mix(self, inputs, rate):
        """Returns target ids of which a share `rate` are the model's own; padding stays."""
        target_ids = inputs["target_ids"]
        logits = ops.stop_gradient(self.model(inputs, training=True))
        # Padding within a sentence would hide the word from the decoder.
        own = 1 + ops.cast(ops.argmax(logits[:, :-1, 1:], axis=-1), target_ids.dtype)
        own = ops.concatenate([target_ids[:, :1], own], axis=1)
        drawn = keras.random.uniform(ops.shape(target_ids), seed=self.seed_generator) < rate
        replaced = ops.logical_and(drawn, target_ids > 0)
        return ops.where(replaced, own, target_ids)

    def compute_output_shape(self, input_shape):
        """Returns the shape of the logits."""
        return self.model.compute_output_shape(input_shape)

    def get_config(self):
        """Returns the constructor arguments."""
        return {
            "model": keras.saving.serialize_keras_object(self.model),
            "rate": keras.saving.serialize_keras_object(self.rate),
            "seed": self.seed,
        }

    @classmethod
    def from_config(cls, config):
        """Rebuilds the wrapper with its model."""
        parts = {
            name: keras.saving.deserialize_keras_object(config[name]) for name in ("model", "rate")
        }
        return cls(**{**config, **parts})
