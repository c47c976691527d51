"""BERT's tokenizer: words, pieces, special tokens, pairs, truncation, and its folders."""

import json

import numpy as np
import pytest
import tensorflow as tf

from kzoo.text import BertTokenizer, tokenizer_from_json
from tests.text.samples import TORTURE

SPECIAL = ["[PAD]", "[unused0]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
WORDS = ["un", "##aff", "##able", "cafe", "café", "!", "[", "]", "sep", "漢", "字", "##字", "漢字"]
VOCABULARY = [*SPECIAL, *WORDS]
UNKNOWN, START, END = 2, 3, 4


def ids(*tokens):
    """Returns the ids of tokens."""
    return [VOCABULARY.index(token) for token in tokens]


@pytest.mark.parametrize(
    ("options", "text", "tokens"),
    [
        ({}, "Unaffable unaff xun", ["un", "##aff", "##able", "un", "##aff", "[UNK]"]),
        ({}, "CAFÉ café!", ["cafe", "cafe", "!"]),
        (dict(strip_accents=False), "CAFÉ cafe", ["café", "cafe"]),
        (dict(lowercase=False), "café Un", ["café", "[UNK]"]),
        (dict(lowercase=False, strip_accents=True), "café", ["cafe"]),
        ({}, "[SEP]", ["[", "sep", "]"]),
        ({}, "漢字", ["漢", "字"]),
        (dict(split_chinese=False), "漢字", ["漢字"]),
        ({}, "u\0n\u200d un\ufffd", ["un", "un"]),
        ({}, "a" * 101, ["[UNK]"]),
    ],
)
def test_words_become_pieces(options, text, tokens):
    assert BertTokenizer(VOCABULARY, **options).tokenize(text) == ids(*tokens)


def test_rows_are_padded_and_segments_told_apart():
    batch = BertTokenizer(VOCABULARY)(["un !", ""], ["!", "un"])
    un, mark = ids("un", "!")
    assert batch["ids"].tolist() == [
        [START, un, mark, END, mark, END],
        [START, END, un, END, 0, 0],
    ]
    assert batch["mask"].tolist() == [[1] * 6, [1, 1, 1, 1, 0, 0]]
    assert batch["segment_ids"].tolist() == [[0, 0, 0, 0, 1, 1], [0, 0, 1, 1, 0, 0]]
    assert {array.dtype.name for array in batch.values()} == {"int32"}


def test_padding_is_where_the_vocabulary_has_it():
    batch = BertTokenizer(["[UNK]", "[CLS]", "[SEP]", "[MASK]", "[PAD]"])(["", "?"])
    assert batch["ids"].tolist() == [[1, 2, 4], [1, 0, 2]]


@pytest.mark.parametrize(
    ("max_length", "lengths"), [(9, (4, 2)), (8, (3, 2)), (7, (2, 2)), (6, (2, 1)), (3, (0, 0))]
)
def test_of_a_pair_the_longer_text_is_cut_first(max_length, lengths):
    (row,) = BertTokenizer(VOCABULARY)(["un un un un"], ["! !"], max_length)["ids"].tolist()
    first, second = lengths
    assert row == [START, *ids("un") * first, END, *ids("!") * second, END]


def test_one_text_is_cut():
    tokenizer = BertTokenizer(VOCABULARY)
    assert tokenizer(["un ! un"], max_length=4)["ids"].tolist() == [[START, *ids("un", "!"), END]]
    assert tokenizer(["un ! un"], max_length=2)["ids"].tolist() == [[START, END]]


def test_the_beginning_is_cut_on_request(tmp_path):
    tokenizer = BertTokenizer(VOCABULARY, max_length=5, truncation_side="left")
    texts = ["un ! cafe [ un", "un cafe ]", "!", ""]
    assert tokenizer.row(texts[0]) == [START, *ids("cafe", "[", "un"), END]
    assert tokenizer(texts[:1], max_length=2)["ids"].tolist() == [[START, END]]
    (pair,) = tokenizer(["un !"], ["cafe ["])["ids"].tolist()
    assert pair == [START, *ids("!"), END, *ids("["), END]
    for max_length in (None, 2, 3, 4, 9):
        found = tokenizer.call_graph(tf.constant(texts), max_length)
        for name, expected in tokenizer(texts, max_length=max_length).items():
            np.testing.assert_array_equal(found[name], expected)
    tokenizer.save_folder(tmp_path)
    again = [BertTokenizer.from_folder(tmp_path), tokenizer_from_json(tokenizer.to_json())]
    assert [x.get_config() for x in again] == [tokenizer.get_config()] * 2
    with pytest.raises(ValueError, match=r"truncation_side: expected one of .* came 'middle'"):
        BertTokenizer(VOCABULARY, truncation_side="middle")


def test_any_string_is_taken():
    tokenizer = BertTokenizer(VOCABULARY)
    for text in [*TORTURE, "\ud800"]:
        assert all(0 <= id < len(VOCABULARY) for id in tokenizer.tokenize(text))


def test_detokenize_joins_pieces():
    tokenizer = BertTokenizer(VOCABULARY)
    (row,) = tokenizer(["Unaffable !", "un"])["ids"][:1]
    assert tokenizer.detokenize(row) == "unaffable !"


def test_folder_round_trip(tmp_path):
    tokenizer = BertTokenizer(VOCABULARY, False, True, False, 99)
    tokenizer.save_folder(tmp_path / "new")
    again = BertTokenizer.from_folder(tmp_path / "new")
    assert vars(again) | {"_tokenizer": 0} == vars(tokenizer) | {"_tokenizer": 0}


def test_json_round_trip():
    tokenizer = BertTokenizer(VOCABULARY, False, True, False, 4)
    again = tokenizer_from_json(tokenizer.to_json())
    assert vars(again) | {"_tokenizer": 0} == vars(tokenizer) | {"_tokenizer": 0}
    assert again(["un un un"])["ids"].tolist() == [[START, *ids("un", "un"), END]]


def test_training_gives_pieces_of_the_words_of_a_corpus():
    texts = ["재밌다 재밌네 재밌어요!", "재밌었다 café"] * 5
    tokenizer = BertTokenizer.train(texts, 28, strip_accents=False)
    assert tokenizer.vocabulary[:5] == ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    assert len(tokenizer.vocabulary) == 28
    assert tokenizer.vocabulary == BertTokenizer.train(texts, 28, strip_accents=False).vocabulary
    (row,) = tokenizer(["재밌다!"])["ids"].tolist()
    assert tokenizer.detokenize(row) == "재밌다 !"
    first, *others = tokenizer.tokenize("재밌어요")
    assert not tokenizer.continues[first]
    assert tokenizer.continues[others].all()


@pytest.mark.parametrize(("texts", "size"), [(["", " "], 30), (["abcdef"], 6)])
def test_training_needs_words_and_room(texts, size):
    with pytest.raises(ValueError, match=r"texts: expected|vocabulary_size: expected"):
        BertTokenizer.train(texts, size)


def test_folder_with_one_file_of_everything(tmp_path):
    content = {
        "model": {"type": "WordPiece", "vocab": {token: id for id, token in enumerate(VOCABULARY)}},
        "normalizer": {"type": "BertNormalizer", "lowercase": False, "strip_accents": None},
    }
    (tmp_path / "tokenizer.json").write_text(json.dumps(content))
    tokenizer = BertTokenizer.from_folder(tmp_path)
    assert tokenizer.vocabulary == VOCABULARY
    assert tokenizer.tokenize("café Un") == [*ids("café"), UNKNOWN]


def test_folders_without_a_vocabulary(tmp_path):
    with pytest.raises(ValueError, match=r"folder: expected vocab.txt or a WordPiece"):
        BertTokenizer.from_folder(tmp_path)
    (tmp_path / "tokenizer.json").write_text("{")
    with pytest.raises(ValueError, match="folder: expected JSON in"):
        BertTokenizer.from_folder(tmp_path)


@pytest.mark.parametrize(
    ("vocabulary", "message"),
    [
        ("[PAD]", "vocabulary: expected a list"),
        (WORDS, r"vocabulary: .* \['\[PAD\]', .* missing"),
        ([*VOCABULARY, "un"], "vocabulary: expected no token twice"),
    ],
)
def test_wrong_vocabulary(vocabulary, message):
    with pytest.raises(ValueError, match=message):
        BertTokenizer(vocabulary)


def test_wrong_calls():
    tokenizer = BertTokenizer(VOCABULARY)
    with pytest.raises(ValueError, match="texts: expected an iterable of str"):
        tokenizer("un")
    with pytest.raises(ValueError, match="pairs: expected 2 texts, came 1"):
        tokenizer(["un", "un"], ["un"])
    with pytest.raises(ValueError, match="max_length: expected a whole number of at least 3"):
        tokenizer(["un"], ["un"], max_length=2)
