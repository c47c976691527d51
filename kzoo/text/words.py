"""What a word is, for Python's `regex` and for TensorFlow's RE2 alike."""

import functools
import re
import sys

import regex

# L letters, M combining marks, N digits, Z spaces, Cc control characters (Unicode's categories).
# A word begins with a letter and may hold apostrophes inside ("don't"); a run of digits is a word;
# every other visible character stands alone.
_WORD = "[{L}][{L}{M}{N}]*(?:['\u2019][{L}][{L}{M}{N}]*)*|[{N}]+|[^{L}{N}{Z}{Cc}]"
_CATEGORIES = ["L", "M", "N", "Z", "Cc"]
# "don't" is two words in the treebanks of English, "do" and "n't"; so is "it's".
_CLITIC = "(?i)(.+?)(n['\u2019]t|['\u2019](?:s|m|d|re|ve|ll))$"
_PYTHON_WORD = regex.compile(_WORD.format(**{name: rf"\p{{{name}}}" for name in _CATEGORIES}))


def split_words(text):
    r"""Return the words, numbers and symbols of a text; spaces and control characters separate.

    Example:

    >>> split_words("It's 100% 진짜 재밌다!\n")
    ["It's", '100', '%', '진짜', '재밌다', '!']
    """
    return _PYTHON_WORD.findall(text)


def split_words_graph(texts):
    """Return the words of a string tensor `(batch,)` as a ragged string tensor `(batch, None)`."""
    import tensorflow as tf

    # A word keeps itself (group 1) and a separator nothing; both end in one plain space.
    spaced = tf.strings.regex_replace(texts, _graph_pattern(), r"\1 ")
    return tf.strings.split(spaced)


def split_clitic(word):
    """Return the one or two parts of a word of `split_words`: an English clitic is one by itself.

    Example:

    >>> split_clitic("don't"), split_clitic("film")
    (('do', "n't"), ('film',))
    """
    match = re.fullmatch(_CLITIC, word)
    return match.groups() if match else (word,)


def split_clitics_graph(words):
    """Return ragged words `(batch, None)` with each in the parts of `split_clitic`."""
    import tensorflow as tf

    # No word holds a space.
    parts = tf.strings.split(tf.strings.regex_replace(words.flat_values, _CLITIC, r"\1 \2"))
    return words.with_flat_values(parts).merge_dims(1, 2)


@functools.cache
def _graph_pattern():
    # RE2 knows an older Unicode than `regex`, so it gets the code points of each category.
    every_character = "".join(map(chr, range(sys.maxunicode + 1)))
    spans = {
        name: "".join(
            rf"\x{{{match.start():x}}}-\x{{{match.end() - 1:x}}}"
            for match in regex.finditer(rf"\p{{{name}}}+", every_character)
        )
        for name in _CATEGORIES
    }
    return "({word})|[{Z}{Cc}]+".format(word=_WORD.format(**spans), **spans)
