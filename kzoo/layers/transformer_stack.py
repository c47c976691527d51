"""What a Transformer's encoder and decoder share: embedding, positions, blocks, normalization."""

import keras

from kzoo.layers.positions import Positions


class TransformerStack(keras.layers.Layer):
    """Base of `TransformerEncoder` and `TransformerDecoder`, which describe the arguments.

    Subclasses name the classes of their parts in `embedding_class` and `block_class`.
    """

    embedding_class = keras.layers.Embedding
    block_class = keras.layers.Layer

    def __init__(self, embedding, blocks, positions=None, dropout=0.0, **kwargs):
        if not isinstance(embedding, self.embedding_class):
            raise ValueError(
                f"`embedding` must be a keras.layers.{self.embedding_class.__name__}. "
                f"Received: embedding={embedding!r}"
            )
        if not blocks or not all(isinstance(block, self.block_class) for block in blocks):
            raise ValueError(
                f"`blocks` must be a list of kzoo.layers.{self.block_class.__name__}. "
                f"Received: blocks={blocks!r}"
            )
        if positions is not None and not isinstance(positions, Positions):
            raise ValueError(
                "`positions` must be SinusoidalPositions, LearnedPositions or None. "
                f"Received: positions={positions!r}"
            )
        super().__init__(**kwargs)
        self.embedding = embedding
        self.blocks = blocks
        self.positions = positions
        self.dropout = keras.layers.Dropout(dropout, dtype=self.dtype_policy)
        self.normalization = None
        if blocks[-1].normalize_first:
            self.normalization = blocks[-1].make_normalization("normalization")

    def build(self, ids_shape, memory_shape=None):
        """Builds the embedding, the positions, the blocks and the last normalization."""
        shape = (*ids_shape, self.embedding.output_dim)
        if not self.embedding.built:
            self.embedding.build()
        if self.positions is not None and not self.positions.built:
            self.positions.build(shape)
        for block in self.blocks:
            if not block.built:
                block.build(shape, *([] if memory_shape is None else [memory_shape]))
        if self.normalization is not None:
            self.normalization.build(shape)

    def embed(self, ids, positions=None, training=False):
        """Returns what enters the first block: `sqrt(size) E y_t`, with positions."""
        outputs = self.embedding(ids) * self.embedding.output_dim**0.5
        if self.positions is not None:
            outputs = self.positions(outputs, positions)
        return self.dropout(outputs, training=training)

    def normalize(self, outputs):
        """Returns what the last block gives, normalized where the blocks normalize first."""
        return outputs if self.normalization is None else self.normalization(outputs)

    def get_config(self):
        """Returns the constructor arguments."""
        serialize = keras.saving.serialize_keras_object
        # By this id a table that an encoder and a decoder share is loaded as one: Keras's own
        # marks do not reach layers within layers.
        embedding = {**serialize(self.embedding), "shared_object_id": id(self.embedding)}
        return {
            **super().get_config(),
            "embedding": embedding,
            "blocks": [serialize(block) for block in self.blocks],
            "positions": None if self.positions is None else serialize(self.positions),
            "dropout": self.dropout.rate,
        }

    @classmethod
    def from_config(cls, config):
        """Rebuilds the stack with its layers."""
        deserialize = keras.saving.deserialize_keras_object
        blocks = [deserialize(block) for block in config["blocks"]]
        layers = {
            name: config[name] and deserialize(config[name]) for name in ("embedding", "positions")
        }
        return cls(**{**config, **layers, "blocks": blocks})
