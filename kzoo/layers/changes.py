"""What a machine's measurements do from one step to the next."""

import keras
from keras import ops

# Below it, a change of a standardized measurement counts as none.
FLOOR = 0.05


@keras.saving.register_keras_serializable(package="kzoo")
class Changes(keras.layers.Layer):
    """Puts beside each feature its square, its change, and how large the change is.

        y_t = [l_t; l_t^2; d_t; |d_t|; log(|d_t| + 0.05)]
        l_t = sign(x_t) log(1 + |x_t|),    d_t = l_t - l_{t-1},    l_{-1} = 0

    Faults show in the level of a measurement, but also in how restless it is: a valve that sticks
    has a mean of log |d| that no level tells. The logarithm lets a fault that moves one measurement
    far leave what is small visible in the others. Standardize the features before.

    Input shape:
        `(batch, time, features)`.

    Output shape:
        `(batch, time, 5 * features)`. A mask is handed on.

    Example:

    >>> import numpy as np
    >>> features = Changes()(np.array([[[0.0], [1.0]]], "float32"))[0, 1]
    >>> [round(float(value), 3) for value in features]
    [0.693, 0.48, 0.693, 0.693, -0.297]
    """

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True

    def call(self, inputs):
        """Computes levels, changes and their sizes; see the class."""
        levels = ops.sign(inputs) * ops.log(1 + ops.abs(inputs))
        before = ops.pad(levels, [[0, 0], [1, 0], [0, 0]])[:, :-1]
        changes = levels - before
        sizes = ops.abs(changes)
        features = [levels, levels * levels, changes, sizes, ops.log(sizes + FLOOR)]
        return ops.concatenate(features, axis=-1)

    def compute_output_shape(self, input_shape):
        """Returns the shape of the features."""
        return (*input_shape[:-1], 5 * input_shape[-1])
