"""The graph gives the texts that Python gives, for random ids too."""

import numpy as np
import pytest

from kzoo.text import (
    BertTokenizer,
    ByteTokenizer,
    CharacterTokenizer,
    SentencePieceTokenizer,
    WordPieceTokenizer,
    WordTokenizer,
)
from kzoo.text.characters import compose_jamo, compose_jamo_graph
from kzoo.text.detokenize_graph import detokenize_graph

TEXTS = ["a good film, really!", "정말 재미있는 영화였어요", "naïve café 100%", "lower slowest ##x"]
TOKENIZERS = [
    ByteTokenizer(),
    CharacterTokenizer.train(TEXTS, 80),
    CharacterTokenizer.train(TEXTS, 80, jamo=True),
    SentencePieceTokenizer.train(TEXTS, 80),
    WordPieceTokenizer.train(TEXTS, 80),
    WordTokenizer.train(TEXTS, 80),
]


@pytest.mark.parametrize("tokenizer", TOKENIZERS, ids=lambda tokenizer: tokenizer.name)
def test_equals_python(tokenizer):
    size = tokenizer.vocabulary_size
    ids = np.random.default_rng(0).integers(0, size, (200, 7)).astype("int32")
    ids = [*tokenizer(TEXTS).tolist(), *ids.tolist(), [0] * 7, [1, 1, 3, 0, 0, 0, 0]]
    ids += [tokenizer.tokenize(text) for text in ("a\0한글", "\ufeffx \ufffd")]
    for row in ids:
        (text,) = detokenize_graph(tokenizer, [row]).numpy()
        assert text.decode() == tokenizer.detokenize(row)


def test_rows_keep_apart():
    tokenizer = WordTokenizer(["[PAD]", "[UNK]", "[START]", "[END]", "ja", "nein"])
    texts = detokenize_graph(tokenizer, [[4, 3, 0], [0, 0, 0], [5, 1, 4]]).numpy()
    assert [text.decode() for text in texts] == ["ja", "", "nein [UNK] ja"]


def test_letters_join_to_syllables_as_in_python():
    draw = np.random.default_rng(1)
    letters = list("\u1100\u1112\u1113\u1161\u1175\u1176\u11a7\u11a8\u11c2\u11c3a\0가")
    texts = ["".join(draw.choice(letters, draw.integers(0, 9))) for _ in range(500)]
    found = compose_jamo_graph(texts).numpy()
    assert [text.decode() for text in found] == [compose_jamo(text) for text in texts]
    assert [text.decode() for text in compose_jamo_graph(["", ""]).numpy()] == ["", ""]


def test_refuses_what_it_cannot_join():
    tokenizer = BertTokenizer(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"])
    with pytest.raises(ValueError, match="expected one of byte, character, sentence_piece"):
        detokenize_graph(tokenizer, [[4]])
