"""Checks of what users hand in, shared by the tokenizers."""

import re

import numpy as np

_SURROGATE = re.compile("[\ud800-\udfff]")


def clean(text, name="text"):
    """Return `text` as a string that UTF-8 can hold: a lone surrogate becomes U+FFFD.

    Raises:
        ValueError: if `text` is not a `str`; the message calls it `name`.
    """
    if not isinstance(text, str):
        raise ValueError(f"{name}: expected a str, came {text!r:.80} ({type(text).__name__})")
    return _SURROGATE.sub("\ufffd", text)


def clean_graph(texts):
    """Return a string tensor `(batch,)` as valid UTF-8; what was not becomes U+FFFD.

    Raises:
        ValueError: if `texts` is no such tensor.
    """
    import tensorflow as tf

    texts = tf.convert_to_tensor(texts)
    if texts.dtype != tf.string or texts.shape.rank != 1:
        raise ValueError(f"texts: expected a string tensor of shape (batch,), came {texts!r}")
    return tf.strings.unicode_transcode(texts, "UTF-8", "UTF-8", replacement_char=0xFFFD)


def read_texts(texts):
    """Return the strings of an iterable as a list of clean strings.

    Raises:
        ValueError: if `texts` is one string, is no iterable, or holds something else than strings.
    """
    if isinstance(texts, str) or not hasattr(texts, "__iter__"):
        raise ValueError(f"texts: expected an iterable of str, came {texts!r:.80}")
    return [clean(text, f"texts[{index}]") for index, text in enumerate(texts)]


def check_at_least(name, value, smallest):
    """Raise ValueError unless `value` is a whole number of at least `smallest`."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < smallest:
        raise ValueError(f"{name}: expected a whole number of at least {smallest}, came {value!r}")


def check_bool(name, value):
    """Raise ValueError unless `value` is True or False."""
    if not isinstance(value, bool):
        raise ValueError(f"{name}: expected a bool, came {value!r}")


def check_share(name, value):
    """Raise ValueError unless `value` is a number in (0, 1]."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 1:
        raise ValueError(f"{name}: expected a share in (0, 1], came {value!r}")
