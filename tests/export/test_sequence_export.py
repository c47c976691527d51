"""One `.tflite` file writes for a class what the Keras model writes, by search and by chance."""

import numpy as np
import pytest

from kzoo import cli
from kzoo.decoding import sample
from kzoo.export import ExportError, SequencePredictor, export_seq2seq, read_bundle, verify
from kzoo.models import Seq2SeqSteps, vector_to_sequence
from kzoo.text import CharacterTokenizer

LABELS = ["noun", "verb"]
LENGTH, BANNED = 7, (0, 1, 2)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A model with random weights, its tokenizer, its file and what was verified."""
    path = tmp_path_factory.mktemp("sequences") / "model.tflite"
    tokenizer = CharacterTokenizer.train(["house", "go away"], 30)
    model = vector_to_sequence(
        vocabulary_size=tokenizer.vocabulary_size, num_classes=2, embedding_dim=6, units=5
    )
    random = np.random.default_rng(1)
    for weight in model.weights:
        weight.assign(random.normal(0, 0.8, weight.shape))
    verification = export_seq2seq(
        model,
        path,
        start_id=2,
        end_id=3,
        max_length=LENGTH,
        banned_ids=BANNED,
        beam_size=2,
        sampling=True,
        labels=LABELS,
        target_tokenizer=tokenizer,
        inputs=[0, 1],
    )
    return model, tokenizer, path, verification


def test_was_verified_with_all_signatures(run):
    model, _, path, verification = run
    assert [case["labels"] for case in verification.cases] == [(1,), (2,)]
    assert verification.runtimes == ("Interpreter", "CompiledModel")
    bundle = read_bundle(path)
    assert bundle.labels == tuple(LABELS)
    searches = ["encode", "step", "greedy", "beam", "sample", "draw", "score"]
    assert list(bundle.manifest["signatures"]) == searches
    assert verify(path, model, [1]).max_difference < 1e-4


@pytest.mark.parametrize("labels", [["noun"], "no", ["noun", "ve\nrb"]])
def test_names_that_are_not_those_of_the_classes_are_refused(run, labels, tmp_path):
    with pytest.raises(ValueError, match="labels: expected"):
        export_seq2seq(run[0], tmp_path / "model.tflite", start_id=2, end_id=3, labels=labels)
    vectors = vector_to_sequence(vocabulary_size=9, vector_size=2, embedding_dim=6, units=5)
    with pytest.raises(ValueError, match="labels: expected an encoder that reads the number"):
        export_seq2seq(vectors, tmp_path / "model.tflite", start_id=2, end_id=3, labels=LABELS)
    assert not list(tmp_path.iterdir())


def test_draws_as_python_does(run):
    model, tokenizer, path, _ = run
    predictor = SequencePredictor(path)
    drawing = {"temperature": 0.9, "top_k": 6, "top_p": 0.95, "repetition_penalty": 1.6}
    found = predictor(["verb", "noun", 1], seed=5, **drawing)
    steps = Seq2SeqSteps(model)
    state, _ = steps.begin(np.array([1, 0, 1]))
    options = {"seed": np.arange(5, 8), "banned_ids": BANNED, **drawing}
    decoded = sample(steps.step, state, [2, 2, 2], 3, LENGTH, **options)
    assert found == [tokenizer.detokenize(row) for row in np.asarray(decoded.ids)]
    assert found != predictor(["verb", "noun", 1], seed=5, **drawing | {"repetition_penalty": 1.0})
    assert len({*predictor(["noun"] * 8)}) > 1
    assert predictor([]) == []


def test_judges_as_the_model_does(run):
    model, _, path, _ = run
    ids = np.array([[5, 6, 3, 0], [7, 3, 0, 0]])
    before = np.array([[2, 5, 6, 0], [2, 7, 0, 0]])
    logits = np.asarray(model({"labels": np.array([1, 0]), "target_ids": before}), "float64")
    logits -= np.log(np.exp(logits).sum(axis=-1, keepdims=True))
    expected = np.take_along_axis(logits, ids[..., None], axis=-1)[..., 0] * (ids != 0)
    found = SequencePredictor(path).score(["verb", "noun"], ids)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_the_command_writes_for_a_class(run, capsys):
    path = run[2]
    cli.main(["sample", str(path), "verb", "--count", "3", "--seed", "4"])
    expected = SequencePredictor(path)(["verb"] * 3, seed=4, temperature=0.8)
    assert capsys.readouterr().out.split("\n")[:-1] == expected
    cli.main(["sample", str(path), "verb", "--method", "beam"])
    assert capsys.readouterr().out.split("\n")[:-1] == SequencePredictor(path)(["verb"], "beam")


def test_what_is_wrong_is_named(run):
    predictor = SequencePredictor(run[2])
    with pytest.raises(ValueError, match=r"expected names of noun, verb, or .* got 'adverb'"):
        predictor(["adverb"])
    for number in (2, -1, 1.5):
        with pytest.raises(ValueError, match=rf"sources: .* got {number}"):
            predictor([number], "greedy")
    with pytest.raises(ValueError, match="expected as many rows of each"):
        predictor.score(["verb"], [[5, 3], [6, 3]])
    with pytest.raises(ValueError, match="expected 'ids' of shape"):
        predictor.score(["verb"], [5, 3])
    with pytest.raises(ValueError, match="sources: expected a list, got 'verb'"):
        predictor("verb")
    with pytest.raises(ValueError, match="temperature: expected a number above 0"):
        predictor(["verb"], temperature=0)
    with pytest.raises(ValueError, match="method: expected one of"):
        predictor(["verb"], "guess")
    with pytest.raises(ExportError, match="is no encoder-decoder"):
        SequencePredictor(__file__)
