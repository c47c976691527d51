"""Taggers leave as files: every preset, in every precision, with Viterbi inside; and tag texts."""

import numpy as np
import pytest

import kzoo
from kzoo import cli
from kzoo.export import Export, Predictor, VerificationError, export_many, export_tflite
from kzoo.export.cases import Case
from kzoo.export.verification import compare
from kzoo.layers import bio_constraints
from kzoo.models import tag_decoder, tagger
from kzoo.text import TaggingTokenizer

TAGS = ["O", "B-x", "I-x"]
SENTENCES = [
    ["Anna", "went", "to", "Paris", "in", "1949", "."],
    ["Bob", "did", "n't", "."],
    ["A", "city", "of", "light", "and", "of", "rain", "!"],
]
TOKENIZER = TaggingTokenizer.train(SENTENCES, min_count=1, clitics=True)
PRESETS = kzoo.list_models("tagger_*")


def make(name):
    sizes = {"embedding_dim": 6, "units": 8, "character_dim": 4, "character_units": 5}
    sizes |= {"character_order": 3, "character_ngram_dim": 2}
    options = {"constraints": bio_constraints(TAGS)} if name.endswith("crf") else {}
    model = kzoo.create_model(
        name,
        vocabulary_size=TOKENIZER.vocabulary_size,
        character_vocabulary_size=TOKENIZER.character_vocabulary_size,
        num_tags=3,
        **sizes,
        **options,
    )
    rng = np.random.default_rng(0)
    for weight in model.trainable_weights:
        weight.assign(rng.normal(scale=0.5, size=weight.shape))
    return tag_decoder(model)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """The verification of every preset's file in every precision, by both."""
    folder, exports = tmp_path_factory.mktemp("taggers"), {}
    options = dict(
        inputs=TOKENIZER(SENTENCES),
        tokenizer=TOKENIZER,
        labels=TAGS,
        max_length=40,
        # More steps than one block of the loops, and words of many letters.
        lengths=(3, 70),
    )
    for name in PRESETS:
        model = make(name)
        for precision in ("float32", "float16", "dynamic"):
            path = folder / f"{name}_{precision}.tflite"
            exports[name, precision] = Export(model, path, precision, **options)
    return dict(
        zip(
            exports,
            zip(exports.values(), export_many(list(exports.values())), strict=True),
            strict=True,
        )
    )


@pytest.mark.parametrize("precision", ["float32", "float16", "dynamic"])
@pytest.mark.parametrize("name", PRESETS)
def test_runs_in_both_runtimes(files, name, precision):
    _, verification = files[name, precision]
    assert verification.runtimes == ("Interpreter", "CompiledModel")
    assert not [operator for operator in verification.operators if "FLEX" in operator.upper()]
    assert ("WHILE" in verification.operators) == (name != "tagger_transformer")
    assert verification.max_difference <= verification.tolerance


@pytest.mark.parametrize("name", ["tagger_lstm_crf", "tagger_sru"])
def test_the_file_alone_tags_texts(files, name, capsys):
    export, verification = files[name, "float32"]
    predictor = Predictor(verification.path)
    assert predictor.is_tagger
    text = "Bob didn't see Paris."
    words = ["Bob", "did", "n't", "see", "Paris", "."]
    (row,), (again,), (empty,) = (predictor.tag([x]) for x in (text, words, ""))
    assert row == again
    assert empty == []
    assert [word for word, _, _ in row] == words
    outputs = {k: np.array(x) for k, x in export.model(TOKENIZER([words])).items()}
    assert [tag for _, tag, _ in row] == [TAGS[i] for i in outputs["tags"][0]]
    shares = [outputs["probabilities"][0, t, i] for t, i in enumerate(outputs["tags"][0])]
    np.testing.assert_allclose([share for _, _, share in row], shares, atol=1e-5)
    cli.main(["predict", str(verification.path), text])
    assert capsys.readouterr().out.strip() == " ".join(f"{word}/{tag}" for word, tag, _ in row)


def test_long_sentences_are_cut_with_a_warning(files):
    predictor = Predictor(files["tagger_sru_crf", "float32"][1].path)
    with pytest.warns(UserWarning, match="1 of 1 sequences were cut to 40 steps"):
        (row,) = predictor.tag([["of"] * 50])
    assert len(row) == 40


def test_a_classifier_tags_nothing(tmp_path):
    model = kzoo.create_model(
        "text_sru", vocabulary_size=9, num_classes=2, embedding_dim=4, units=4
    )
    export_tflite(model, tmp_path / "model.tflite", labels=["a", "b"], lengths=(4,))
    predictor = Predictor(tmp_path / "model.tflite")
    assert not predictor.is_tagger
    with pytest.raises(ValueError, match="this file tags no words"):
        predictor.tag(["one"])


def test_a_tokenizer_must_make_the_inputs_of_the_model(tmp_path):
    model = tag_decoder(tagger(vocabulary_size=9, num_tags=3, units=4, embedding_dim=4))
    with pytest.raises(ValueError, match=r"or with its input_names, got TaggingTokenizer"):
        export_tflite(model, tmp_path / "model.tflite", tokenizer=TOKENIZER)


def test_tags_are_compared_by_the_share_that_differs():
    expected = np.arange(100, dtype="int32").reshape(4, 25)
    case = Case({"words": expected}, {"tags": expected})
    other = expected.copy()
    other[0, :5] = 7
    assert compare("file", case, {"tags": other}, tolerance=0.1) == 0.05
    with pytest.raises(VerificationError, match=r"'tags' differs .* by 0\.05, allowed is 0\.01"):
        compare("file", case, {"tags": other}, tolerance=0.01)
