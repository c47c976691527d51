"""Sentences as what a tagger reads: ids of words, and of the characters of each."""

import collections

import numpy as np

from kzoo.text.characters import jamo_map, lowercase_map, zero_map
from kzoo.text.checks import check_at_least, check_bool, clean
from kzoo.text.tagging_graph import TaggingGraph
from kzoo.text.tokenizer import END_ID, PAD_ID, SPECIAL_TOKENS, START_ID, UNKNOWN_ID
from kzoo.text.words import split_clitic, split_words

UNITS = ("word", "character")


class TaggingTokenizer(TaggingGraph):
    """Turns sentences into the inputs of `kzoo.models.tagger`.

    Words are looked up in lower case and with 0 for every digit; their characters are kept as they
    are. A word of more than `max_characters` keeps its beginning and its end. Before the
    first one stands `[START]`, and after the last one `[END]`, so that an ending is another thing
    than the same letters in the middle.

    Ids 0 and 1 are padding and what is not known, of words and of characters.

    Args:
        vocabulary: list of str without repeats, beginning with the four special tokens.
        characters: the same for characters; None for a tagger that reads words alone.
        unit: "word", or "character" where each character of a text is what gets a tag.
        jamo: whether Hangul syllables are spelled by their two or three letters.
        clitics: whether `split` parts English clitics from their word.
        max_characters: int, most characters of a word.

    Example:

    >>> tokenizer = TaggingTokenizer.train([["A", "dog"], ["A", "cat"]], min_count=1)
    >>> tokenizer.split("A dog!")
    ['A', 'dog', '!']
    >>> ids = tokenizer(["A dog!"])
    >>> ids["words"].tolist(), ids["characters"].shape
    ([[4, 6, 1]], (1, 3, 5))
    """

    name = "tagging"
    pad_id, unknown_id = PAD_ID, UNKNOWN_ID

    def __init__(
        self,
        vocabulary,
        characters=None,
        unit="word",
        jamo=False,
        clitics=False,
        max_characters=24,
    ):
        check_bool("jamo", jamo)
        check_bool("clitics", clitics)
        check_at_least("max_characters", max_characters, 2)
        if unit not in UNITS:
            raise ValueError(f"unit: expected one of {UNITS}, came {unit!r}")
        for argument, tokens in (("vocabulary", vocabulary), ("characters", characters)):
            if tokens is not None and list(tokens[:4]) != SPECIAL_TOKENS:
                raise ValueError(f"{argument}: expected first {SPECIAL_TOKENS}, came {tokens[:4]}")
        self.vocabulary = list(vocabulary)
        self.characters = None if characters is None else list(characters)
        self.unit = unit
        self.jamo = jamo
        self.clitics = clitics
        self.max_characters = max_characters
        self._fold_map = lowercase_map() | zero_map() if unit == "word" else {}
        self._letter_map = jamo_map() if jamo else {}
        self._words = {word: id for id, word in enumerate(self.vocabulary)}
        self._characters = {character: id for id, character in enumerate(self.characters or ())}

    @classmethod
    def train(cls, sentences, vocabulary_size=100_000, min_count=2, spell=True, **options):
        """Return a tokenizer that knows the most frequent words, and the characters, of a corpus.

        Args:
            sentences: list of lists of words.
            vocabulary_size: int, the most words, the four special tokens included.
            min_count: int; rarer words, and characters, are not known, so that training shows what
                an unknown one looks like.
            spell: whether characters are read too.
            **options: the constructor's arguments but the vocabularies.
        """
        check_at_least("vocabulary_size", vocabulary_size, len(SPECIAL_TOKENS) + 1)
        empty = cls(SPECIAL_TOKENS, SPECIAL_TOKENS, **options)
        words, characters = collections.Counter(), collections.Counter()
        for sentence in sentences:
            words.update(map(empty._fold, sentence))
            for word in sentence:
                characters.update(empty._letters(word))
        known = [_most_frequent(counts, min_count) for counts in (words, characters)]
        vocabulary = (SPECIAL_TOKENS + known[0])[:vocabulary_size]
        return cls(vocabulary, SPECIAL_TOKENS + known[1] if spell else None, **options)

    @property
    def input_names(self):
        """The names of the arrays that a call makes."""
        return ["words"] if self.characters is None else ["words", "characters"]

    @property
    def vocabulary_size(self):
        """Number of word ids."""
        return len(self.vocabulary)

    @property
    def character_vocabulary_size(self):
        """Number of character ids, or None."""
        return None if self.characters is None else len(self.characters)

    def split(self, text):
        """Return what gets a tag: the words of a text, or its characters.

        Example:

        >>> tokenizer = TaggingTokenizer(SPECIAL_TOKENS, clitics=True)
        >>> tokenizer.split("I don't, it's 5.")
        ['I', 'do', "n't", ',', 'it', "'s", '5', '.']
        """
        text = clean(text)
        if self.unit == "character":
            return list(text)
        words = split_words(text)
        if not self.clitics:
            return words
        return [part for word in words for part in split_clitic(word)]

    def split_all(self, sentences):
        """Return a list of what gets a tag for each of many texts, or lists of words."""
        if isinstance(sentences, str):
            raise ValueError(f"sentences: expected an iterable of str, came {sentences!r:.80}")
        return [self.split(row) if isinstance(row, str) else list(row) for row in sentences]

    def word_ids(self, words):
        """Return the ids of a list of words."""
        return [self._words.get(self._fold(word), UNKNOWN_ID) for word in words]

    def character_ids(self, words):
        """Return a list of ids for each of a list of words; None where characters are not read."""
        if self.characters is None:
            return None
        spelled = ([self._characters.get(c, UNKNOWN_ID) for c in self._letters(w)] for w in words)
        return [[START_ID, *ids, END_ID] for ids in spelled]

    def __call__(self, sentences, max_length=None):
        """Return the inputs of a tagger, padded with 0 on the right.

        Args:
            sentences: iterable of texts, or of lists of words. One bare text is refused.
            max_length: int, most words of a sentence; None keeps all of them.

        Returns:
            Dict of int32 NumPy arrays: `words`, `(batch, longest)`, and where characters are read
            `characters`, `(batch, longest, letters)`. No axis is empty but the first.
        """
        if max_length is not None:
            check_at_least("max_length", max_length, 1)
        rows = [row[:max_length] for row in self.split_all(sentences)]
        longest = max([1, *map(len, rows)])
        inputs = {"words": np.zeros((len(rows), longest), "int32")}
        for target, row in zip(inputs["words"], rows, strict=True):
            target[: len(row)] = self.word_ids(row)
        if self.characters is not None:
            spelled = [self.character_ids(row) for row in rows]
            letters = max([1, *(len(word) for row in spelled for word in row)])
            inputs["characters"] = np.zeros((len(rows), longest, letters), "int32")
            for target, row in zip(inputs["characters"], spelled, strict=True):
                for word, ids in zip(target, row, strict=False):
                    word[: len(ids)] = ids
        return inputs

    def get_config(self):
        """Return the constructor's arguments as a dict that JSON can hold."""
        names = ("vocabulary", "characters", "unit", "jamo", "clitics", "max_characters")
        return {name: getattr(self, name) for name in names}

    def _fold(self, word):
        return word.translate(self._fold_map)

    def _letters(self, word):
        letters = word.translate(self._letter_map)
        if len(letters) > self.max_characters:
            begin = self.max_characters // 2
            letters = letters[:begin] + letters[begin - self.max_characters :]
        return letters


def _most_frequent(counts, min_count):
    # Ties go by the token itself, so that the order of the corpus does not matter.
    known = [token for token, count in counts.items() if count >= min_count]
    return sorted(set(known) - set(SPECIAL_TOKENS), key=lambda token: (-counts[token], token))
