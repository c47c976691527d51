"""What was there a step ago."""

import keras
from keras import ops

from kzoo.layers.checks import check_sizes


@keras.saving.register_keras_serializable(package="kzoo")
class Delay(keras.layers.Layer):
    """Gives at each step the input of some steps before: `y_t = x_{t-steps}`, and zeros at first.

    Args:
        steps: Positive integer.

    Input and output shape:
        `(batch, time, features)`.

    Example:

    >>> import numpy as np
    >>> x = np.array([[[3.0], [5.0], [7.0]]])
    >>> np.array(Delay()(x))[0, :, 0].tolist(), np.array(Delay(2)(x))[0, :, 0].tolist()
    ([0.0, 3.0, 5.0], [0.0, 0.0, 3.0])
    """

    def __init__(self, steps=1, **kwargs):
        check_sizes(steps=steps)
        super().__init__(**kwargs)
        self.steps = steps

    def call(self, inputs):
        """Shifts the inputs."""
        time = ops.shape(inputs)[1]
        return ops.pad(inputs, [[0, 0], [self.steps, 0], [0, 0]])[:, :time]

    def compute_output_shape(self, inputs_shape):
        """Returns the shape of the input."""
        return inputs_shape

    def get_config(self):
        """Returns the constructor arguments."""
        return {**super().get_config(), "steps": self.steps}
