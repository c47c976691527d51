"""Sentences for a BERT that tags words: pieces, first pieces, letters, what is cut, saving."""

import numpy as np
import pytest

from kzoo.text import BertTaggingTokenizer, BertTokenizer, tokenizer_from_json

SENTENCES = [["In", "Ulm", "he", "left"], ["He", "came"]]
PIECES = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "in", "he", "u", "##lm", "left"]


def tokenizer(max_length=None, **options):
    pieces = BertTokenizer(PIECES, max_length=max_length)
    return BertTaggingTokenizer.train(pieces, SENTENCES, min_count=1, **options)


def test_words_begin_at_their_first_piece():
    ids, begins, spelled = tokenizer().row(["Ulm", "left", "\x00", "in"])
    assert ids == [2, 7, 8, 9, 1, 5, 3]
    assert begins == [1, 3, 4, 5]
    # Letters keep what the pieces have lost.
    assert [len(word) for word in spelled] == [5, 6, 3, 4]
    assert spelled[0] != tokenizer().row(["ulm"])[2][0]


def test_words_that_do_not_fit_are_left_out():
    short = tokenizer(max_length=5)
    assert short.row(["he", "he", "Ulm"]) == (
        *short.row(["he", "he"])[:2],
        short.row(["he"])[2] * 2,
    )
    assert short.row(["he", "Ulm", "in"])[0] == [2, 6, 7, 8, 3]
    one = BertTaggingTokenizer(short.pieces, short.words, max_pieces=1)
    assert one.row(["Ulm", "in"])[0] == [2, 7, 5, 3]


def test_a_call_pads_every_axis():
    inputs = tokenizer()(["He left Ulm", ["he"], ""])
    assert list(inputs) == tokenizer().input_names
    assert inputs["ids"].tolist() == [[2, 6, 9, 7, 8, 3], [2, 6, 3, 0, 0, 0], [2, 3, 0, 0, 0, 0]]
    assert inputs["mask"].sum(-1).tolist() == [6, 3, 2]
    assert inputs["words"].tolist() == [[1, 2, 3], [1, 0, 0], [0, 0, 0]]
    assert inputs["characters"].shape == (3, 3, 6)
    assert all(array.dtype == np.int32 for array in inputs.values())
    with pytest.raises(ValueError, match="iterable"):
        tokenizer()("He left")


@pytest.mark.parametrize("spell", [True, False])
def test_saves_and_loads_exactly(spell):
    first = tokenizer(max_length=9, spell=spell)
    again = tokenizer_from_json(first.to_json())
    assert again.get_config() == first.get_config()
    for name, array in first(SENTENCES).items():
        np.testing.assert_array_equal(array, again(SENTENCES)[name])
    assert ("characters" in first.input_names) == spell
