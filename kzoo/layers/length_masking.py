"""A mask made of lengths."""

import keras
from keras import ops

from kzoo.layers.checks import check_sizes


@keras.saving.register_keras_serializable(package="kzoo")
class LengthMasking(keras.layers.Layer):
    """Sets what lies beyond each row's length to zero, and masks it for what follows.

    Convolutions see zeros at an edge, so between two of them a padded row needs this layer to be
    what it is alone.

    Args:
        stride: Number of steps of a length that became one step of the sequences, as by pooling; a
            part of that many counts as a step.
        attach: Whether to hand a mask on, too.

    Call arguments:
        inputs: List of the sequences, `(batch, time, ...)`, and int lengths, `(batch,)`.

    Returns:
        Tensor of the shape of the sequences.

    Example:

    >>> import numpy as np
    >>> layer = LengthMasking(stride=2)
    >>> np.array(layer([np.ones((2, 3, 1), "float32"), np.array([5, 2])]))[..., 0].tolist()
    [[1.0, 1.0, 1.0], [1.0, 0.0, 0.0]]
    """

    def __init__(self, stride=1, attach=False, **kwargs):
        check_sizes(stride=stride)
        super().__init__(**kwargs)
        self.supports_masking = True
        self.stride = stride
        self.attach = attach

    def _counts(self, inputs):
        sequences, lengths = inputs
        steps = ops.floor_divide(ops.cast(lengths, "int32") + self.stride - 1, self.stride)
        # Of a symbolic tensor the time may not be known, so steps are counted.
        ones = ops.ones_like(sequences[(..., *[0] * (len(sequences.shape) - 2))], dtype="int32")
        return ops.cumsum(ones, axis=1) <= ops.expand_dims(steps, 1)

    def call(self, inputs):
        """Sets steps to zero; see the class."""
        sequences = inputs[0]
        counts = ops.cast(self._counts(inputs), sequences.dtype)
        return sequences * ops.expand_dims(counts, tuple(range(2, len(sequences.shape))))

    def compute_mask(self, inputs, mask=None):
        """Returns the mask `(batch, time)`, or None."""
        return self._counts(inputs) if self.attach else None

    def compute_output_shape(self, inputs_shape):
        """Returns the shape of the sequences."""
        return inputs_shape[0]

    def get_config(self):
        """Returns the constructor arguments."""
        return {**super().get_config(), "stride": self.stride, "attach": self.attach}
