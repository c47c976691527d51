"""The recipe of word vectors on a short real text: it stops, goes on, reports, exports."""

import json

import numpy as np
import pytest

import kzoo
from kzoo.export import NeighbourFinder
from kzoo.recipes import embeddings
from kzoo.recipes.parts import classification, command_line, embeddings_parts
from kzoo.recipes.parts.word_sentences import read_sentences
from kzoo.text import WordTokenizer, WordVectors
from kzoo.text.tokenizer import SPECIAL_TOKENS
from tests.recipes.stopped import stop_and_resume

SIZES = [
    *("--embedding-dim", "16", "--epochs", "2", "--num-buckets", "4096", "--min-count", "15"),
    *("--learning-rate", "0.1"),
]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A FastText that stopped in its second epoch, and was then run again to its end."""
    out = tmp_path_factory.mktemp("runs") / "stopped"
    arguments = ["--model", "fast_text", *SIZES]
    return out, *stop_and_resume(embeddings, out, arguments, "checkpoint")


def test_goes_on_where_it_stopped(run):
    out, before, after = run
    assert (len(before), after[:1], len(after)) == (1, before, 2)
    assert sorted(path.name for path in out.iterdir()) == [
        *("checkpoint", "dynamic.tflite", "float16.tflite", "float32.tflite", "knobs.json"),
        *("learning_curve.png", "model.keras", "report.md", "scores.json", "tokenizer.json"),
        *("vectors.npz", "vectors.txt", "words.png"),
    ]
    report = (out / "report.md").read_text(encoding="utf-8")
    for part in ("TF-IDF and SVD", "neighbours found", "dynamic.tflite", "CC0", "영화"):
        assert part in report


def test_tables_and_files_say_the_same(run):
    out, *_ = run
    tables = [WordVectors.load(out / f"vectors.{ending}") for ending in ("txt", "npz")]
    np.testing.assert_array_equal(tables[0].table, tables[1].table)
    finder = NeighbourFinder(out / "float32.tflite")
    assert finder("영화", 1)[0][0] == tables[0].neighbours("영화", 1)[0][0]
    # Spelled from what it shares with the words of the text.
    assert len(finder("영화관에서", 3)) == 3
    rows = {row["model"]: row for row in json.loads((out / "scores.json").read_text())}
    assert float(rows["float32.tflite"]["neighbours found"].split(" ")[0]) > 90


@pytest.mark.parametrize("model", embeddings.MODELS)
def test_every_model_learns_from_sentences(model):
    knobs = embeddings.Knobs(
        model=model, embedding_dim=8, num_buckets=64, learning_rate=1e-3, batch_size=16, units=8
    )
    text = kzoo.data.load_corpus("language_ko").train[:20000]
    vocabulary, sentences = read_sentences(text, 5, 1000)
    tokenizer = embeddings_parts.make_tokenizer(knobs, vocabulary)
    built = embeddings_parts.create_model(knobs, tokenizer)
    batches = embeddings_parts.batches(knobs, sentences, len(vocabulary))
    embeddings_parts.compile_model(built, knobs, len(batches))
    before = [weight.numpy() for weight in built.trainable_weights]
    inputs, targets = batches[0]
    assert np.isfinite(built.train_on_batch(inputs, targets))
    changed = [
        (old != weight.numpy()).any()
        for old, weight in zip(before, built.trainable_weights, strict=True)
    ]
    assert any(changed)


def test_the_baseline_knows_who_shares_lines():
    lines = ["apple pear", "pear apple", "car bus", "bus car", "apple car plum"] * 4
    vocabulary, sentences = read_sentences("\n".join(lines), 1, 99)
    vectors = embeddings_parts.term_document_vectors(vocabulary, sentences, 3)
    assert vectors.neighbours("pear", 1)[0][0] == "apple"
    assert vectors.neighbours("bus", 1)[0][0] == "car"


def test_scores_name_how_many_words_are_known():
    table = [[1, 0, 0], [1, 1, 0], [0, 0, 1], [0, 1, 1]]
    vectors = WordVectors(["man", "king", "woman", "queen"], table)
    tests = (
        {"pairs": [("man", "king", 1.0), ("woman", "x", 2.0), ("queen", "man", 0.0)]},
        {"analogies": {"family": [("man", "king", "woman", "queen")]}},
    )
    scores = embeddings_parts.scores(vectors, tests)
    assert list(scores) == ["pairs, 2 pairs", "analogies, 1 known"]
    assert scores["analogies, 1 known"] == "100.00 %"


def test_a_classifier_starts_at_a_table(tmp_path, capsys):
    tokenizer = WordTokenizer([*SPECIAL_TOKENS, "good", "bad"])
    ids = np.array([[4, 5, 0], [5, 5, 0]], "int32")
    table = np.arange(6.0).reshape(2, 3)
    WordVectors(["bad", "awful"], table).save(tmp_path / "vectors.txt")
    sizes = dict(vocabulary_size=6, num_classes=2, embedding_dim=3, units=4)
    model = kzoo.create_model("text_sru_small", **sizes)
    batches = [(ids, np.array([0, 1]))]
    classification.start_embedding(model, batches, tokenizer, tmp_path / "vectors.txt")
    assert "vectors of 1 of 6 tokens" in capsys.readouterr().out
    np.testing.assert_allclose(model.get_layer("embedding").get_weights()[0][5], table[0])


def test_settings_fit_the_knobs():
    for key, settings in embeddings.SETTINGS.items():
        name = key if isinstance(key, str) else key[0]
        assert name in kzoo.data.list_corpora()
        embeddings.Knobs(**settings)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--dataset", "imdb_reviews"], "imdb_reviews does not come with kzoo"),
        (["--model", "text_sru"], "`model` must be one of"),
        (["--min-count", "99999"], "`min_count` and `vocabulary_size` must leave two words"),
        (["--vocabulary-size", "3"], r"two words\. Received: min_count=3, vocabulary_size=3"),
    ],
)
def test_what_is_wrong_is_one_line(arguments, message, tmp_path):
    with pytest.raises(SystemExit, match=message):
        command_line.run(embeddings, [*arguments, "--out", str(tmp_path / "out")])
