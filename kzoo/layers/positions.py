"""What all positions that are added to embeddings share."""

import keras
from keras import ops


class Positions(keras.layers.Layer):
    """Base of the positions that are added to embeddings; a subclass implements `encode`."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True

    def encode(self, positions, size):
        """Returns the encodings `(*positions.shape, size)` of int32 positions."""
        raise NotImplementedError(f"{type(self).__name__} must implement `encode`.")

    def call(self, inputs, positions=None):
        """Adds the encodings to the inputs; see the class."""
        if positions is None:
            positions = ops.expand_dims(ops.arange(ops.shape(inputs)[1], dtype="int32"), 0)
        return inputs + ops.cast(self.encode(positions, inputs.shape[-1]), inputs.dtype)

    def compute_output_shape(self, inputs_shape, positions_shape=None):
        """Returns the shape of the inputs."""
        return inputs_shape
