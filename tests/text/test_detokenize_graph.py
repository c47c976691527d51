"""The graph gives the texts that Python gives, for random ids too."""

import numpy as np
import pytest

from kzoo.text import (
    ByteTokenizer,
    CharacterTokenizer,
    SentencePieceTokenizer,
    WordPieceTokenizer,
    WordTokenizer,
)
from kzoo.text.detokenize_graph import detokenize_graph

TEXTS = ["a good film, really!", "정말 재미있는 영화였어요", "naïve café 100%", "lower slowest ##x"]
KINDS = (CharacterTokenizer, SentencePieceTokenizer, WordPieceTokenizer, WordTokenizer)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_equals_python(kind):
    tokenizer = kind.train(TEXTS, 80)
    size = tokenizer.vocabulary_size
    ids = np.random.default_rng(0).integers(0, size, (200, 7)).astype("int32")
    ids = [*tokenizer(TEXTS).tolist(), *ids.tolist(), [0] * 7, [1, 1, 3, 0, 0, 0, 0]]
    for row in ids:
        (text,) = detokenize_graph(tokenizer, [row]).numpy()
        assert text.decode() == tokenizer.detokenize(row)


def test_rows_keep_apart():
    tokenizer = WordTokenizer(["[PAD]", "[UNK]", "[START]", "[END]", "ja", "nein"])
    texts = detokenize_graph(tokenizer, [[4, 3, 0], [0, 0, 0], [5, 1, 4]]).numpy()
    assert [text.decode() for text in texts] == ["ja", "", "nein [UNK] ja"]


@pytest.mark.parametrize(
    "tokenizer", [ByteTokenizer(), CharacterTokenizer.train(["한국"], 20, jamo=True)]
)
def test_refuses_what_it_cannot_join(tokenizer):
    with pytest.raises(ValueError, match="expected one of character, sentence_piece"):
        detokenize_graph(tokenizer, [[4]])
