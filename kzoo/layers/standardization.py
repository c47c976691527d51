"""Standardizing inside a model, so that its file takes and gives raw numbers."""

import keras
import numpy as np
from keras import ops

_LARGEST = float(np.finfo("float16").max)


@keras.saving.register_keras_serializable(package="kzoo")
class Standardization(keras.layers.Layer):
    """Standardizes features by known statistics, or scales them back.

        y = (x - m) / s,    and with `invert`    y = x s + m

    where m is the mean and s the root of the variance. A feature whose variance is no more than
    rounding is not scaled. Files in half precision keep their accuracy where m is large beside s,
    as air pressure is: m is taken away in two parts, the first of which float16 holds exactly.

    Args:
        mean: List of numbers, one for each feature.
        variance: List of numbers.
        axis: The axis of the features; not that of the batch.
        invert: Whether to scale back.

    Input and output shape:
        `(batch, ..., features)`, or with another `axis` the features on that one. A mask is handed
        on.

    Raises:
        ValueError: `mean` and `variance` are not equally many finite numbers, a variance is
            negative, or the input has another number of features.

    Example:

    >>> layer = Standardization([1.0, 0.0], [4.0, 0.0])
    >>> np.array(layer(np.array([[3.0, 5.0]], "float32"))).tolist()
    [[1.0, 5.0]]
    >>> back = Standardization([1.0, 0.0], [4.0, 0.0], invert=True)
    >>> np.array(back(np.array([[1.0, 5.0]], "float32"))).tolist()
    [[3.0, 5.0]]
    """

    def __init__(self, mean, variance, axis=-1, invert=False, **kwargs):
        mean, variance = ([float(value) for value in values] for values in (mean, variance))
        numbers = np.array([mean, variance]) if len(mean) == len(variance) else np.array([np.nan])
        if not np.isfinite(numbers).all() or min(variance) < 0:
            raise ValueError(
                "`mean` and `variance` must be equally many finite numbers, the latter not "
                f"negative. Received: mean={mean}, variance={variance}"
            )
        super().__init__(**kwargs)
        self.supports_masking = True
        self.mean = mean
        self.variance = variance
        self.axis = axis
        self.invert = invert

    def build(self, inputs_shape):
        """Checks the shape and computes the constants."""
        if inputs_shape[self.axis] != len(self.mean):
            raise ValueError(
                f"`inputs` must have {len(self.mean)} features on axis {self.axis}. "
                f"Received: shape={tuple(inputs_shape)}"
            )
        shape = [1] * len(inputs_shape)
        shape[self.axis] = len(self.mean)
        mean, variance = (np.array(values).reshape(shape) for values in (self.mean, self.variance))
        scale = np.sqrt(np.where(variance > 1e-12 * mean**2, variance, 1.0))
        first = np.clip(mean, -_LARGEST, _LARGEST).astype("float16").astype("float64")
        self._constants = first, (mean - first) / scale, scale

    def call(self, inputs):
        """Scales; see the class."""
        constants = self._constants
        first, rest, scale = (ops.convert_to_tensor(x, self.compute_dtype) for x in constants)
        if self.invert:
            return (inputs + rest) * scale + first
        inverse = ops.convert_to_tensor(1 / self._constants[2], self.compute_dtype)
        # A multiplication stands between both parts of the mean, so that no converter joins them.
        return (inputs - first) * inverse - rest

    def compute_output_shape(self, inputs_shape):
        """Returns the shape of the input."""
        return inputs_shape

    def get_config(self):
        """Returns the constructor arguments."""
        names = ("mean", "variance", "axis", "invert")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}
