"""The tokenizer of taggers by TensorFlow operations, for a SavedModel that takes raw text."""

from kzoo.text.characters import character_table_graph, map_characters_graph, table_graph
from kzoo.text.checks import clean_graph
from kzoo.text.graph import GraphTokenizer
from kzoo.text.tokenizer import END_ID, START_ID, UNKNOWN_ID, pad_graph
from kzoo.text.words import split_clitics_graph, split_words_graph


class TaggingGraph(GraphTokenizer):
    """The path of `TaggingTokenizer` inside a graph: base of that class, which has all it reads."""

    def _build_graph(self, module):
        module.folded = character_table_graph(self._fold_map)
        module.letters = character_table_graph(self._letter_map)
        module.words = table_graph(self._words, UNKNOWN_ID)
        if self.characters is not None:
            module.characters = table_graph(self._characters, UNKNOWN_ID)

    def split_graph(self, texts):
        """Return what `split` gives, computed by TensorFlow operations.

        Args:
            texts: string tensor `(batch,)` of UTF-8; each invalid byte sequence becomes U+FFFD.

        Returns:
            String `tf.RaggedTensor` `(batch, None)`.
        """
        import tensorflow as tf

        texts = clean_graph(texts)
        if self.unit == "character":
            return tf.strings.unicode_split(texts, "UTF-8")
        words = split_words_graph(texts)
        return split_clitics_graph(words) if self.clitics else words

    def spell_graph(self, words):
        """Return what `character_ids` gives for words.

        Args:
            words: string `tf.RaggedTensor` `(batch, None)`.

        Returns:
            int32 `tf.RaggedTensor` `(batch, None, None)`.
        """
        import tensorflow as tf

        texts = map_characters_graph(words.flat_values, self.graph_module.letters)
        letters = tf.strings.unicode_split(texts, "UTF-8")
        begin = self.max_characters // 2
        starts, limits = letters.row_starts(), letters.row_limits()
        middle = tf.minimum(starts + begin, limits)
        last = tf.maximum(middle, limits - (self.max_characters - begin))
        kept = tf.concat([tf.ragged.range(starts, middle), tf.ragged.range(last, limits)], axis=1)
        letters = tf.gather(letters.flat_values, kept.flat_values)
        ids = kept.with_flat_values(self.graph_module.characters.lookup(letters))
        start, end = (tf.fill([ids.nrows(), 1], id) for id in (START_ID, END_ID))
        return words.with_flat_values(tf.concat([start, ids, end], axis=1))

    def call_graph(self, texts, max_length=None):
        """Return the inputs of a tagger, as a call gives them, by TensorFlow operations.

        Args:
            texts: string tensor `(batch,)` of UTF-8, or what `split_graph` makes of it.
            max_length: int, most words of a sentence; None keeps all of them.

        Returns:
            Dict of int32 tensors: `words`, `(batch, longest)`, and where characters are read
            `characters`, `(batch, longest, letters)`.
        """
        import tensorflow as tf

        words = texts if isinstance(texts, tf.RaggedTensor) else self.split_graph(texts)
        words = words[:, :max_length]
        module = self.graph_module
        ids = module.words.lookup(map_characters_graph(words.flat_values, module.folded))
        inputs = {"words": pad_graph(words.with_flat_values(ids))}
        if self.characters is not None:
            inputs["characters"] = pad_graph(self.spell_graph(words))
        return inputs
