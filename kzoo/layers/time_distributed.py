"""One layer at every time step, all time steps at once."""

import inspect

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="kzoo")
class TimeDistributed(keras.layers.Wrapper):
    """Applies a layer to every time step of a batch, by folding time into the batch axis.

        y[:, t] = layer(x[:, t])

    Gives what `keras.layers.TimeDistributed` gives for every layer that treats the rows of a batch
    alone, as all layers do at inference. One that does not, as `BatchNormalization` in training,
    sees all time steps as one batch. Batch and time may both be dynamic.

    A mask of `(batch, time)` passes through. A deeper one, such as that of the words of the
    sentences of a text, is handed to the layer; where the outputs have no axis for it any more, a
    step counts if anything in it counts.

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
        if not isinstance(layer, keras.layers.Layer):
            raise ValueError(f"`layer` must be a keras.layers.Layer. Received: layer={layer!r}")
        super().__init__(layer, **kwargs)
        self.supports_masking = True

    def build(self, input_shape):
        """Builds the layer for one time step."""
        super().build(_step_shape(input_shape))

    def call(self, inputs, training=None, mask=None):
        """Applies the layer; see the class."""
        parameters = inspect.signature(self.layer.call).parameters
        arguments = {}
        if "training" in parameters:
            arguments["training"] = training
        if mask is not None and not _begins_like(mask.shape, inputs.shape):
            raise ValueError(
                "`mask` must begin with the axes (batch, time) of `inputs`. "
                f"Received: mask.shape={tuple(mask.shape)}, inputs.shape={tuple(inputs.shape)}"
            )
        if "mask" in parameters and mask is not None:
            arguments["mask"] = _fold(mask)
        outputs = self.layer(_fold(inputs), **arguments)
        if keras.backend.is_float_dtype(outputs.dtype):
            outputs = ops.cast(outputs, self.compute_dtype)
        batch, time = ops.shape(inputs)[:2]
        return ops.reshape(outputs, (batch, time, *ops.shape(outputs)[1:]))

    def compute_mask(self, inputs, mask=None):
        """Returns the mask of the outputs; see the class."""
        rank = len(self.compute_output_shape(inputs.shape)) - 1
        if mask is None or len(mask.shape) <= rank:
            return mask
        return ops.any(mask, axis=tuple(range(rank, len(mask.shape))))

    def compute_output_shape(self, input_shape):
        """Returns the shape of what `call` returns."""
        shape = self.layer.compute_output_shape(_step_shape(input_shape))
        return (shape[0], input_shape[1], *shape[1:])


def _step_shape(input_shape):
    if len(input_shape) < 3:
        raise ValueError(
            "`inputs` must have shape (batch, time, ...) with at least three axes. "
            f"Received: shape={tuple(input_shape)}"
        )
    return (input_shape[0], *input_shape[2:])


def _begins_like(mask_shape, input_shape):
    pairs = zip(mask_shape[:2], input_shape[:2], strict=False)
    return len(mask_shape) > 1 and all(a is None or b is None or a == b for a, b in pairs)


def _fold(x):
    return ops.reshape(x, (-1, *ops.shape(x)[2:]))
