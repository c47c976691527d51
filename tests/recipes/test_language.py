"""The recipe of language models end to end, on small real texts: kill, resume, report, write."""

import json

import keras
import numpy as np
import pytest

import kzoo
from kzoo import cli
from kzoo.recipes import language
from kzoo.recipes.parts import command_line, language_parts, run_folder
from tests.recipes.stopped import check_resumed, stop_and_resume

FILES = [
    *("checkpoint", "dynamic.tflite", "float16.tflite", "float32.tflite", "floor.json"),
    *("knobs.json", "learning_curve.png", "model.keras", "report.md", "saved_model"),
    *("scores.json", "tokenizer.json"),
]
SIZES = "--embedding-dim=8 --units=8 --num-layers=1 --window=16 --batch-size=4 --length=12"
SIZES = [*SIZES.split(), "--num-beams=2", "--warmup-steps=5"]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """A folder with some of the embedded English."""
    data = kzoo.data.load_corpus("language_en")
    folder = tmp_path_factory.mktemp("plays")
    for name, text in (("train", data.train[:6000]), ("valid", data.validation[:1000])):
        (folder / f"{name}.txt").write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def run(corpus, tmp_path_factory):
    """A run that stopped before its second epoch, and was then run again to its end."""
    out = tmp_path_factory.mktemp("runs") / "stopped"
    arguments = ["--text", str(corpus), "--epochs=2", "--prompts", "KING:\\nI", *SIZES]
    return out, *stop_and_resume(language, out, arguments)


def test_goes_on_where_it_stopped_and_leaves_everything(run):
    check_resumed(*run[1:], epochs=2)
    assert {"loss", "perplexity", "val_perplexity", "cpu_seconds"} <= run[-1][0].keys()
    assert "seconds" in run[-1][0]
    out = run[0]
    assert sorted(path.name for path in out.iterdir()) == FILES
    text = (out / "report.md").read_text(encoding="utf-8")
    for part in ("-grams", "4 streams", "- beam 2, after 'KING:\\nI'", "temperature 0.8", "top-p"):
        assert part in text


def test_the_files_score_as_the_model_does(run):
    rows = json.loads((run[0] / "scores.json").read_text())
    names = ["Keras", "float32.tflite", "float16.tflite", "dynamic.tflite"]
    assert [row["model"] for row in rows[1:]] == names
    losses = [float(row["loss"]) for row in rows]
    np.testing.assert_allclose(losses[2], losses[1], atol=1e-4)
    np.testing.assert_allclose(losses[3:], losses[1], atol=2e-2)
    for row in rows:
        assert abs(np.exp(float(row["loss"])) - float(row["perplexity"])) < 0.01
        # A token is a character here.
        bits = float(row["bits per character"])
        assert abs(float(row["loss"]) / np.log(2) - bits) < 1e-3


def test_the_loss_is_that_of_the_whole_text(run, corpus):
    out = run[0]
    model = keras.saving.load_model(out / "model.keras")
    tokenizer = kzoo.text.load_tokenizer(out / "tokenizer.json")
    ids = kzoo.text.tokenize_lines(tokenizer, (corpus / "valid.txt").read_text())
    knobs = command_line.parse(language.Knobs, language.SETTINGS, "", SIZES)
    windows = language_parts.batches(knobs, ids, shuffle=False)
    logits = keras.ops.log_softmax(model(windows.sequences))
    found = np.take_along_axis(keras.ops.convert_to_numpy(logits), windows.targets[..., None], 2)
    rows = json.loads((out / "scores.json").read_text())
    assert abs(-found.mean() - float(rows[1]["loss"])) < 1e-3
    assert windows.targets.size >= len(ids) - 4


def test_generate_from_the_run_and_from_the_file(run, capsys):
    out = run[0]
    texts = []
    for path in (out, out / "model.keras", out / "float32.tflite"):
        cli.main(["generate", str(path), "KING", "--seed", "2"])
        texts.append(capsys.readouterr().out)
    assert texts[0].startswith("KING")
    assert len(texts[0]) > 8
    assert texts[1:] == texts[:1] * 2
    with pytest.raises(SystemExit, match="`model` must be"):
        cli.main(["generate", str(out / "checkpoint")])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["translate", ".", "KING"], r"^kzoo: `model` must be a run of .* translation or chatbot"),
        (["predict", "float32.tflite", "KING"], r"^kzoo: path: .* offers .*greedy, .*; another"),
        (["neighbours", "float32.tflite", "KING"], r"^kzoo: path: .* another predictor runs it"),
    ],
)
def test_commands_for_others_are_one_line(run, arguments, message):
    command, path, text = arguments
    with pytest.raises(SystemExit, match=message):
        cli.main([command, str(run[0] / path), text])


def test_a_transformer_on_sub_words(tmp_path, corpus, monkeypatch):
    monkeypatch.setattr(run_folder, "PRECISIONS", ("float32",))
    arguments = ["--text", str(corpus), "--out", str(tmp_path), "--epochs=1", *SIZES]
    arguments += ["--model=language_transformer_gpt", "--tokenizer=sentence_piece"]
    arguments += ["--vocabulary-size=200", "--one-line"]
    command_line.run(language, arguments)
    rows = json.loads((tmp_path / "scores.json").read_text())
    np.testing.assert_allclose(float(rows[2]["loss"]), float(rows[1]["loss"]), atol=1e-4)
    # A token is more than a character.
    assert float(rows[1]["bits per character"]) < float(rows[1]["loss"]) / np.log(2)
    assert "windows of 16 tokens" in (tmp_path / "report.md").read_text(encoding="utf-8")
