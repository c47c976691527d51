"""Unicode characters, or Korean letters, as tokens."""

from kzoo.text.characters import compose_jamo, jamo_map
from kzoo.text.checks import check_bool
from kzoo.text.lookup import LookupTokenizer


class CharacterTokenizer(LookupTokenizer):
    """One id for each Unicode code point.

    With `jamo=True` each Hangul syllable becomes its two or three letters (Unicode's NFD), so that
    some 11,000 syllables share 67 tokens; `detokenize` joins them again (NFC). Text that held
    bare conjoining jamo before comes back composed; all other text comes back as it was.

    Args:
        vocabulary: list of str without repeats, beginning with the four special tokens.
        lowercase: whether upper case is mapped to lower case.
        jamo: whether Hangul syllables are taken apart.

    Example:

    >>> tokenizer = CharacterTokenizer.train(["한국"], vocabulary_size=100, jamo=True)
    >>> len(tokenizer.tokenize("한국"))
    6
    >>> tokenizer.detokenize(tokenizer.tokenize("한국"))
    '한국'
    """

    name = "character"

    def __init__(self, vocabulary, lowercase=False, jamo=False):
        check_bool("jamo", jamo)
        super().__init__(vocabulary, lowercase, jamo_map() if jamo else None)
        self.jamo = jamo

    def get_config(self):
        """Return the constructor's arguments."""
        return {**super().get_config(), "jamo": self.jamo}

    def _split(self, text):
        return list(text)

    def _split_graph(self, texts):
        import tensorflow as tf

        return tf.strings.unicode_split(texts, "UTF-8")

    def _detokenize(self, ids):
        text = "".join(self.vocabulary[id] for id in ids)
        return compose_jamo(text) if self.jamo else text
