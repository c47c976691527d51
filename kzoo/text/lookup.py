"""Tokenizers whose tokens are looked up in a list: the shared part of words and characters."""

import collections

from kzoo.text.characters import lowercase_map, table_graph
from kzoo.text.checks import check_at_least, check_bool, clean, read_texts
from kzoo.text.tokenizer import SPECIAL_TOKENS, UNKNOWN_ID, Tokenizer


class LookupTokenizer(Tokenizer):
    """Splits a text into tokens and gives each the id of its place in the vocabulary.

    A subclass says how to split, in Python (`_split`) and in the graph (`_split_graph`).

    Args:
        vocabulary: list of str without repeats, beginning with the four special tokens.
        lowercase: whether upper case is mapped to lower case, each character by itself.
        character_map: dict from code point to str, of a subclass's own; applied after lower case.
    """

    def __init__(self, vocabulary, lowercase=False, character_map=None):
        _check_vocabulary(vocabulary)
        check_bool("lowercase", lowercase)
        lower = lowercase_map() if lowercase else {}
        super().__init__(list(vocabulary), lower | (character_map or {}))
        self.lowercase = lowercase
        self._ids = {token: id for id, token in enumerate(self.vocabulary)}

    @classmethod
    def train(cls, texts, vocabulary_size, **options):
        """Return a tokenizer with the most frequent tokens of a corpus.

        Args:
            texts: iterable of str.
            vocabulary_size: int, the largest size, the four special tokens included.
            **options: the constructor's arguments but `vocabulary`.

        Raises:
            ValueError: if the corpus holds no token, or `vocabulary_size` leaves room for none.
        """
        check_at_least("vocabulary_size", vocabulary_size, len(SPECIAL_TOKENS) + 1)
        counts = cls(SPECIAL_TOKENS, **options)._count_tokens(read_texts(texts))
        # Ties go by the token itself, so that the order of the corpus does not matter.
        tokens = sorted(counts, key=lambda token: (-counts[token], token))
        return cls((SPECIAL_TOKENS + tokens)[:vocabulary_size], **options)

    def get_config(self):
        """Return the constructor's arguments."""
        return {"vocabulary": self.vocabulary, "lowercase": self.lowercase}

    def _count_tokens(self, texts):
        counts = collections.Counter()
        for text in texts:
            counts.update(self._split(self._normalize(text)))
        if not counts:
            raise ValueError(f"texts: expected a corpus with tokens, came {len(texts)} empty texts")
        return counts

    def _tokenize(self, text):
        return [self._ids.get(token, UNKNOWN_ID) for token in self._split(text)]

    def _build_graph(self, module):
        super()._build_graph(module)
        module.ids = table_graph(self._ids, UNKNOWN_ID)

    def _tokenize_graph(self, texts):
        tokens = self._split_graph(texts)
        return tokens.with_flat_values(self.graph_module.ids.lookup(tokens.flat_values))

    def _split(self, text):
        raise NotImplementedError

    def _split_graph(self, texts):
        raise NotImplementedError


def _check_vocabulary(vocabulary):
    if not isinstance(vocabulary, list | tuple):
        raise ValueError(f"vocabulary: expected a list of str, came {vocabulary!r:.80}")
    if list(vocabulary[:4]) != SPECIAL_TOKENS:
        raise ValueError(f"vocabulary: expected first {SPECIAL_TOKENS}, came {vocabulary[:4]}")
    for index, token in enumerate(vocabulary):
        if not token or clean(token, f"vocabulary[{index}]") != token:
            raise ValueError(f"vocabulary[{index}]: expected UTF-8 text, came {token!r}")
    repeated = [token for token, count in collections.Counter(vocabulary).items() if count > 1]
    if repeated:
        raise ValueError(f"vocabulary: expected no token twice, came {repeated[:5]} more than once")
