"""A Transformer from ids to the scores of the next ids: at once in training, step by step later."""

import keras
from keras import ops

from kzoo.layers.checks import check_sizes
from kzoo.layers.key_value_cache import advance, begin_place
from kzoo.layers.transformer_decoder_block import TransformerDecoderBlock
from kzoo.layers.transformer_stack import TransformerStack


@keras.saving.register_keras_serializable(package="kzoo")
class TransformerDecoder(TransformerStack):
    """A stack of decoder blocks from ids to the logits of the next ids.

        x_t = sqrt(size) E y_t + positions(t),   s = blocks(x),   logits_t = E s_t

    The same table `E` embeds the ids and scores them (Press and Wolf 2017, arXiv 1608.05859), or a
    second one where the embedding says so. After blocks that normalize first, one more
    normalization stands before the scores.

    Call it with all ids to train (teacher forcing). To decode, `begin` gives the state, `prefill`
    advances it by a prompt and `step` by one id, as `kzoo.decoding` asks. The state is a dict of
    tensors that begin with the batch axis:

        position       (batch,), the slot of the next step, the same in all rows
        mask           (batch, max_length), one at the slots that count
        blocks         for each block its keys and values, each
                       (batch, max_length, num_key_value_heads, head_dim)
        memory         for each block the keys and values of the memory, each
                       (batch, source, num_key_value_heads, head_dim)
        memory_mask    (batch, source)

    A step costs the same wherever it stands, but for attention, which reads `max_length` slots.

    Source: Vaswani et al. 2017 (arXiv 1706.03762), sections 3.1 and 3.4.

    Args:
        embedding: `keras.layers.ReversibleEmbedding`; id 0 is padding.
        blocks: List of `kzoo.layers.TransformerDecoderBlock`, all of them with a memory or none.
        positions: `SinusoidalPositions`, `LearnedPositions` or None, as where the attentions of the
            blocks have positions of their own.
        max_length: Positive integer, the slots of a cache where `begin` is given no other number.
        dropout: Fraction of features dropped after the positions.

    Call arguments:
        ids: `(batch, time)`, at each step the id before: the start id, then the target. Padding is
            on the right.
        memory: `(batch, source, size)`, for blocks that attend to one.
        memory_mask: Optional boolean `(batch, source)`.

    Returns:
        Logits `(batch, time, vocabulary_size)`.

    Example:

    >>> import numpy as np
    >>> from kzoo.layers import FeedForward, MultiHeadAttention
    >>> block = TransformerDecoderBlock(MultiHeadAttention(2, 4, causal=True), FeedForward(16))
    >>> decoder = TransformerDecoder(keras.layers.ReversibleEmbedding(20, 8), [block])
    >>> tuple(decoder(np.ones((2, 5), "int32")).shape)
    (2, 5, 20)
    >>> logits, state = decoder.step(np.ones(2, "int32"), decoder.begin(2, max_length=30))
    >>> tuple(logits.shape), tuple(state["blocks"][0][0].shape)
    ((2, 20), (2, 30, 2, 4))
    """

    embedding_class = keras.layers.ReversibleEmbedding
    block_class = TransformerDecoderBlock

    def __init__(self, embedding, blocks, positions=None, max_length=512, dropout=0.0, **kwargs):
        check_sizes(max_length=max_length)
        super().__init__(embedding, blocks, positions, dropout, **kwargs)
        if len({block.cross_attention is None for block in blocks}) > 1:
            raise ValueError("`blocks` must all have a `cross_attention`, or none of them.")
        self.max_length = max_length

    @property
    def attends(self):
        """Whether the decoder attends to a memory."""
        return self.blocks[0].cross_attention is not None

    @property
    def vocabulary_size(self):
        """Number of ids."""
        return self.embedding.input_dim

    def call(self, ids, memory=None, memory_mask=None, training=False):
        """Returns the logits of all steps; see the class."""
        outputs = self.embed(ids, None, training)
        attended = {"memory": memory, "memory_mask": memory_mask} if self.attends else {}
        for block in self.blocks:
            outputs = block(outputs, **attended, training=training)
        return self._score(outputs)

    def begin(self, batch_size, initial_state=None, memory=None, memory_mask=None, max_length=None):
        """Returns the state before the first step; see the class.

        Args:
            batch_size: Number of rows, an integer or a scalar tensor.
            initial_state: None or an empty list: what a recurrent decoder begins with.
            memory: As in a call.
            memory_mask: As in a call.
            max_length: Number of slots, an integer or a scalar tensor; no more ids may follow.
        """
        if initial_state:
            raise ValueError("`initial_state` must be None or empty for a TransformerDecoder.")
        max_length = self.max_length if max_length is None else max_length
        state = begin_place(batch_size, max_length)
        state["blocks"] = [block.begin(batch_size, max_length) for block in self.blocks]
        if self.attends:
            memory = ops.cast(memory, self.compute_dtype)
            state["memory"] = [block.remember(memory) for block in self.blocks]
            if memory_mask is None:
                state["memory_mask"] = ops.ones(ops.shape(memory)[:2], self.compute_dtype)
            else:
                state["memory_mask"] = ops.cast(memory_mask, self.compute_dtype)
        return state

    def prefill(self, ids, state, mask=None):
        """Returns `(logits, state)` after several ids for each row, as those of a prompt.

        Args:
            ids: `(batch, time)`.
            state: What `begin`, `prefill` or `step` returned.
            mask: Optional boolean `(batch, time)`, False at padding, by default where an id is 0.
                Padding may be on any side.
        """
        mask = ops.not_equal(ids, 0) if mask is None else mask
        outputs, state, _ = self._extend(ids, ops.cast(mask, "int32"), state)
        return self._score(outputs), state

    def step(self, ids, state):
        """Returns `(logits, state)` after one id for each row, `(batch,)`."""
        return self.attend(ids, state)[:2]

    def attend(self, ids, state):
        """Returns `(logits, state, alignments)`.

        Alignments are the mean of the weights of the last block's heads, `(batch, source)`, or None
        without a memory.
        """
        ids = ops.expand_dims(ids, 1)
        outputs, state, weights = self._extend(ids, ops.ones_like(ids, dtype="int32"), state)
        alignments = None if weights is None else ops.squeeze(ops.mean(weights, axis=1), 1)
        return ops.squeeze(self._score(outputs), 1), state, alignments

    def _extend(self, ids, mask, state):
        """Runs the blocks on the ids that come next."""
        place, span = advance(state, mask, self.compute_dtype)
        # Padding before the first id has no position; what stands there is never attended to.
        outputs = self.embed(ids, ops.maximum(span.positions, 0))
        memories = state["memory"] if self.attends else [None] * len(self.blocks)
        caches = []
        for block, cache, memory in zip(self.blocks, state["blocks"], memories, strict=True):
            outputs, cache, weights = block.extend(
                outputs, cache, span, memory, state.get("memory_mask")
            )
            caches.append(cache)
        return outputs, {**state, **place, "blocks": caches}, weights

    def _score(self, outputs):
        return self.embedding(self.normalize(outputs), reverse=True)

    def compute_output_shape(self, ids_shape, memory_shape=None):
        """Returns `(batch, time, vocabulary_size)`."""
        return (*ids_shape, self.vocabulary_size)

    def get_config(self):
        """Returns the constructor arguments."""
        return {**super().get_config(), "max_length": self.max_length}
