"""What the blocks of a Transformer share: normalization and the way around a sublayer."""

import keras

from kzoo.layers.feed_forward import FeedForward
from kzoo.layers.multi_head_attention import MultiHeadAttention

NORMALIZATIONS = {
    "layer_norm": keras.layers.LayerNormalization,
    "rms_norm": keras.layers.RMSNormalization,
}


class TransformerBlock(keras.layers.Layer):
    """Base of the blocks: sublayers, each with a way around it and a normalization.

        normalize_first: y = x + dropout(sublayer(norm(x)))
        otherwise:       y = norm(x + dropout(sublayer(x)))

    Args: see `TransformerEncoderBlock`.
    """

    def __init__(
        self,
        attention,
        feed_forward,
        normalization="layer_norm",
        normalize_first=False,
        epsilon=1e-5,
        dropout=0.0,
        **kwargs,
    ):
        _check("attention", attention, MultiHeadAttention)
        _check("feed_forward", feed_forward, FeedForward)
        if normalization not in NORMALIZATIONS:
            raise ValueError(
                f"`normalization` must be one of {list(NORMALIZATIONS)}. "
                f"Received: normalization={normalization!r}"
            )
        super().__init__(**kwargs)
        self.supports_masking = True
        self.attention = attention
        self.feed_forward = feed_forward
        self.normalization = normalization
        self.normalize_first = normalize_first
        self.epsilon = epsilon
        self.dropout = keras.layers.Dropout(dropout, dtype=self.dtype_policy)
        self.attention_normalization = self.make_normalization("attention_normalization")
        self.feed_forward_normalization = self.make_normalization("feed_forward_normalization")

    def make_normalization(self, name):
        """Returns a new normalization of the block's kind."""
        layer = NORMALIZATIONS[self.normalization](
            epsilon=self.epsilon, name=name, dtype=self.dtype_policy
        )
        # Keras's RMSNormalization does not say so, though it treats every step by itself.
        layer.supports_masking = True
        return layer

    def build(self, inputs_shape):
        """Builds the sublayers that every block has."""
        for layer in (self.attention, self.feed_forward):
            if not layer.built:
                layer.build(inputs_shape)
        self.attention_normalization.build(inputs_shape)
        self.feed_forward_normalization.build(inputs_shape)

    def around(self, sublayer, normalization, inputs, training=False):
        """Returns what a sublayer adds to its inputs, normalized before or after."""
        if self.normalize_first:
            return inputs + self.dropout(sublayer(normalization(inputs)), training=training)
        return normalization(inputs + self.dropout(sublayer(inputs), training=training))

    def feed(self, inputs, training=False):
        """Runs the feed-forward sublayer."""

        def sublayer(x):
            return self.feed_forward(x, training=training)

        return self.around(sublayer, self.feed_forward_normalization, inputs, training)

    def compute_output_shape(self, inputs_shape):
        """Returns the shape of the inputs."""
        return inputs_shape

    def get_config(self):
        """Returns the constructor arguments."""
        return {
            **super().get_config(),
            "attention": keras.saving.serialize_keras_object(self.attention),
            "feed_forward": keras.saving.serialize_keras_object(self.feed_forward),
            "normalization": self.normalization,
            "normalize_first": self.normalize_first,
            "epsilon": self.epsilon,
            "dropout": self.dropout.rate,
        }

    @classmethod
    def from_config(cls, config):
        """Rebuilds the block with its sublayers."""
        names = ("attention", "feed_forward", "cross_attention")
        layers = {
            name: keras.saving.deserialize_keras_object(config[name])
            for name in names
            if config.get(name)
        }
        return cls(**{**config, **layers})


def _check(name, layer, kind):
    if not isinstance(layer, kind):
        raise ValueError(
            f"`{name}` must be a kzoo.layers.{kind.__name__}. Received: {name}={layer!r}"
        )
