"""BERT as `.tflite`: names, every precision, padding, and the heads with two outputs."""

import pytest

import kzoo
from kzoo.export import Export, export_many
from kzoo.models import bert_classifier, bert_question_answerer, bert_sentence_encoder

SIZES = {
    "vocabulary_size": 300,
    "embedding_dim": 32,
    "num_heads": 4,
    "hidden_dim": 64,
    "num_layers": 2,
    "max_length": 64,
}
PRECISIONS = ("float32", "float16", "dynamic")


@pytest.fixture(scope="module")
def verified(tmp_path_factory):
    """What was found when each file was run and compared."""
    folder = tmp_path_factory.mktemp("bert")
    encoder = kzoo.create_model("bert_tiny", **SIZES)
    models = {
        "classifier": bert_classifier(encoder, 3),
        "question_answerer": bert_question_answerer(encoder),
        "sentence_encoder": bert_sentence_encoder(encoder),
    }
    exports = {("encoder", precision): (encoder, precision) for precision in PRECISIONS}
    exports |= {(name, "float32"): (model, "float32") for name, model in models.items()}
    results = export_many(
        [
            Export(model, folder / f"{name}_{precision}.tflite", precision, max_length=64)
            for (name, _), (model, precision) in exports.items()
        ]
    )
    return dict(zip(exports, results, strict=True))


@pytest.mark.parametrize("precision", PRECISIONS)
def test_encoder_runs_in_both_runtimes(precision, verified):
    result = verified["encoder", precision]
    assert result.runtimes == ("Interpreter", "CompiledModel")
    assert all(set(case) == {"ids", "mask", "segment_ids"} for case in result.cases)
    assert 0 < result.max_difference <= result.tolerance


@pytest.mark.parametrize("name", ["classifier", "question_answerer", "sentence_encoder"])
def test_heads_run(name, verified):
    result = verified[name, "float32"]
    assert result.max_difference <= result.tolerance
    assert len(result.cases) > 1


def test_activation_and_normalization_are_cheap(verified):
    # The exact GELU is one operator, not a polynomial or a loop.
    assert "GELU" in verified["encoder", "float32"].operators
