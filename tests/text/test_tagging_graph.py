"""The graph path of the taggers' tokenizers gives the words and the ids of the Python path."""

import functools
import time

import numpy as np
import pytest
import tensorflow as tf

from kzoo.text import BertTaggingTokenizer, BertTokenizer, TaggingTokenizer
from kzoo.text.characters import lowercase_map, zero_map
from kzoo.text.tokenizer import SPECIAL_TOKENS
from tests.text.samples import TORTURE, random_lines, real_lines

APOSTROPHES = [
    "I DON'T, n't can't've it\u2019s Bob'S O'n't IT'\u017f rock'n't'll x's' 'tis we're",
    "\u0661\u0662 1789 \u09e7\u00b2\u2167 ab\u0663c",
]


@functools.cache
def trained(name):
    """A tokenizer of a kind, trained on real lines."""
    options = {"clitics": True, "max_characters": 5}
    if name == "characters":
        options = {"unit": "character", "jamo": True, "max_characters": 2}
    texts = real_lines()[::10] + APOSTROPHES
    sentences = TaggingTokenizer(SPECIAL_TOKENS, **options).split_all(texts)
    options |= {"spell": name != "words alone", "min_count": 1}
    words = TaggingTokenizer.train(sentences, **options)
    if name != "bert":
        return words
    return BertTaggingTokenizer(BertTokenizer.train(texts, 1000), words, max_pieces=4)


@pytest.fixture(params=["words", "words alone", "characters", "bert"])
def tokenizer(request):
    return trained(request.param)


def assert_same(tokenizer, texts, max_length=None):
    words = tokenizer.split_graph(tf.constant(texts, tf.string))
    for text, row in zip(texts, words.to_list(), strict=True):
        assert [word.decode() for word in row] == tokenizer.split(text), f"{text[:80]!r}"
    found, expected = tokenizer.call_graph(words, max_length), tokenizer(texts, max_length)
    assert list(found) == list(expected) == tokenizer.input_names
    for name, array in expected.items():
        assert found[name].dtype == array.dtype
        np.testing.assert_array_equal(found[name], array)


def test_odd_strings(tokenizer):
    assert_same(tokenizer, TORTURE + APOSTROPHES + random_lines(200))


def test_letters_and_digits_of_every_script():
    changed = map(chr, lowercase_map() | zero_map())
    assert_same(trained("words"), [" ".join(f"{letter} x'{letter}" for letter in changed)])


@pytest.mark.parametrize("max_length", [2, 3, 6])
def test_sentences_are_cut(tokenizer, max_length):
    texts = ["정말 재미있는 영화였어요 " * 9, "", "!?", "\u3099\u20dd", *real_lines()[::100]]
    assert_same(tokenizer, texts, max_length)
    assert_same(tokenizer, ["", ""], max_length)


def test_texts_and_their_words_give_the_same(tokenizer):
    texts = tf.constant([*real_lines()[:5], b"\xff\xfe a"])
    words = tokenizer.split_graph(texts)
    again = tokenizer.call_graph(texts)
    for name, x in tokenizer.call_graph(words).items():
        np.testing.assert_array_equal(again[name], x)
    assert words.to_list()[-1] == [c.encode() for c in tokenizer.split("\ufffd\ufffd a")]


def test_an_empty_batch():
    for name in ("words", "characters"):
        assert_same(trained(name), [])


def test_a_long_word_beside_many_short_ones():
    begin = time.process_time()
    # A table as wide as the longest word for each of them would be gigabytes.
    assert_same(trained("words"), ["x" * 100_000, "a " * 100_000])
    assert time.process_time() - begin < 10  # a second


def test_digits_of_every_script_are_zero():
    assert {chr(code) for code in zero_map()} | {"0"} == {
        chr(code) for code in range(0x110000) if chr(code).isdecimal()
    }
    assert trained("words").word_ids(["\u0661\u0662"]) == trained("words").word_ids(["78"])
