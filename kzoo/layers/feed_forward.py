"""The position-wise feed-forward network of a Transformer."""

import functools

import keras
from keras import ops

from kzoo.layers.checks import check_sizes

ACTIVATIONS = {
    "relu": ops.relu,
    "gelu": functools.partial(ops.gelu, approximate=False),
    "gelu_tanh": functools.partial(ops.gelu, approximate=True),
    "swiglu": ops.silu,
}


@keras.saving.register_keras_serializable(package="kzoo")
class FeedForward(keras.layers.Layer):
    """Two dense layers, the same at every position.

        y = activation(x W_1 + b_1) W_2 + b_2
        swiglu: y = (silu(x W_1 + b_1) * (x V + c)) W_2 + b_2,   silu(z) = z sigmoid(z)

    Sources: Vaswani et al. 2017 (arXiv 1706.03762), Eq. 2; Hendrycks and Gimpel 2016 (arXiv
    1606.08415) for "gelu" and its tanh form "gelu_tanh"; Shazeer 2020 (arXiv 2002.05202), Eq. 6.

    Args:
        hidden_dim: Positive integer, the width between the layers.
        activation: "relu", "gelu", "gelu_tanh" or "swiglu".
        use_bias: Whether the layers have a bias.
        dropout: Fraction of features dropped between the layers.

    Call arguments:
        inputs: `(batch, time, features)`.

    Returns:
        Like `inputs`.

    Example:

    >>> import numpy as np
    >>> layer = FeedForward(8, "swiglu", use_bias=False)
    >>> tuple(layer(np.ones((2, 5, 3), "float32")).shape), len(layer.weights)
    ((2, 5, 3), 3)
    """

    def __init__(self, hidden_dim, activation="relu", use_bias=True, dropout=0.0, **kwargs):
        check_sizes(hidden_dim=hidden_dim)
        if activation not in ACTIVATIONS:
            raise ValueError(
                f"`activation` must be one of {list(ACTIVATIONS)}. "
                f"Received: activation={activation!r}"
            )
        super().__init__(**kwargs)
        self.supports_masking = True
        self.hidden_dim = hidden_dim
        self.activation = activation
        self.use_bias = use_bias
        self.dropout = keras.layers.Dropout(dropout, dtype=self.dtype_policy)
        self.hidden_projection = self._dense("hidden", hidden_dim)
        self.gate_projection = None
        if activation == "swiglu":
            self.gate_projection = self._dense("gate", hidden_dim)
        self.output_projection = None

    def _dense(self, name, units):
        return keras.layers.Dense(units, use_bias=self.use_bias, name=name, dtype=self.dtype_policy)

    def build(self, inputs_shape):
        """Builds the dense layers."""
        self.hidden_projection.build(inputs_shape)
        if self.gate_projection is not None:
            self.gate_projection.build(inputs_shape)
        self.output_projection = self._dense("output", inputs_shape[-1])
        self.output_projection.build((*inputs_shape[:-1], self.hidden_dim))

    def call(self, inputs, training=False):
        """Runs both layers; see the class."""
        hidden = ACTIVATIONS[self.activation](self.hidden_projection(inputs))
        if self.gate_projection is not None:
            hidden = hidden * self.gate_projection(inputs)
        return self.output_projection(self.dropout(hidden, training=training))

    def compute_output_shape(self, inputs_shape):
        """Returns the shape of the inputs."""
        return inputs_shape

    def get_config(self):
        """Returns the constructor arguments."""
        return {
            **super().get_config(),
            "hidden_dim": self.hidden_dim,
            "activation": self.activation,
            "use_bias": self.use_bias,
            "dropout": self.dropout.rate,
        }
