"""What is particular to words, characters, bytes, WordPiece and SentencePiece."""

import pytest

from kzoo.text import (
    ByteTokenizer,
    CharacterTokenizer,
    SentencePieceTokenizer,
    WordPieceTokenizer,
    WordTokenizer,
)
from tests.text.samples import TORTURE, real_lines, trained

SPECIAL = ["[PAD]", "[UNK]", "[START]", "[END]"]


def test_words():
    tokenizer = WordTokenizer.train(["Don't stop 영화 영화, 100원! é e\u0301"], 99, lowercase=True)
    assert tokenizer.vocabulary[4] == "영화"
    assert set(tokenizer.vocabulary[5:]) == set(["don't", "stop", ",", "100", "원", "!", "é", "é"])
    assert tokenizer.tokenize("STOP new 영화") == [*tokenizer.tokenize("stop"), 1, 4]


def test_most_frequent_tokens_are_kept_and_ties_go_by_the_token():
    assert WordTokenizer.train(["c b a b d"], 6).vocabulary[4:] == ["b", "a"]
    assert CharacterTokenizer.train(["cbabd"], 6).vocabulary[4:] == ["b", "a"]


def test_jamo():
    tokenizer = CharacterTokenizer.train(["가각힣 ㅋㅋ"], 99, jamo=True)
    jamo = ["\u1100", "\u1112", "\u1161", "\u1175", "\u11a8", "\u11c2"]
    assert sorted(tokenizer.vocabulary[4:]) == [" ", *jamo, "ㅋ"]
    assert tokenizer.detokenize(tokenizer.tokenize("힣각가 ㅋ")) == "힣각가 ㅋ"
    plain = CharacterTokenizer.train(["가각힣"], 99)
    assert len(plain.tokenize("가각")) == 2


@pytest.mark.parametrize("jamo", [False, True])
def test_characters_come_back_exactly(jamo):
    tokenizer = CharacterTokenizer.train([*TORTURE[:7], *TORTURE[8:]], 10**6, jamo=jamo)
    for text in (text for text in TORTURE if "\u1161" not in text):
        assert tokenizer.detokenize(tokenizer.tokenize(text)) == text


def test_bytes():
    assert ByteTokenizer().vocabulary_size == 260
    for text in TORTURE:
        ids = ByteTokenizer().tokenize(text)
        assert ids == [byte + 4 for byte in text.encode()]
        assert ByteTokenizer().detokenize(ids) == text
    assert ByteTokenizer().detokenize([0xFF + 4]) == "\ufffd"
    assert ByteTokenizer(lowercase=True).tokenize("ÀB") == ByteTokenizer().tokenize("àb")
    with pytest.raises(ValueError, match=r"vocabulary_size: .* 260, came 259"):
        ByteTokenizer.train(["a"], 259)


def test_word_pieces_are_greedy():
    tokenizer = WordPieceTokenizer([*SPECIAL, "un", "una", "##aff", "##able", "##ff"])
    assert tokenizer.tokenize("unaffable unaff xun") == [5, 8, 7, 5, 8, 1]
    assert tokenizer.detokenize([5, 8, 7, 4]) == "unaffable un"


def test_word_pieces_leave_rare_characters_unknown():
    texts = ["aab aab"] * 500 + ["aaz"]
    assert "z" in WordPieceTokenizer.train(texts, 99, character_coverage=1.0).vocabulary
    assert "z" not in WordPieceTokenizer.train(texts, 99).vocabulary


@pytest.mark.parametrize("algorithm", ["unigram", "bpe"])
def test_sentence_pieces_come_back_after_normalization(algorithm):
    tokenizer = SentencePieceTokenizer.train(
        real_lines(), 3000, algorithm=algorithm, lowercase=True, character_coverage=1.0
    )
    assert tokenizer.detokenize(tokenizer.tokenize("  \uff27OOD  영화 ﬁlm")) == "good 영화 film"
    assert len(tokenizer.tokenize("영화")) == 1


def test_sentence_pieces_take_long_lines_into_account():
    tokenizer = SentencePieceTokenizer.train(["z" * 10_000, "a b"], 30, character_coverage=1.0)
    assert "z" in tokenizer.vocabulary


@pytest.mark.parametrize("configuration", ["unigram", "bpe"])
def test_sampled_segmentations_vary_and_spell_the_text(configuration):
    tokenizer = trained(configuration)
    text = "정말 재미있는 영화 great movie"
    best = tokenizer.tokenize(text)
    samples = [tokenizer.sample(text, alpha=0.3) for _ in range(50)]
    assert len({tuple(ids) for ids in samples}) > 5
    assert {tokenizer.detokenize(ids) for ids in samples} == {tokenizer.detokenize(best)}
    assert tokenizer.tokenize(text) == best
    assert tokenizer.sample("") == []
    for alpha in (-0.1, 1.5):
        with pytest.raises(ValueError, match="alpha: expected"):
            tokenizer.sample(text, alpha=alpha)


@pytest.mark.parametrize("configuration", ["unigram", "bpe"])
def test_sampled_batches_repeat_by_seed(configuration):
    tokenizer = trained(configuration)
    texts = ["정말 재미있는 영화 great movie", "", "또 보고 싶다"] * 5
    first = tokenizer.sample_batch(texts, alpha=0.3, seed=0)
    assert tokenizer.sample_batch(texts, alpha=0.3, seed=1) != first
    assert tokenizer.sample_batch(texts, alpha=0.3, seed=0) == first
    assert [tokenizer.detokenize(ids) for ids in first] == [
        tokenizer.detokenize(tokenizer.tokenize(text)) for text in texts
    ]


def test_sentence_piece_refuses_other_models_and_options():
    for proto in (b"abc", b"", 3, None):
        with pytest.raises(ValueError, match="proto: expected"):
            SentencePieceTokenizer(proto)
    with pytest.raises(ValueError, match="algorithm: expected"):
        SentencePieceTokenizer.train(["a b"], 30, algorithm="word")
