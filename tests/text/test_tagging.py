"""The tokenizer of taggers: words and their letters, splitting, saving."""

import numpy as np
import pytest

from kzoo.text import TaggingTokenizer, load_tokenizer, tokenizer_from_json
from kzoo.text.tokenizer import SPECIAL_TOKENS

SENTENCES = [["In", "1949", "he", "left"], ["In", "2011", "he", "came"]]


def test_words_are_folded_and_letters_are_not():
    tokenizer = TaggingTokenizer.train(SENTENCES)
    assert tokenizer.vocabulary == [*SPECIAL_TOKENS, "0000", "he", "in"]
    assert tokenizer.word_ids(["IN", "1789", "they"]) == [6, 4, 1]
    ids = tokenizer.character_ids(["In", "in"])
    assert ids[0][2] == ids[1][2] != ids[0][1]
    assert tokenizer.character_ids(["q", ""]) == [[2, 1, 3], [2, 3]]


def test_a_call_pads_every_axis():
    tokenizer = TaggingTokenizer.train(SENTENCES, min_count=1)
    inputs = tokenizer([["he", "left"], ["came"], []])
    assert list(inputs) == tokenizer.input_names
    assert inputs["words"].shape == (3, 2)
    assert inputs["characters"].shape == (3, 2, 6)
    assert (inputs["characters"] > 0).sum(-1).tolist() == [[4, 6], [6, 0], [0, 0]]
    assert inputs["words"].dtype == inputs["characters"].dtype == np.int32
    assert tokenizer([""])["characters"].shape == (1, 1, 1)


def test_texts_give_what_their_words_give():
    tokenizer = TaggingTokenizer.train(SENTENCES, min_count=1, clitics=True)
    words = ["He", "did", "n't", "leave", "—", "it", "\u2019s", "Bob", "'S", "car", "!"]
    assert tokenizer.split("He didn't leave — it\u2019s Bob'S car!") == words
    for text, row in zip(
        tokenizer(["He didn't"]).values(), tokenizer([words[:3]]).values(), strict=True
    ):
        np.testing.assert_array_equal(text, row)


def test_characters_as_units_are_spelled_in_jamo():
    tokenizer = TaggingTokenizer.train(
        [["한", "국", " ", "A"]], min_count=1, unit="character", jamo=True
    )
    assert tokenizer.split("한 A") == ["한", " ", "A"]
    inputs = tokenizer(["한 A"])
    assert (inputs["characters"] > 0).sum(-1).tolist() == [[5, 3, 3]]
    assert "a" not in tokenizer.vocabulary
    # A syllable that was never seen has letters that were.
    assert 1 not in tokenizer.character_ids(["간"])[0]


def test_long_words_keep_both_ends():
    tokenizer = TaggingTokenizer.train([list("abcdefgh")], min_count=1, max_characters=5)
    (ids,) = tokenizer.character_ids(["abcdefgh"])
    assert [tokenizer.characters[i] for i in ids] == ["[START]", *"abfgh", "[END]"]


def test_without_letters_there_is_one_input():
    tokenizer = TaggingTokenizer.train(SENTENCES, spell=False)
    assert list(tokenizer([["he"]])) == tokenizer.input_names == ["words"]
    assert tokenizer.character_vocabulary_size is None
    assert tokenizer.character_ids(["he"]) is None


def test_survives_saving(tmp_path):
    tokenizer = TaggingTokenizer.train(SENTENCES, jamo=True, clitics=True, max_characters=7)
    tokenizer.save(tmp_path / "tokenizer.json")
    for again in (
        load_tokenizer(tmp_path / "tokenizer.json"),
        tokenizer_from_json(tokenizer.to_json()),
    ):
        assert again.get_config() == tokenizer.get_config()
    assert [path.name for path in tmp_path.iterdir()] == ["tokenizer.json"]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"vocabulary": ["a"]}, "vocabulary: expected first"),
        ({"characters": ["a"]}, "characters: expected first"),
        ({"unit": "syllable"}, "unit: expected one of"),
        ({"jamo": 1}, "jamo: expected a bool"),
        ({"max_characters": 1}, "max_characters: expected a whole number of at least 2"),
    ],
)
def test_wrong_arguments(wrong, message):
    with pytest.raises(ValueError, match=message):
        TaggingTokenizer(**{"vocabulary": SPECIAL_TOKENS, **wrong})
    with pytest.raises(ValueError, match="sentences: expected an iterable"):
        TaggingTokenizer(SPECIAL_TOKENS)("a text")
