"""UTF-8 bytes as tokens."""

from kzoo.text.characters import lowercase_map
from kzoo.text.checks import check_at_least, check_bool, read_texts
from kzoo.text.tokenizer import SPECIAL_TOKENS, UNKNOWN_ID, Tokenizer

_FIRST_BYTE_ID = len(SPECIAL_TOKENS)
_SIZE = _FIRST_BYTE_ID + 256


class ByteTokenizer(Tokenizer):
    """One id for each byte of the UTF-8 text: the byte plus 4. There is no unknown text.

    Args:
        lowercase: whether upper case is mapped to lower case.

    Example:

    >>> ByteTokenizer().tokenize("A한")
    [69, 241, 153, 160]
    >>> ByteTokenizer().detokenize([69, 241, 153, 160])
    'A한'
    """

    name = "byte"

    def __init__(self, lowercase=False):
        check_bool("lowercase", lowercase)
        vocabulary = SPECIAL_TOKENS + [f"<0x{byte:02X}>" for byte in range(256)]
        super().__init__(vocabulary, lowercase_map() if lowercase else None)
        self.lowercase = lowercase

    @classmethod
    def train(cls, texts, vocabulary_size=_SIZE, lowercase=False):
        """Return the tokenizer; a corpus teaches it nothing, but is checked as in the others."""
        check_at_least("vocabulary_size", vocabulary_size, _SIZE)
        if not any(read_texts(texts)):
            raise ValueError("texts: expected a corpus with tokens, came only empty texts")
        return cls(lowercase)

    def get_config(self):
        """Return the constructor's arguments."""
        return {"lowercase": self.lowercase}

    def _tokenize(self, text):
        return [byte + _FIRST_BYTE_ID for byte in text.encode()]

    def _tokenize_graph(self, texts):
        import tensorflow as tf

        characters = tf.strings.bytes_split(texts)
        codes = tf.io.decode_raw(characters.flat_values, "uint8", fixed_length=1)[:, 0]
        return characters.with_flat_values(tf.cast(codes, "int32") + _FIRST_BYTE_ID)

    def _detokenize(self, ids):
        unknown = SPECIAL_TOKENS[UNKNOWN_ID].encode()
        parts = [unknown if id == UNKNOWN_ID else bytes([id - _FIRST_BYTE_ID]) for id in ids]
        return b"".join(parts).decode(errors="replace")
