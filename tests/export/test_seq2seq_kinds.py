"""Encoder-decoders without words leave as files: rounded, and at their smallest."""

import pytest

from kzoo.export import Seq2SeqPredictor, export_seq2seq
from kzoo.export.flatbuffer import constant_bytes
from kzoo.models import seq2seq
from tests.weights import randomize

START, END = 2, 3


def test_rounded_weights_are_stored_once(tmp_path):
    model = randomize(
        seq2seq(source_vocabulary_size=60, target_vocabulary_size=50, embedding_dim=32, units=32),
        scale=0.3,
    )
    verification = export_seq2seq(
        model, tmp_path / "m.tflite", "dynamic", start_id=START, end_id=END, max_length=3
    )
    # So is the table that embeds and scores.
    weights = model.count_params()
    assert verification.constant_bytes["INT8"] <= weights
    content = (tmp_path / "m.tflite").read_bytes()
    assert sum(constant_bytes(content).values()) < 1.5 * weights
    assert verification.max_difference < 0.1


def test_beam_wider_than_the_vocabulary_and_a_single_step(tmp_path):
    model = randomize(
        seq2seq(
            source_vocabulary_size=9,
            target_vocabulary_size=6,
            embedding_dim=4,
            units=4,
            cell="lstm",
            bidirectional=False,
            attention=None,
        )
    )
    path = tmp_path / "m.tflite"
    export_seq2seq(model, path, start_id=START, end_id=END, max_length=1, beam_size=8)
    predictor = Seq2SeqPredictor(path)
    outputs = predictor.search([[4, 5]])
    assert sorted(outputs["ids"][0, :6, 0].tolist()) == [0, 1, 2, 3, 4, 5]
    assert outputs["lengths"][0].tolist() == [1] * 6 + [0] * 2
    assert (outputs["scores"][0, 6:] < -1e38).all()
    greedy = predictor.search([[4, 5]], beam=False)
    assert greedy["ids"].tolist() == outputs["ids"][:, 0].tolist()
    with pytest.raises(ValueError, match="no tokenizers"):
        predictor(["text"])
    for beam in (False, True):
        with pytest.raises(ValueError, match=f"no alignments.*Received: beam={beam}"):
            predictor.align("text", beam)
