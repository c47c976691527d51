"""Words and names with what they are: the tagged sentences, word by word or name by name."""

import numpy as np

from kzoo.data.splits import hold_out
from kzoo.data.tagging import load_tagging
from kzoo.data.text_classification import LabelledTexts, TextClassification

# Of the different words of a class, those of each of the two parts that are held out.
_FRACTION = 0.1
# Longer names are quotations more often than not.
_LONGEST = 24
# These are no words.
_LEFT_OUT = ("PUNCT", "SYM", "X", "NUM")


def load_names(name, folder=None):
    """Loads words with their parts of speech, or names with the kind of what has them.

    They are the words, or the entities, of a set of tagged sentences, each once a class, in lower
    case where the set is one of parts of speech: there, that a sentence begins is no matter of the
    word. Punctuation, symbols, numbers and foreign words are left out, and so is what has more than
    24 characters. A tenth is held out for validation and a tenth for the test, and no word is in
    two parts, not even with two classes.

    Args:
        name: one of `kzoo.data.list_tagging()`.
        folder: see `load_tagging`.

    Returns:
        A `TextClassification`.

    Raises:
        ValueError, FileNotFoundError: see `load_tagging`.

    Example:

    >>> names = load_names("ner_ko")
    >>> names.class_names
    ['DT', 'LC', 'OG', 'PS', 'QT', 'TI']
    """
    tagging = load_tagging(name, folder)
    is_entity = "O" in tagging.tag_names
    read = _entities if is_entity else _words
    joint = "" if tagging.unit == "character" else " "
    found = {
        (text.strip(), kind)
        for part in (tagging.train, tagging.validation, tagging.test)
        for words, tags in zip(part.words, part.tags, strict=True)
        for text, kind in read(words, tags, joint)
    }
    rows = sorted((text, kind) for text, kind in found if 0 < len(text) <= _LONGEST)
    class_names = sorted({kind for _, kind in rows})
    texts = [text for text, _ in rows]
    labels = np.array([class_names.index(kind) for _, kind in rows], "int32")
    parts = {}
    # Without classes, what is one word in two of them stays together.
    for part, fraction in (("test", _FRACTION), ("validation", _FRACTION / (1 - _FRACTION))):
        held = hold_out(texts, np.zeros(len(texts), "int32"), fraction)
        parts[part] = LabelledTexts([texts[n] for n in np.flatnonzero(held)], labels[held])
        texts, labels = [texts[n] for n in np.flatnonzero(~held)], labels[~held]
    parts["train"] = LabelledTexts(texts, labels)
    return TextClassification(
        name=tagging.name,
        licence=tagging.licence,
        class_names=class_names,
        **parts,
        skipped=tagging.skipped,
    )


def _words(words, tags, joint):
    pairs = zip(words, tags, strict=True)
    return [(word.lower(), tag) for word, tag in pairs if tag not in _LEFT_OUT]


def _entities(words, tags, joint):
    """The entities of a sentence: each begins with B, and goes on with I of the same kind."""
    entities = []
    for word, tag in zip(words, tags, strict=True):
        place, _, kind = tag.partition("-")
        if place == "B" or (place == "I" and not entities):
            entities.append(([word], kind))
        elif place == "I":
            entities[-1][0].append(word)
    return [(joint.join(parts), kind) for parts, kind in entities]
