"""Sentences as what a BERT that tags words reads: pieces, and where each word begins."""

import numpy as np

from kzoo.text.bert import BertTokenizer
from kzoo.text.bert_tagging_graph import BertTaggingGraph
from kzoo.text.checks import check_at_least
from kzoo.text.tagging import TaggingTokenizer
from kzoo.text.tokenizer import SPECIAL_TOKENS


class BertTaggingTokenizer(BertTaggingGraph):
    """Turns sentences into the inputs of `kzoo.models.bert_word_tagger`.

    The pieces of a sentence are those of its words, one word after the other. BERT's vocabulary
    often has no capital letters; the characters of a word keep them.

    Args:
        pieces: `BertTokenizer`, or a dict of its arguments. Its `max_length` cuts sentences: words
            that do not fit are left out, and get no tag.
        words: `TaggingTokenizer`, or a dict of its arguments, that splits texts and spells words.
        max_pieces: int, most pieces of a word; the rest of it is not read.

    Example:

    >>> pieces = BertTokenizer(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "in", "##s", "a"])
    >>> tokenizer = BertTaggingTokenizer(pieces, TaggingTokenizer(SPECIAL_TOKENS))
    >>> inputs = tokenizer(["Ins a?"])
    >>> inputs["ids"].tolist(), inputs["words"].tolist()
    ([[2, 5, 6, 7, 1, 3]], [[1, 3, 4]])
    """

    name = "bert_tagging"

    def __init__(self, pieces, words, max_pieces=16):
        check_at_least("max_pieces", max_pieces, 1)
        self.pieces = BertTokenizer(**pieces) if isinstance(pieces, dict) else pieces
        self.words = TaggingTokenizer(**words) if isinstance(words, dict) else words
        self.max_pieces = max_pieces
        self.split = self.words.split

    @classmethod
    def train(cls, pieces, sentences, spell=True, **options):
        """Return a tokenizer that knows the characters of a corpus.

        Args:
            pieces: `BertTokenizer`.
            sentences: list of lists of words.
            spell: whether characters are read.
            **options: arguments of `TaggingTokenizer`.
        """
        words = TaggingTokenizer.train(sentences, spell=spell, **options)
        # The words themselves are read in pieces.
        return cls(pieces, {**words.get_config(), "vocabulary": SPECIAL_TOKENS})

    @property
    def input_names(self):
        """The names of the arrays that a call makes."""
        spelled = [] if self.words.characters is None else ["characters"]
        return [*BertTokenizer.input_names, "words", *spelled]

    @property
    def character_vocabulary_size(self):
        """Number of character ids, or None."""
        return self.words.character_vocabulary_size

    @property
    def max_length(self):
        """The longest row of pieces, or None."""
        return self.pieces.max_length

    def row(self, words, max_length=None):
        """Return of a list of words the ids, the position of each word's first piece, and letters.

        Args:
            words: list of str.
            max_length: int, the longest row of pieces, in place of the tokenizer's own.

        Example:

        >>> pieces = BertTokenizer(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "in", "a"])
        >>> tokenizer = BertTaggingTokenizer(pieces, TaggingTokenizer(SPECIAL_TOKENS))
        >>> tokenizer.row(["in", "a"])
        ([2, 5, 6, 3], [1, 2], None)
        """
        ids, begins = [self.pieces.start_id], []
        limit = self.pieces.row_length(max_length, 2)
        for word in words:
            # A word of nothing but control characters has no piece.
            found = self.pieces.tokenize(word)[: self.max_pieces] or [self.pieces.unknown_id]
            if limit is not None and len(ids) + len(found) >= limit:
                break
            begins.append(len(ids))
            ids += found
        return [*ids, self.pieces.end_id], begins, self.words.character_ids(words[: len(begins)])

    def shape(self, rows):
        """Return the longest of what `row` returned: ids, words and letters of a word."""
        words = [word for _, _, spelled in rows for word in spelled or ()]
        return (
            max([1, *(len(ids) for ids, _, _ in rows)]),
            max([1, *(len(begins) for _, begins, _ in rows)]),
            max([1, *map(len, words)]),
        )

    def join(self, rows, shape=None):
        """Return the inputs of many rows, padded on the right.

        Args:
            rows: list of what `row` returned.
            shape: the three lengths to pad to, each at least that of `shape(rows)`.

        Returns:
            Dict of int32 NumPy arrays: `ids`, `mask` and `segment_ids`, `(batch, length)`, `words`,
            `(batch, words)`, where 0 is padding, and where characters are read `characters`,
            `(batch, words, letters)`.
        """
        length, longest, letters = shape or self.shape(rows)
        shapes = dict.fromkeys(BertTokenizer.input_names, (length,))
        shapes |= {"words": (longest,), "characters": (longest, letters)}
        inputs = {name: np.zeros((len(rows), *shapes[name]), "int32") for name in self.input_names}
        inputs["ids"][:] = self.pieces.pad_id
        for index, (ids, begins, spelled) in enumerate(rows):
            inputs["ids"][index, : len(ids)] = ids
            inputs["mask"][index, : len(ids)] = 1
            inputs["words"][index, : len(begins)] = begins
            for place, word in enumerate(spelled or ()):
                inputs["characters"][index, place, : len(word)] = word
        return inputs

    def __call__(self, sentences, max_length=None):
        """Return the inputs of a tagger, see `join`.

        Args:
            sentences: iterable of texts, or of lists of words. One bare text is refused.
            max_length: see `row`.
        """
        return self.join([self.row(words, max_length) for words in self.words.split_all(sentences)])

    def get_config(self):
        """Return the constructor's arguments as a dict that JSON can hold."""
        parts = {"pieces": self.pieces.get_config(), "words": self.words.get_config()}
        return {**parts, "max_pieces": self.max_pieces}
