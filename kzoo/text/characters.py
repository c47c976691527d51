"""Maps from characters to strings: lower case, digits to 0, and Hangul syllables to jamo.

A map is a table of single characters on purpose. Python, TensorFlow's ICU and its RE2 each carry
another version of Unicode, so their own functions disagree on the newer letters; a table made in
Python and handed to the graph cannot disagree.
"""

import functools
import re
import sys
import unicodedata

_HANGUL_SYLLABLES = range(0xAC00, 0xD7A4)
_HANGUL_JAMO = re.compile("[\u1100-\u1112][\u1161-\u1175][\u11a8-\u11c2]?")


@functools.cache
def lowercase_map():
    """Return `{code point: lower case}` for every character that has one.

    Example:

    >>> "ÉTÉ".translate(lowercase_map())
    'été'
    """
    cased_planes = range(0x20000)  # no script with case lies beyond plane 1
    return {code: chr(code).lower() for code in cased_planes if chr(code).lower() != chr(code)}


@functools.cache
def zero_map():
    """Return `{code point: "0"}` for every other decimal digit, of whatever script.

    Example:

    >>> "1949, ٣".translate(zero_map())
    '0000, 0'
    """
    every = map(chr, range(sys.maxunicode + 1))
    return {ord(digit): "0" for digit in every if digit.isdecimal() and digit != "0"}


@functools.cache
def jamo_map():
    """Return `{code point: two or three jamo}` for every Hangul syllable (Unicode's NFD).

    Example:

    >>> [hex(ord(jamo)) for jamo in "한".translate(jamo_map())]
    ['0x1112', '0x1161', '0x11ab']
    """
    return {code: unicodedata.normalize("NFD", chr(code)) for code in _HANGUL_SYLLABLES}


def compose_jamo(text):
    """Join jamo to Hangul syllables (Unicode's NFC) and leave all other characters alone.

    Example:

    >>> compose_jamo("한글 e\u0301".translate(jamo_map())) == "한글 e\u0301"
    True
    """
    return _HANGUL_JAMO.sub(lambda jamo: unicodedata.normalize("NFC", jamo[0]), text)


def compose_jamo_graph(texts):
    """Return what `compose_jamo` gives for every string of a tensor `(batch,)`."""
    import tensorflow as tf

    characters = tf.strings.unicode_decode(texts, "UTF-8")
    codes = characters.to_tensor(0)
    # The letters that a syllable of two or three would have, were it to begin at each place.
    places = tf.pad(codes, [[0, 0], [0, 2]])
    lead, vowel, tail = codes - 0x1100, places[:, 1:-1] - 0x1161, places[:, 2:] - 0x11A7
    begins = (lead >= 0) & (lead < 19) & (vowel >= 0) & (vowel < 21)
    tail = tf.where(begins & (tail > 0) & (tail < 28), tail, 0)
    codes = tf.where(begins, 0xAC00 + (lead * 21 + vowel) * 28 + tail, codes)
    inside = tf.pad(begins, [[0, 0], [1, 0]])[:, :-1]
    inside |= tf.pad(tail > 0, [[0, 0], [2, 0]])[:, :-2]
    keep = tf.sequence_mask(characters.row_lengths(), tf.shape(codes)[1]) & ~inside
    return tf.strings.unicode_encode(tf.ragged.boolean_mask(codes, keep), "UTF-8")


def table_graph(values, default):
    """Return the `tf.lookup.StaticHashTable` of a dict, which gives `default` for other keys."""
    import tensorflow as tf

    initializer = tf.lookup.KeyValueTensorInitializer(list(values), list(values.values()))
    return tf.lookup.StaticHashTable(initializer, default)


def character_table_graph(character_map):
    """Return the table of a map for `map_characters_graph`, or None for a map of nothing."""
    changed = {chr(code): new for code, new in character_map.items()}
    return table_graph(changed, "") if changed else None


def map_characters_graph(texts, table):
    """Apply a map to a string tensor `(batch,)`.

    Args:
        texts: the tensor, of valid UTF-8.
        table: gives "" for what stays as it is; None leaves all of it.
    """
    import tensorflow as tf

    if table is None:
        return texts
    characters = tf.strings.unicode_split(texts, "UTF-8")
    mapped = table.lookup(characters.flat_values)
    mapped = tf.where(mapped == "", characters.flat_values, mapped)
    # reduce_join and value_rowids would make a dense table, as wide as the longest row.
    rows = tf.searchsorted(characters.row_splits, tf.range(tf.size(mapped, tf.int64)), "right") - 1
    return tf.strings.unsorted_segment_join(mapped, rows, characters.nrows())
