"""Dropout of whole tokens, before they are embedded."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="kzoo")
class TokenDropout(keras.layers.Layer):
    """Replaces ids by that of the unknown token, in training, so that it is learnt what that means.

    A model that sees every word of its training learns nothing of words it does not know; with
    some of them hidden it must go by their letters and by what stands around them.

    Source: Iyyer et al. 2015, "Deep Unordered Composition Rivals Syntactic Methods for Text
    Classification", section 3; as replacement, Kiperwasser and Goldberg 2016 (arXiv 1603.04351).

    Args:
        rate: Fraction of the ids that are replaced. Id 0, padding, never is.
        token_id: The id that takes their place.

    Call arguments:
        ids: int32 tensor of any shape.

    Returns:
        int32 tensor of the same shape.

    Example:

    >>> import numpy as np
    >>> ids = np.array([[7, 8, 0]], "int32")
    >>> np.array(TokenDropout(0.5)(ids)).tolist()
    [[7, 8, 0]]
    """

    def __init__(self, rate, token_id=1, **kwargs):
        if not 0 <= rate < 1:
            raise ValueError(f"`rate` must be in [0, 1). Received: rate={rate}")
        super().__init__(**kwargs)
        self.supports_masking = True
        self.rate = rate
        self.token_id = token_id
        self.seed_generator = keras.random.SeedGenerator()

    def call(self, ids, training=False):
        """Replaces ids; see the class."""
        ids = ops.cast(ids, "int32")
        if not training or not self.rate:
            return ids
        drawn = keras.random.uniform(ops.shape(ids), seed=self.seed_generator) < self.rate
        return ops.where(ops.logical_and(drawn, ops.not_equal(ids, 0)), self.token_id, ids)

    def compute_output_spec(self, ids, training=False):
        """Returns shape and type of the ids."""
        return keras.KerasTensor(ids.shape, dtype="int32")

    def get_config(self):
        """Returns the constructor arguments."""
        return {**super().get_config(), "rate": self.rate, "token_id": self.token_id}
