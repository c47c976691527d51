"""Texts as sentences of words, and the words that are frequent enough to have a vector."""

import numpy as np

from kzoo.text.tokenizer import SPECIAL_TOKENS, UNKNOWN_ID
from kzoo.text.words import split_words


def words_of(text):
    """Returns the words of a text in lower case, without numbers and symbols.

    Example:

    >>> words_of("It's 100% 진짜 재밌다, B2!")
    ["it's", '진짜', '재밌다']
    """
    return [word for word in split_words(text.lower()) if word.isalpha() or _is_word(word)]


def _is_word(word):
    return word[0].isalpha() and not any(character.isdigit() for character in word)


def read_sentences(text, min_count, vocabulary_size):
    r"""Reads a text, one sentence a line.

    Args:
        text: str.
        min_count: Occurrences that a word needs to have an id of its own.
        vocabulary_size: Ids at most, the four special tokens included.

    Returns:
        `(vocabulary, sentences)`: the special tokens and the words, the most frequent first, and an
        int32 array of ids for each line.

    Example:

    >>> vocabulary, sentences = read_sentences("a b a\nb c", min_count=2, vocabulary_size=9)
    >>> vocabulary[4:], [sentence.tolist() for sentence in sentences]
    (['a', 'b'], [[4, 5, 4], [5, 1]])
    """
    numbers = {}
    lines = [
        np.array([numbers.setdefault(word, len(numbers)) for word in words_of(line)], "int32")
        for line in text.split("\n")
    ]
    counts = np.bincount(np.concatenate(lines), minlength=len(numbers))
    words = sorted(numbers, key=lambda word: (-counts[numbers[word]], word))
    kept = [word for word in words if counts[numbers[word]] >= min_count]
    kept = kept[: max(vocabulary_size - len(SPECIAL_TOKENS), 0)]
    if len(kept) < 2:
        raise ValueError(
            "`min_count` and `vocabulary_size` must leave two words. "
            f"Received: min_count={min_count}, vocabulary_size={vocabulary_size}"
        )
    ids = np.full(len(numbers), UNKNOWN_ID, "int32")
    ids[[numbers[word] for word in kept]] = np.arange(len(kept)) + len(SPECIAL_TOKENS)
    return [*SPECIAL_TOKENS, *kept], [ids[line] for line in lines]
