"""From ids to texts by TensorFlow operations, for a SavedModel that gives texts."""

from kzoo.text.byte import ByteTokenizer
from kzoo.text.character import CharacterTokenizer
from kzoo.text.characters import compose_jamo_graph
from kzoo.text.checks import clean_graph
from kzoo.text.sentence_piece import SentencePieceTokenizer
from kzoo.text.tokenizer import UNKNOWN_ID
from kzoo.text.word import WordTokenizer
from kzoo.text.word_piece import WordPieceTokenizer

_SPACE = "\u2581"  # SentencePiece's mark of a space.
# What stands between two tokens, and what is then replaced, as pairs for `tf.strings`.
_RULES = {
    ByteTokenizer: ("", ()),
    CharacterTokenizer: ("", ()),
    SentencePieceTokenizer: ("", ((f"^(?:{_SPACE})+", ""), (_SPACE, " "))),
    WordPieceTokenizer: (" ", ((" ##", ""),)),
    WordTokenizer: (" ", ()),
}


def detokenize_graph(tokenizer, ids):
    """Return what `tokenizer.detokenize` gives for every row of ids.

    Args:
        tokenizer: a `kzoo.text.Tokenizer`.
        ids: int32 tensor `(batch, time)`; `[PAD]`, `[START]` and `[END]` vanish.

    Returns:
        String tensor `(batch,)` of UTF-8.

    Raises:
        ValueError: for another tokenizer.

    Example:

    >>> from kzoo.text import WordTokenizer
    >>> tokenizer = WordTokenizer.train(["a good film"], vocabulary_size=7)
    >>> detokenize_graph(tokenizer, [[4, 5, 3, 0]]).numpy()[0].decode()
    'a film'
    """
    import tensorflow as tf

    if type(tokenizer) not in _RULES:
        names = ", ".join(kind.name for kind in _RULES)
        raise ValueError(f"tokenizer: expected one of {names}, came {tokenizer.name!r}")
    separator, replacements = _RULES[type(tokenizer)]
    surfaces = [token.encode() for token in tokenizer.vocabulary]
    if isinstance(tokenizer, ByteTokenizer):
        surfaces[-256:] = [bytes([byte]) for byte in range(256)]
    # A SentencePiece model chooses how it writes what it does not know.
    surfaces[UNKNOWN_ID] = tokenizer.detokenize([UNKNOWN_ID]).encode()
    vanish = [tokenizer.pad_id, tokenizer.start_id, tokenizer.end_id]
    ids = tf.convert_to_tensor(ids)
    keep = tf.reduce_all(tf.expand_dims(ids, -1) != tf.constant(vanish, ids.dtype), axis=-1)
    kept = tf.ragged.boolean_mask(ids, keep)
    tokens = kept.with_flat_values(tf.gather(tf.constant(surfaces), kept.flat_values))
    texts = tf.strings.reduce_join(tokens, axis=-1, separator=separator)
    for pattern, replacement in replacements:
        texts = tf.strings.regex_replace(texts, pattern, replacement)
    if getattr(tokenizer, "jamo", False):
        return compose_jamo_graph(texts)
    # Bytes need not make characters.
    return clean_graph(texts)
