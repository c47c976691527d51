"""Chosen steps of a sequence, such as the first piece of each word."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="kzoo")
class TakeSteps(keras.layers.Layer):
    """Takes steps of a sequence by their positions.

    Position 0 is padding and masked: in front of a text stands a special token, which nobody takes.

    Call arguments:
        inputs: List of a sequence `(batch, time, features)`, and of positions, int32
            `(batch, steps)`. Positions from `time` on take the last step.

    Returns:
        Tensor `(batch, steps, features)`.

    Example:

    >>> import numpy as np
    >>> sequence = np.array([[[0.0], [1.0], [2.0], [3.0]]], "float32")
    >>> np.array(TakeSteps()([sequence, np.array([[1, 3, 0]])])).tolist()
    [[[1.0], [3.0], [0.0]]]
    """

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True

    def call(self, inputs):
        """Takes the steps."""
        sequence, positions = inputs
        # A file has no other word for a position beyond the end than a crash.
        positions = ops.clip(positions, 0, ops.shape(sequence)[1] - 1)
        return ops.take_along_axis(sequence, ops.expand_dims(positions, -1), axis=1)

    def compute_mask(self, inputs, mask=None):
        """Returns where positions are not padding."""
        return ops.not_equal(inputs[1], 0)

    def compute_output_shape(self, input_shape):
        """Returns `(batch, steps, features)`."""
        sequence, positions = input_shape
        return (*positions, sequence[-1])
