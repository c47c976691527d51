"""Words as tokens."""

from kzoo.text.lookup import LookupTokenizer
from kzoo.text.words import split_words, split_words_graph


class WordTokenizer(LookupTokenizer):
    """One id for each word, number and symbol, as `kzoo.text.words` splits them.

    Words are what spaces and symbols part; for a script that writes none (Chinese, Japanese, Thai)
    take characters or SentencePiece. `detokenize` joins with single spaces.

    Args:
        vocabulary: list of str without repeats, beginning with the four special tokens.
        lowercase: whether upper case is mapped to lower case.

    Example:

    >>> tokenizer = WordTokenizer.train(["a good film", "a bad film"], vocabulary_size=7)
    >>> tokenizer.vocabulary[4:]
    ['a', 'film', 'bad']
    >>> tokenizer.tokenize("a good film")
    [4, 1, 5]
    >>> tokenizer.detokenize([4, 1, 5])
    'a [UNK] film'
    """

    name = "word"

    def __init__(self, vocabulary, lowercase=False):
        super().__init__(vocabulary, lowercase)

    def _split(self, text):
        return split_words(text)

    def _split_graph(self, texts):
        return split_words_graph(texts)

    def _detokenize(self, ids):
        return " ".join(self.vocabulary[id] for id in ids)
