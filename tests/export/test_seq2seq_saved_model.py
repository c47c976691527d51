"""A SavedModel that writes texts for texts."""

import numpy as np
import pytest
import tensorflow as tf

from kzoo.export import export_seq2seq_saved_model
from kzoo.models import seq2seq
from kzoo.text import ByteTokenizer, CharacterTokenizer, WordPieceTokenizer, WordTokenizer

SOURCES = ["ein guter Film", "", "größer Film 🎬"]
TARGETS = ["a good film", "no", "좋은 영화"]
TOKENIZERS = [
    (CharacterTokenizer.train(SOURCES, 40), WordTokenizer.train(TARGETS, 20)),
    (WordPieceTokenizer.train(SOURCES, 60), ByteTokenizer()),
    (ByteTokenizer(), CharacterTokenizer.train(TARGETS, 40, jamo=True)),
]


@pytest.mark.parametrize(("source", "target"), TOKENIZERS, ids=lambda tokenizer: tokenizer.name)
def test_writes_texts(source, target, tmp_path):
    model = seq2seq(
        source_vocabulary_size=source.vocabulary_size,
        target_vocabulary_size=target.vocabulary_size,
        embedding_dim=6,
        units=5,
    )
    random = np.random.default_rng(1)
    for weight in model.weights:
        weight.assign(random.normal(0, 0.8, weight.shape))
    path = tmp_path / "saved"
    tokenizers = {"source_tokenizer": source, "target_tokenizer": target}
    difference = export_seq2seq_saved_model(
        model, path, max_length=8, beam_size=3, num_results=2, max_source_length=12, **tokenizers
    )
    assert difference < 1e-4
    signatures = tf.saved_model.load(str(path)).signatures
    ids = signatures["beam"](source_ids=tf.constant(source(SOURCES, max_length=12)))["ids"]
    outputs = signatures["beam_text"](text=tf.constant(SOURCES))
    expected = [[target.detokenize(row) for row in rows] for rows in ids.numpy()]
    texts = [[text.decode() for text in row] for row in outputs["text"].numpy()]
    assert texts == expected
    assert any(text for row in texts for text in row)
    assert signatures["greedy_text"](text=tf.constant(SOURCES))["text"].shape == (3,)
