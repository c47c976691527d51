"""Learned positions."""

import keras
from keras import ops

from kzoo.layers.checks import check_sizes
from kzoo.layers.positions import Positions


@keras.saving.register_keras_serializable(package="kzoo")
class LearnedPositions(Positions):
    """Adds a learned vector for each position.

        y_t = x_t + P[t]

    Source: Gehring et al. 2017 (arXiv 1705.03122), section 3.1; with this initial scale Devlin et
    al. 2019, "BERT" (arXiv 1810.04805).

    Args:
        max_length: Positive integer, the number of positions. Later ones have no vector: a static
            length above it is refused, and a dynamic one must not exceed it.

    Call arguments:
        inputs: `(batch, time, features)`.
        positions: Optional int32 `(batch or 1, time)`; 0, 1, 2, ... by default.

    Returns:
        Like `inputs`.

    Example:

    >>> import numpy as np
    >>> layer = LearnedPositions(16)
    >>> tuple(layer(np.zeros((2, 9, 4), "float32")).shape), tuple(layer.embeddings.shape)
    ((2, 9, 4), (16, 4))
    """

    def __init__(self, max_length, **kwargs):
        check_sizes(max_length=max_length)
        super().__init__(**kwargs)
        self.max_length = max_length

    def build(self, inputs_shape, positions_shape=None):
        """Creates `embeddings`."""
        self.embeddings = self.add_weight(
            name="embeddings",
            shape=(self.max_length, inputs_shape[-1]),
            initializer=keras.initializers.TruncatedNormal(stddev=0.02),
        )

    def encode(self, positions, size):
        """Returns the vectors of positions."""
        if (positions.shape[-1] or 0) > self.max_length:
            raise ValueError(
                f"`inputs` must have at most {self.max_length} steps. "
                f"Received: {positions.shape[-1]}"
            )
        return ops.take(self.embeddings, positions, axis=0)

    def get_config(self):
        """Returns the constructor arguments."""
        return {**super().get_config(), "max_length": self.max_length}
