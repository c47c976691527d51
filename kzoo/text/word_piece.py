"""Pieces of words as tokens: WordPiece."""

import collections

import tokenizers

from kzoo.text.checks import check_at_least, check_share, read_texts
from kzoo.text.lookup import LookupTokenizer
from kzoo.text.tokenizer import SPECIAL_TOKENS, UNKNOWN_ID
from kzoo.text.words import split_words, split_words_graph

_SUFFIX = "##"
_LONGEST_WORD = 100  # bytes of UTF-8


class WordPieceTokenizer(LookupTokenizer):
    """Splits into words as `WordTokenizer` does, and each word into its longest known pieces.

    Pieces are taken greedily from the left; one that goes on inside a word begins with "##". A word
    that cannot be spelt, or is longer than 100 bytes, is one `[UNK]`. `detokenize` joins the
    words with single spaces. Source: Schuster and Nakajima 2012; Devlin et al., arXiv:1810.04805.

    Args:
        vocabulary: list of str without repeats, beginning with the four special tokens.
        lowercase: whether upper case is mapped to lower case.

    Example:

    >>> tokenizer = WordPieceTokenizer.train(["low lower lowest"] * 9, vocabulary_size=30)
    >>> tokenizer.detokenize(tokenizer.tokenize("slow") + tokenizer.tokenize("lower"))
    '[UNK] lower'
    """

    name = "word_piece"

    def __init__(self, vocabulary, lowercase=False):
        super().__init__(vocabulary, lowercase)
        self._model = tokenizers.models.WordPiece(
            self._ids,
            unk_token=SPECIAL_TOKENS[UNKNOWN_ID],
            max_input_chars_per_word=_LONGEST_WORD,
        )

    @classmethod
    def train(cls, texts, vocabulary_size, lowercase=False, character_coverage=0.9995):
        """Return a tokenizer with pieces merged from a corpus, the same in every run.

        Args:
            texts: iterable of str.
            vocabulary_size: int, the largest size, the four special tokens included.
            lowercase: whether upper case is mapped to lower case.
            character_coverage: share of all characters in the corpus that must be known; the
                rarest ones beyond it stay unknown.

        Raises:
            ValueError: if the corpus holds no words, or its characters alone need more ids.
        """
        words = cls(SPECIAL_TOKENS, lowercase)._count_tokens(read_texts(texts))
        pieces = train_pieces(words, SPECIAL_TOKENS, vocabulary_size, character_coverage)
        return cls(pieces, lowercase)

    def _split(self, text):
        return split_words(text)

    def _tokenize(self, text):
        return [id for word in self._split(text) for id in self._word_ids(word)]

    def _word_ids(self, word):
        if len(word.encode()) > _LONGEST_WORD:
            return [UNKNOWN_ID]
        return [token.id for token in self._model.tokenize(word)]

    def _build_graph(self, module):
        import tensorflow as tf
        import tensorflow_text

        super()._build_graph(module)
        module.pieces = tensorflow_text.FastWordpieceTokenizer(
            self.vocabulary,
            suffix_indicator=_SUFFIX,
            max_bytes_per_word=_LONGEST_WORD,
            token_out_type=tf.int32,
            unknown_token=SPECIAL_TOKENS[UNKNOWN_ID],
            no_pretokenization=True,
        )

    def _tokenize_graph(self, texts):
        words = split_words_graph(texts)
        return self.graph_module.pieces.tokenize(words).merge_dims(1, 2)

    def _detokenize(self, ids):
        return " ".join(self.vocabulary[id] for id in ids).replace(f" {_SUFFIX}", "")


def train_pieces(words, special_tokens, vocabulary_size, character_coverage):
    """Return the special tokens and the pieces that a corpus is merged into.

    Args:
        words: `collections.Counter` of the words of the corpus.
        special_tokens: list of str, what the vocabulary begins with.
        vocabulary_size: int, the largest size, the special tokens included.
        character_coverage: share of all characters in the corpus that must be known; the rarest
            ones beyond it stay unknown.

    Raises:
        ValueError: if the characters alone need more ids.

    Example:

    >>> words = collections.Counter({"low": 5, "lower": 3})
    >>> train_pieces(words, ["[PAD]"], 14, 1.0)[10:]
    ['lo', 'low', '##er', 'lower']
    """
    check_share("character_coverage", character_coverage)
    known = _covering_characters(words, character_coverage)
    words = {
        word: count
        for word, count in words.items()
        if known.issuperset(word) and len(word.encode()) <= _LONGEST_WORD
    }
    inside = {_SUFFIX + character for word in words for character in word[1:]}
    # The trainer would number these pieces in the random order of a hash map, and its merges
    # depend on the numbers: handing them over in order is what makes training repeatable.
    alphabet = special_tokens + sorted(known) + sorted(inside)
    check_at_least("vocabulary_size", vocabulary_size, len(alphabet))

    model = tokenizers.Tokenizer(tokenizers.models.WordPiece())
    model.pre_tokenizer = tokenizers.pre_tokenizers.CharDelimiterSplit(" ")
    trainer = tokenizers.trainers.WordPieceTrainer(
        vocab_size=vocabulary_size,
        special_tokens=alphabet,
        continuing_subword_prefix=_SUFFIX,
        show_progress=False,
    )
    model.train_from_iterator((f"{word} " * words[word] for word in sorted(words)), trainer)
    ids = model.get_vocab()
    return sorted(ids, key=ids.get)


def _covering_characters(words, coverage):
    counts = collections.Counter()
    for word, count in words.items():
        for character in word:
            counts[character] += count
    known, seen = set(), 0
    for character in sorted(counts, key=lambda character: (-counts[character], character)):
        if seen >= coverage * counts.total():
            break
        known.add(character)
        seen += counts[character]
    return known
