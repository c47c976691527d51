"""One layer at every time step, all time steps at once."""

import inspect

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="kzoo")
class TimeDistributed(keras.layers.Wrapper):
    """Applies a layer to every time step of a batch, by folding time into the batch axis.

    Gives what `keras.layers.TimeDistributed` gives for every layer that treats the rows of a batch
    alone, as all layers do at inference. Batch and time may both be dynamic.

    Args:
        layer: The layer, which takes `(batch, ...)`.

    Call arguments:
        inputs: `(batch, time, ...)`.
        mask: Optional `(batch, time, ...)`, handed to the layer if it takes one.

    Returns:
        `(batch, time, ...)`.

    Example:

    >>> import keras, numpy as np
    >>> layer = TimeDistributed(keras.layers.Conv1D(4, 3))
    >>> tuple(layer(np.ones((2, 5, 7, 3), "float32")).shape)
    (2, 5, 5, 4)
    """

    def __init__(self, layer, **kwargs):
        super().__init__(layer, **kwargs)
        self.supports_masking = True

    def build(self, input_shape):
        """Builds the layer for one time step."""
        super().build((input_shape[0], *input_shape[2:]))

    def call(self, inputs, training=None, mask=None):
        """Applies the layer; see the class."""
        parameters = inspect.signature(self.layer.call).parameters
        arguments = {}
        if "training" in parameters:
            arguments["training"] = training
        if "mask" in parameters and mask is not None:
            arguments["mask"] = _fold(mask)
        outputs = self.layer(_fold(inputs), **arguments)
        batch, time = ops.shape(inputs)[:2]
        return ops.reshape(outputs, (batch, time, *ops.shape(outputs)[1:]))

    def compute_output_shape(self, input_shape):
        """Returns the shape of what `call` returns."""
        shape = self.layer.compute_output_shape((input_shape[0], *input_shape[2:]))
        return (shape[0], input_shape[1], *shape[1:])


def _fold(x):
    return ops.reshape(x, (-1, *ops.shape(x)[2:]))
