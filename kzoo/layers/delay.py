"""What was there a step ago."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="kzoo")
class Delay(keras.layers.Layer):
    """Gives at each step the input of the step before: `y_t = x_{t-1}`, and zeros at the first.

    Input and output shape:
        `(batch, time, features)`.

    Example:

    >>> import numpy as np
    >>> np.array(Delay()(np.array([[[3.0], [5.0], [7.0]]])))[0, :, 0].tolist()
    [0.0, 3.0, 5.0]
    """

    def call(self, inputs):
        """Shifts the inputs by a step."""
        return ops.pad(inputs, [[0, 0], [1, 0], [0, 0]])[:, :-1]

    def compute_output_shape(self, inputs_shape):
        """Returns the shape of the input."""
        return inputs_shape
