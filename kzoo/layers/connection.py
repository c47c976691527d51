"""Ways around a layer, so that many layers can be stacked."""

import inspect

import keras
from keras import ops


class Connection(keras.layers.Wrapper):
    """Base of layers that lead their input around another layer.

    Subclasses implement `merge`. It uses layers and `keras.ops` alone, so that it also wires
    symbolic tensors.

    A mask passes to the layer and on; outputs at masked steps mean nothing.

    Args:
        layer: Layer whose outputs have the shape of its inputs, such as a `Recurrent` with
            `return_sequences=True`.

    Call arguments:
        inputs: `(batch, ..., features)`.
        initial_state: Optional list of tensors, for a recurrent layer.
        mask: Optional mask, for a layer that takes one.

    Returns:
        What the layer returns, with its outputs merged with the inputs.
    """

    def __init__(self, layer, **kwargs):
        if not isinstance(layer, keras.layers.Layer):
            raise ValueError(f"`layer` must be a keras.layers.Layer. Received: layer={layer!r}")
        super().__init__(layer, **kwargs)
        self.supports_masking = True
        self.supports_jit = layer.supports_jit

    def merge(self, inputs, outputs):
        """Returns the outputs of the connection, from those of the layer."""
        raise NotImplementedError(f"{type(self).__name__} must implement `merge`.")

    def build(self, inputs_shape, initial_state_shape=None):
        """Builds the layer."""
        super().build(inputs_shape)
        shape = self.layer.compute_output_shape(inputs_shape)
        if isinstance(shape[0], tuple | list):
            shape = shape[0]
        if tuple(shape) != tuple(inputs_shape):
            raise ValueError(
                f"`layer` must have outputs of the shape of its inputs, {tuple(inputs_shape)}. "
                f"Received: outputs of shape {tuple(shape)}"
            )

    def call(self, inputs, initial_state=None, mask=None, training=None):
        """Runs the layer and merges; see the class."""
        parameters = inspect.signature(self.layer.call).parameters
        given = {"initial_state": initial_state, "mask": mask, "training": training}
        if initial_state is not None and "initial_state" not in parameters:
            raise ValueError(
                "`initial_state` must be None for a layer without a state. "
                f"Received: a state for {type(self.layer).__name__}"
            )
        arguments = {name: x for name, x in given.items() if name in parameters and x is not None}
        results = self.layer(inputs, **arguments)
        if not isinstance(results, tuple | list):
            return self.merge(inputs, ops.cast(results, self.compute_dtype))
        outputs, *states = results
        return (self.merge(inputs, ops.cast(outputs, self.compute_dtype)), *states)

    def compute_mask(self, inputs, mask=None):
        """Returns the layer's mask."""
        return self.layer.compute_mask(inputs, mask)

    def compute_output_shape(self, inputs_shape, initial_state_shape=None):
        """Returns the shapes of what `call` returns."""
        return self.layer.compute_output_shape(inputs_shape)


@keras.saving.register_keras_serializable(package="kzoo")
class Residual(Connection):
    """Adds the input of a layer to its output.

        y = x + f(x)

    Source: He et al. 2015, "Deep residual learning for image recognition" (arXiv 1512.03385),
    Eq. 1; between stacked recurrent layers Wu et al. 2016, "Google's neural machine translation
    system" (arXiv 1609.08144), section 3.1.

    A mask passes to the layer and on; outputs at masked steps mean nothing.

    Args:
        layer: Layer whose outputs have the shape of its inputs, such as a `Recurrent` with
            `return_sequences=True`.

    Call arguments:
        inputs: `(batch, ..., features)`.
        initial_state: Optional list of tensors, for a recurrent layer.
        mask: Optional mask, for a layer that takes one.

    Returns:
        `(batch, ..., features)`, then the states of a layer that returns them.

    Raises:
        ValueError: the layer's outputs have another shape than its inputs.

    Example:

    >>> import numpy as np
    >>> from kzoo.layers import LSTMCell, Recurrent
    >>> layer = Residual(Recurrent(LSTMCell(3), return_sequences=True))
    >>> tuple(layer(np.ones((2, 5, 3), "float32")).shape)
    (2, 5, 3)
    """

    def merge(self, inputs, outputs):
        """Returns `x + f(x)`."""
        return inputs + outputs


@keras.saving.register_keras_serializable(package="kzoo")
class Highway(Connection):
    """Lets a gate choose between the input of a layer and its output.

        t = sigmoid(W x + b)
        y = t * f(x) + (1 - t) * x

    Source: Srivastava, Greff and Schmidhuber 2015, "Highway networks" (arXiv 1505.00387), Eq. 3;
    between stacked recurrent layers Zhang et al. 2015 (arXiv 1510.08983).

    Masks, call arguments and results are those of `Residual`.

    Args:
        layer: As in `Residual`.
        transform_bias: Initial value of `b`; below zero the gate starts by letting the input pass.

    Example:

    >>> import numpy as np
    >>> from kzoo.layers import LSTMCell, Recurrent
    >>> layer = Highway(Recurrent(LSTMCell(3), return_sequences=True))
    >>> tuple(layer(np.ones((2, 5, 3), "float32")).shape)
    (2, 5, 3)
    """

    def __init__(self, layer, transform_bias=-1.0, **kwargs):
        super().__init__(layer, **kwargs)
        self.transform_bias = transform_bias

    def build(self, inputs_shape, initial_state_shape=None):
        """Builds the layer and the gate."""
        super().build(inputs_shape)
        self.gate = keras.layers.Dense(
            inputs_shape[-1],
            "sigmoid",
            bias_initializer=keras.initializers.Constant(self.transform_bias),
            dtype=self.dtype_policy,
            name=f"{self.name}_gate",
        )
        self.gate.build(inputs_shape)

    def merge(self, inputs, outputs):
        """Returns `t * f(x) + (1 - t) * x`."""
        transform = self.gate(inputs)
        return transform * outputs + (1 - transform) * inputs

    def get_config(self):
        """Returns the constructor arguments."""
        return {**super().get_config(), "transform_bias": self.transform_bias}
