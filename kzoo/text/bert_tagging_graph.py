"""The tokenizer of a BERT that tags words, by TensorFlow operations."""

from kzoo.text.graph import GraphTokenizer
from kzoo.text.tokenizer import pad_graph


class BertTaggingGraph(GraphTokenizer):
    """The path of `BertTaggingTokenizer` inside a graph: base of that class, which has the rest.

    The words are those of Python, and their pieces but for the case that `BertGraph` names.
    """

    def _build_graph(self, module):
        module.parts = [self.pieces.graph_module, self.words.graph_module]

    def split_graph(self, texts):
        """Return what `split` gives, see `TaggingGraph.split_graph`."""
        return self.words.split_graph(texts)

    def call_graph(self, texts, max_length=None):
        """Return the inputs of a tagger, as a call gives them, by TensorFlow operations.

        Args:
            texts: string tensor `(batch,)` of UTF-8, or what `split_graph` makes of it.
            max_length: see a call.

        Returns:
            Dict of int32 tensors, see `join`.
        """
        import tensorflow as tf

        limit = self.pieces.row_length(max_length, 2)
        words = texts if isinstance(texts, tf.RaggedTensor) else self.split_graph(texts)
        # No word has less than a piece.
        words = words[:, : None if limit is None else limit - 2]
        pieces = self._pieces_graph(words.flat_values)
        counts = words.with_flat_values(pieces.row_lengths()).to_tensor(0)
        ends = 1 + tf.cumsum(counts, axis=1)
        fits = counts > 0
        if limit is not None:
            fits &= ends < limit
        kept = tf.reduce_sum(tf.cast(fits, "int64"), axis=1)
        places = tf.ragged.range(words.row_starts(), words.row_starts() + kept)
        begins = tf.RaggedTensor.from_tensor(tf.cast(ends - counts, "int32"), lengths=kept)
        inputs = self.pieces.join_graph(tf.gather(pieces, places).merge_dims(1, 2))
        inputs["words"] = pad_graph(begins)
        if self.words.characters is not None:
            kept_words = tf.gather(words.flat_values, places)
            inputs["characters"] = pad_graph(self.words.spell_graph(kept_words))
        return inputs

    def _pieces_graph(self, words):
        """Returns the ids of each word of a string tensor, ragged; no word is without one."""
        import tensorflow as tf

        pieces = self.pieces.tokenize_graph(words)[:, : self.max_pieces]
        missing = pieces.row_lengths() == 0
        unknown = tf.fill([tf.math.count_nonzero(missing)], self.pieces.unknown_id)
        unknown = tf.RaggedTensor.from_row_lengths(unknown, tf.cast(missing, "int64"))
        return tf.concat([pieces.with_row_splits_dtype("int64"), unknown], axis=1)
