"""Spectra with bands and moments missing, for training."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="kzoo")
class SpecAugment(keras.layers.Layer):
    """Sets bands of frequencies and spans of time to zero while training.

    Each has a width drawn evenly from 0 to the largest, and a place drawn evenly. Apply it to
    features whose mean is about zero.

    Source: Park et al. 2019, "SpecAugment: A Simple Data Augmentation Method for Automatic Speech
    Recognition" (arXiv 1904.08779), without warping of time.

    Args:
        frequency_masks: Number of bands in each row.
        frequency_mask_size: Features of a band, at most.
        time_masks: Number of spans in each row.
        time_mask_size: Steps of a span, at most.
        seed: Integer or None.

    Input and output shape:
        `(batch, time, features)`. A mask is handed on.

    Example:

    >>> import numpy as np
    >>> layer, ones = SpecAugment(seed=1), np.ones((1, 50, 40), "float32")
    >>> float(ops.min(layer(ones))), float(ops.min(layer(ones, training=True)))
    (1.0, 0.0)
    """

    def __init__(
        self,
        frequency_masks=2,
        frequency_mask_size=8,
        time_masks=2,
        time_mask_size=8,
        seed=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.supports_masking = True
        self.frequency_masks = frequency_masks
        self.frequency_mask_size = frequency_mask_size
        self.time_masks = time_masks
        self.time_mask_size = time_mask_size
        self.seed = seed
        for name in ("frequency_masks", "frequency_mask_size", "time_masks", "time_mask_size"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < 0:
                raise ValueError(f"`{name}` must be an integer of at least 0. Received: {value!r}")
        self.seed_generator = keras.random.SeedGenerator(seed)

    def call(self, inputs, training=False):
        """Sets bands and spans to zero; see the class."""
        if not training:
            return inputs
        batch, time, features = ops.shape(inputs)
        bands = self._keep(batch, features, self.frequency_masks, self.frequency_mask_size)
        spans = self._keep(batch, time, self.time_masks, self.time_mask_size)
        kept = ops.expand_dims(bands, 1) * ops.expand_dims(spans, 2)
        return inputs * ops.cast(kept, inputs.dtype)

    def _keep(self, batch, size, count, widest):
        """Returns 0 where one of the masks lies, 1 elsewhere: `(batch, size)`."""
        draw = keras.random.uniform((2, batch, count, 1), seed=self.seed_generator)
        widths = ops.floor(draw[0] * (widest + 1))
        room = ops.maximum(ops.cast(size, "float32") - widths, 0.0)
        starts = ops.floor(draw[1] * (room + 1))
        places = ops.cast(ops.arange(size), "float32")
        inside = ops.logical_and(places >= starts, places < starts + widths)
        return 1.0 - ops.cast(ops.any(inside, axis=1), "float32")

    def compute_output_shape(self, inputs_shape):
        """Returns the shape of the inputs."""
        return inputs_shape

    def get_config(self):
        """Returns the constructor arguments."""
        names = "frequency_masks frequency_mask_size time_masks time_mask_size seed"
        return {**super().get_config(), **{name: getattr(self, name) for name in names.split()}}
