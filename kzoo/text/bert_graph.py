"""BERT's tokenizer by TensorFlow operations, for a SavedModel that takes raw text.

What becomes of a character is read off the Python package, one character after the other, and
handed to the graph as tables: TensorFlow's own functions know another version of Unicode.
"""

import itertools
import sys
import unicodedata

from kzoo.text.characters import map_characters_graph, table_graph
from kzoo.text.checks import clean_graph
from kzoo.text.graph import GraphTokenizer

LONGEST_WORD = 100  # characters
_LONGEST_CHARACTER = 4  # bytes of UTF-8
_APART = "|"  # No other character becomes it, and it stays what it is.


class BertGraph(GraphTokenizer):
    """The path of `BertTokenizer` inside a graph: base of that class, which has all it reads.

    The ids are those of Python, but for one case: where accents are stripped, a few rare marks,
    such as Hangul's tones, are kept; several of them on one letter stay in the order they have,
    which in Python is that of Unicode.
    """

    def _build_graph(self, module):
        import tensorflow as tf
        import tensorflow_text

        normalizer, splitter = self._tokenizer.normalizer, self._tokenizer.pre_tokenizer
        dropped, alone, changed = character_rules(normalizer, splitter)
        module.dropped, module.alone = dropped, alone
        module.characters = table_graph(changed, "")
        module.pieces = tensorflow_text.FastWordpieceTokenizer(
            self.vocabulary,
            max_bytes_per_word=_LONGEST_CHARACTER * LONGEST_WORD,
            token_out_type=tf.int32,
            unknown_token=self.vocabulary[self.unknown_id],
            no_pretokenization=True,
        )

    def tokenize_graph(self, texts):
        """Return the ids of `tokenize`, computed by TensorFlow operations.

        Args:
            texts: string tensor `(batch,)` of UTF-8; invalid bytes are dropped.

        Returns:
            int32 `tf.RaggedTensor` `(batch, None)`.
        """
        import tensorflow as tf

        module = self.graph_module
        texts = tf.strings.regex_replace(clean_graph(texts), module.dropped, "")
        texts = map_characters_graph(texts, module.characters)
        words = tf.strings.split(tf.strings.regex_replace(texts, module.alone, r" \0 "))
        lengths = tf.strings.length(words.flat_values, "UTF8_CHAR")
        unknown = self.vocabulary[self.unknown_id]
        words = words.with_flat_values(tf.where(lengths > LONGEST_WORD, unknown, words.flat_values))
        return module.pieces.tokenize(words).merge_dims(1, 2)

    def call_graph(self, texts, max_length=None):
        """Return the inputs of many texts, computed by TensorFlow operations.

        Args:
            texts: string tensor `(batch,)` of UTF-8.
            max_length: see a call.

        Returns:
            Dict of int32 tensors `(batch, longest)`: `ids`, `mask` and `segment_ids`.
        """
        max_length = self.row_length(max_length, 2)
        ids = self.tokenize_graph(texts)
        if max_length is not None:
            size = max_length - 2
            ids = ids[:, :size] if self.truncation_side == "right" or not size else ids[:, -size:]
        return self.join_graph(ids)

    def join_graph(self, ids):
        """Return the inputs of rows of ids that have neither `[CLS]` nor `[SEP]`.

        Args:
            ids: int32 `tf.RaggedTensor` `(batch, None)`.

        Returns:
            Dict, see `call_graph`.
        """
        import tensorflow as tf

        start, end = (tf.fill([ids.nrows(), 1], id) for id in (self.start_id, self.end_id))
        ids = tf.concat([start, ids, end], axis=1)
        mask = tf.ones_like(ids).to_tensor(0)
        return {
            "ids": ids.to_tensor(self.pad_id),
            "mask": mask,
            "segment_ids": tf.zeros_like(mask),
        }


def character_rules(normalizer, splitter):
    """Return what BERT's tokenizer does with single characters.

    Args:
        normalizer: `tokenizers.normalizers.BertNormalizer`.
        splitter: `tokenizers.pre_tokenizers.BertPreTokenizer`.

    Returns:
        A regular expression of those that are dropped, one of those that are words by themselves,
        and a dict from those that become others to what they become.

    Example:

    >>> import tokenizers
    >>> splitter = tokenizers.pre_tokenizers.BertPreTokenizer()
    >>> normalizer = tokenizers.normalizers.BertNormalizer()
    >>> dropped, alone, changed = character_rules(normalizer, splitter)
    >>> changed["É"], "字" in changed
    ('e', False)
    """
    every = [chr(code) for code in range(sys.maxunicode + 1) if not 0xD800 <= code < 0xE000]
    every.remove(_APART)
    normal = normalizer.normalize_str(_APART.join(every)).split(_APART)
    pairs = list(zip(every, normal, strict=True))
    # A Chinese character comes with a space on either side; spaces of all kinds become a plain one.
    chinese = {new.strip(" ") for _, new in pairs if len(new) > 2 and new[0] == " "}
    changed = {old: new.strip(" ") or new for old, new in pairs if new}
    # Of two alike in a row, a word by itself is each of them and no other character. Letters,
    # numbers and what means nothing are none, and are many.
    others = (new for new in every if unicodedata.category(new)[0] not in "LNC")
    twice = "".join(2 * character for character in (_APART, *others))
    marks = {word for word, _ in splitter.pre_tokenize_str(twice) if len(word) == 1}
    return (
        _any_of(old for old, new in pairs if not new),
        _any_of(chinese | marks),
        {old: new for old, new in changed.items() if old != new},
    )


def _any_of(characters):
    """Returns the regular expression of RE2 for one of some characters."""
    places = enumerate(sorted(map(ord, characters)))
    runs = itertools.groupby(places, key=lambda place: place[1] - place[0])
    runs = [[code for _, code in run] for _, run in runs]
    return "[" + "".join(rf"\x{{{run[0]:x}}}-\x{{{run[-1]:x}}}" for run in runs) + "]"
