"""The contract that every tokenizer keeps: ids, padding, saving, and the path inside a graph."""

import operator

import numpy as np

from kzoo.text.characters import character_table_graph, map_characters_graph
from kzoo.text.checks import check_at_least, clean, clean_graph, read_texts
from kzoo.text.graph import GraphTokenizer

SPECIAL_TOKENS = ["[PAD]", "[UNK]", "[START]", "[END]"]
PAD_ID, UNKNOWN_ID, START_ID, END_ID = range(4)


class Tokenizer(GraphTokenizer):
    """Turns strings into ids below `vocabulary_size`, and back.

    Ids 0 to 3 are `[PAD]`, `[UNK]`, `[START]` and `[END]` in every tokenizer: `pad_id`,
    `unknown_id`, `start_id` and `end_id`. None of them but `[UNK]` is ever made from text, not even
    from the text "[PAD]", and no model is to write `unwritten_ids`, all but the end. A subclass
    offers `train(texts, vocabulary_size, ...)`, where `vocabulary_size` is an upper bound: a small
    corpus gives a smaller vocabulary.

    The same ids come from two paths: `tokenize` in plain Python, which needs no TensorFlow, and
    `tokenize_graph`, made of TensorFlow operations for a SavedModel that takes raw text.

    Args:
        vocabulary: list of str, the token of each id, beginning with the four special ones.
        character_map: dict from code point to str, applied to the text before anything else.

    Call arguments:
        texts: iterable of str.
        max_length: int, where longer rows are cut; None keeps every row whole.

    Returns:
        int32 NumPy array `(batch, longest)`, padded with 0 on the right.

    Example:

    >>> from kzoo.text import ByteTokenizer
    >>> tokenizer = ByteTokenizer()
    >>> tokenizer(["abc", "d"]).tolist()
    [[101, 102, 103], [104, 0, 0]]
    >>> tokenizer.vocabulary_size, tokenizer.detokenize([101, 102, 0])
    (260, 'ab')
    """

    pad_id, unknown_id, start_id, end_id = PAD_ID, UNKNOWN_ID, START_ID, END_ID
    unwritten_ids = (PAD_ID, UNKNOWN_ID, START_ID)

    def __init__(self, vocabulary, character_map=None):
        self.vocabulary = vocabulary
        self._character_map = character_map or {}

    @property
    def vocabulary_size(self):
        """Number of ids, the special ones included."""
        return len(self.vocabulary)

    def tokenize(self, text):
        """Return the ids of one string as a list of int, without start and end."""
        return self._tokenize(self._normalize(text))

    def detokenize(self, ids):
        """Return the text of a flat sequence of ids; `[PAD]`, `[START]` and `[END]` vanish.

        Raises:
            ValueError: if an id is no integer or lies outside `[0, vocabulary_size)`.
        """
        try:
            ids = [operator.index(id) for id in ids]
        except TypeError as error:
            raise ValueError(f"ids: expected a flat sequence of int, came {ids!r:.80}") from error
        for id in ids:
            if not 0 <= id < self.vocabulary_size:
                raise ValueError(f"ids: expected 0 <= id < {self.vocabulary_size}, came {id}")
        return self._detokenize([id for id in ids if id not in (PAD_ID, START_ID, END_ID)])

    def __call__(self, texts, max_length=None):
        """Return the ids of many strings, padded with 0 on the right.

        Args:
            texts: iterable of str. One bare string is refused, to tell it from a batch.
            max_length: int, where longer rows are cut; None keeps every row whole.

        Returns:
            int32 NumPy array `(batch, longest)`. `longest` is at least 1, so that an empty text
            is one `[PAD]` and not an array without steps.
        """
        if max_length is not None:
            check_at_least("max_length", max_length, 1)
        rows = [self.tokenize(text)[:max_length] for text in read_texts(texts)]
        batch = np.zeros((len(rows), max([1, *map(len, rows)])), "int32")
        for row, ids in zip(batch, rows, strict=True):
            row[: len(ids)] = ids
        return batch

    def tokenize_graph(self, texts):
        """Return the ids of `tokenize`, computed by TensorFlow operations.

        Args:
            texts: string tensor `(batch,)` of UTF-8; each invalid byte sequence becomes U+FFFD.

        Returns:
            int32 `tf.RaggedTensor` `(batch, None)`.
        """
        texts = map_characters_graph(clean_graph(texts), self.graph_module.characters)
        return self._tokenize_graph(texts)

    def call_graph(self, texts, max_length=None):
        """Return the ids of many strings, as a call gives them, by TensorFlow operations.

        Args:
            texts: string tensor `(batch,)` of UTF-8.
            max_length: int, where longer rows are cut; None keeps every row whole.

        Returns:
            int32 tensor `(batch, longest)`.
        """
        return pad_graph(self.tokenize_graph(texts)[:, :max_length])

    def _normalize(self, text):
        return clean(text).translate(self._character_map)

    def _tokenize(self, text):
        raise NotImplementedError

    def _detokenize(self, ids):
        raise NotImplementedError

    def _build_graph(self, module):
        module.characters = character_table_graph(self._character_map)

    def _tokenize_graph(self, texts):
        raise NotImplementedError


def pad_graph(rows):
    """Return ragged ids as a dense tensor, padded with 0 on the right.

    Args:
        rows: `tf.RaggedTensor` of integers.

    Returns:
        Tensor of which no axis is empty but the first: a batch of empty rows is a step of padding.
    """
    import tensorflow as tf

    dense = rows.to_tensor(PAD_ID)
    missing = tf.maximum(1 - tf.shape(dense)[1:], 0)
    return tf.pad(dense, tf.pad(missing[:, None], [[1, 0], [1, 0]]))
