"""Zeros where a mask says that nothing stands."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="kzoo")
class ZeroMasked(keras.layers.Layer):
    """Sets masked steps to zero, so that a convolution sees of padding what it sees of the edge.

    Call arguments:
        inputs: `(..., features)`.
        mask: Optional boolean of the shape of `inputs` but its last axis.

    Returns:
        Tensor of the shape of `inputs`; its mask is `mask`.

    Example:

    >>> import numpy as np
    >>> x, mask = np.ones((1, 2, 1), "float32"), np.array([[True, False]])
    >>> np.array(ZeroMasked()(x, mask=mask)).tolist()
    [[[1.0], [0.0]]]
    """

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True

    def call(self, inputs, mask=None):
        """Sets masked steps to zero."""
        if mask is None:
            return inputs
        return inputs * ops.expand_dims(ops.cast(mask, inputs.dtype), -1)

    def compute_output_shape(self, input_shape):
        """Returns the shape of the inputs."""
        return input_shape
