"""What `export_seq2seq` and `kzoo translate` refuse, and what they say."""

import keras
import pytest

from kzoo import cli
from kzoo.export import ExportError, export_seq2seq
from kzoo.models import seq2seq

START, END = 2, 3


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"precision": "int3"}, "precision: expected one of"),
        ({"max_length": 0}, "`max_length` must be an integer of at least 1"),
        ({"beam_size": 0}, "`beam_size` must be an integer of at least 1"),
        ({"num_results": 5}, "`num_results` must be an integer from 1 to 4"),
        ({"end_id": 99}, "`end_id` must be below the vocabulary_size of the decoder, 6"),
        ({"alignments": True}, "alignments: expected a decoder that attends"),
        ({"alignments": "beam"}, "`alignments` must be True, False or a tuple of"),
        ({"source_tokenizer": "words"}, "source_tokenizer: expected an object with to_json"),
    ],
)
def test_refuses(options, message, tmp_path):
    model = seq2seq(
        source_vocabulary_size=9,
        target_vocabulary_size=6,
        embedding_dim=4,
        units=4,
        attention=None,
    )
    path = tmp_path / "m.tflite"
    with pytest.raises(ValueError, match=message):
        export_seq2seq(model, path, **{"start_id": START, "end_id": END, **options})
    assert list(tmp_path.iterdir()) == []


def test_other_files_and_models_are_refused(tmp_path):
    plain = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)], name="plain")
    with pytest.raises(ExportError, match=r"layer 'encoder' and a layer 'decoder'.*'plain'"):
        export_seq2seq(plain, tmp_path / "m.tflite", start_id=START, end_id=END)
    with pytest.raises(SystemExit, match=r"`model` must be a \.tflite file or a run folder"):
        cli.main(["translate", str(tmp_path), "text"])
