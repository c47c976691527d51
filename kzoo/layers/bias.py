"""A bias alone."""

import keras


@keras.saving.register_keras_serializable(package="kzoo")
class Bias(keras.layers.Layer):
    """Adds a learned vector.

        y = x + b

    Call arguments:
        inputs: `(..., features)`.

    Returns:
        Like `inputs`.

    Example:

    >>> import numpy as np
    >>> layer = Bias()
    >>> tuple(layer(np.ones((2, 5, 3), "float32")).shape), tuple(layer.bias.shape)
    ((2, 5, 3), (3,))
    """

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True

    def build(self, inputs_shape):
        """Creates `bias`."""
        self.bias = self.add_weight(name="bias", shape=inputs_shape[-1:], initializer="zeros")

    def call(self, inputs):
        """Adds the bias; see the class."""
        return inputs + self.bias

    def compute_output_shape(self, inputs_shape):
        """Returns the shape of the inputs."""
        return inputs_shape
