"""Both recipes of encoder-decoders end to end, on small real data: kill -9, resume, report."""

import json

import keras
import numpy as np
import pytest

import kzoo
from kzoo.recipes import chatbot, translation
from kzoo.recipes.parts import command_line, generation, run_folder
from kzoo.text import ByteTokenizer
from tests.recipes.stopped import check_resumed, stop_and_resume

FILES = [
    *("attention.png", "checkpoint", "dynamic.tflite", "float16.tflite", "float32.tflite"),
    *("floor.json", "knobs.json", "learning_curve.png", "model.keras", "report.md"),
    *("saved_model", "scores.json"),
]
SIZES = "--embedding-dim=8 --units=8 --vocabulary-size=500 --max-length=12 --num-beams=2"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The first embedded sentences in the layout of multi30k: Korean plays German."""
    folder = tmp_path_factory.mktemp("data") / "multi30k"
    folder.mkdir()
    data = kzoo.data.load_translation("translation_ko_en")
    files = {"train": data.train, "val": data.validation, "test_2016_flickr": data.test}
    for name, part in files.items():
        count = 200 if name == "train" else 20
        for language, texts in (("de", part.sources), ("en", part.targets)):
            text = "\n".join(texts[:count])
            (folder / f"raw.{name}.{language}").write_text(text, encoding="utf-8")
    return folder.parent


@pytest.fixture(scope="module")
def run(folder, tmp_path_factory):
    """A run that stopped before its second epoch, and was then run again to its end."""
    out = tmp_path_factory.mktemp("runs") / "stopped"
    arguments = ["--dataset", "multi30k", "--data", str(folder), "--epochs", "2", *SIZES.split()]
    arguments += ["--subword-sampling", "0.2", "--batch-tokens", "400"]
    return out, *stop_and_resume(translation, out, arguments)


def test_goes_on_where_it_stopped(run):
    check_resumed(*run[1:], epochs=2)
    assert {"loss", "perplexity", "val_perplexity", "val_bleu"} <= run[-1][0].keys()


def test_everything_is_in_the_run_folder(run):
    out = run[0]
    assert sorted(path.name for path in out.iterdir()) == sorted(
        [*FILES, "source_tokenizer.json", "target_tokenizer.json"]
    )
    text = (out / "report.md").read_text(encoding="utf-8")
    for part in (
        "nearest sentence",
        "Keras, greedy",
        "Keras, beam 2",
        "case:mixed|eff:no|tok:13a",
        "| source | reference | greedy | beam 2 |",
        "measured on 20 of 20 pairs",
        "![Attention](attention.png)",
        "subword_sampling: 0.2",
    ):
        assert part in text
    rows = json.loads((out / "scores.json").read_text())
    names = ["Keras", "float32.tflite", "float16.tflite", "dynamic.tflite"]
    ways = [f"{name}, {way}" for name in names for way in ("greedy", "beam 2")]
    assert [row["model"] for row in rows] == ["nearest sentence", *ways]
    assert float(rows[1]["perplexity"]) < 300
    by_name = {row["model"]: row for row in rows}
    for way in ("greedy", "beam 2"):
        assert by_name[f"float32.tflite, {way}"]["chrF"] == by_name[f"Keras, {way}"]["chrF"]
    assert isinstance(keras.saving.load_model(out / "model.keras"), keras.Model)


def test_other_settings_are_refused(run, folder):
    out = run[0]
    with pytest.raises(SystemExit, match=r"same settings.*epochs=2 and now 4"):
        start(translation, folder, out, "--epochs", "4")


def start(recipe, folder, out, *arguments):
    """Starts a recipe in this process."""
    dataset = [] if recipe is chatbot else ["--dataset", "multi30k"]
    options = [*dataset, "--data", str(folder), "--out", str(out)]
    command_line.run(recipe, [*options, *SIZES.split(), *arguments])


@pytest.fixture
def one_file(monkeypatch):
    """One precision of the three, which all are in `run`."""
    monkeypatch.setattr(run_folder, "PRECISIONS", ("dynamic",))


def test_without_attention_there_is_no_picture_of_it(folder, tmp_path, capsys, one_file):
    options = ["--model", "seq2seq_gru", "--epochs", "1", "--joint-vocabulary"]
    options += ["--tokenizer", "byte", "--scheduled-sampling", "0.5"]
    start(translation, folder, tmp_path / "out", *options, "--source", "en", "--target", "de")
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert "report.md" in names
    assert "attention.png" not in names
    tokenizers = [tmp_path / "out" / f"{side}_tokenizer.json" for side in ("source", "target")]
    assert tokenizers[0].read_text() == tokenizers[1].read_text()
    printed = capsys.readouterr().out
    assert "multi30k: 200 training, 20 validation, 20 test pairs" in printed
    assert "saved_model" in names


@pytest.mark.parametrize("recipe", [translation, chatbot])
def test_the_transformer_is_called_by_its_name(recipe, monkeypatch):
    found = []
    monkeypatch.setattr(recipe, "main", found.append)
    for arguments in (["--model", "transformer"], ["--model=seq2seq"], []):
        command_line.run(recipe, arguments)
    expected = ["transformer_seq2seq_tiny", "seq2seq_gru_bahdanau", "seq2seq_gru_bahdanau"]
    assert [knobs.model for knobs in found] == expected


def test_a_transformer_has_settings_of_its_own():
    arguments = ["--dataset", "multi30k", "--model", "transformer"]
    names = command_line.presets(translation.MODELS)
    knobs = command_line.parse(
        translation.Knobs, translation.SETTINGS, "help", arguments, names=names
    )
    assert (knobs.max_length, knobs.units, knobs.warmup_steps) == (64, 256, 800)
    model = generation.create_model(knobs, [ByteTokenizer()] * 2)
    assert len(model.get_layer("decoder").blocks) == knobs.num_layers == 4
    optimizer = generation.compile_model(model, knobs, steps=3000).optimizer
    rates = []
    for step in (0, 400, 800, 3000):
        optimizer.iterations.assign(step)
        rates.append(float(optimizer.learning_rate))
    np.testing.assert_allclose(rates, [0, 0.0015, 0.003, 0], atol=1e-8)


def test_the_chatbot_answers(tmp_path, capsys, one_file):
    data = kzoo.data.load_dialogues("chatbot_ko")
    rows = [f'"{q}","{a}",0' for q, a in zip(data.train.sources, data.train.targets, strict=True)]
    text = "\n".join(["Q,A,label", *rows[:200]])
    (tmp_path / "chatbot_ko.csv").write_text(text, encoding="utf-8")
    start(chatbot, tmp_path, tmp_path / "out", "--epochs", "1")
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    others = {"float16.tflite", "float32.tflite"}
    assert names == sorted({*FILES, "tokenizer.json"} - others)
    text = (tmp_path / "out" / "report.md").read_text(encoding="utf-8")
    for part in ("nearest question", "Keras, beam 2", "F1: mean over answers", "Licence of"):
        assert part in text
    assert "안녕\n    " in capsys.readouterr().out


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--model", "seq2seq_elman", "`model` must be one of"),
        ("--max-length", "0", "`max_length` must be in"),
        ("--batch-tokens", "0", "`batch_tokens` must be positive"),
        ("--label-smoothing", "1", "`smoothing` must be in"),
        ("--dataset", "europarl", "name: expected one of multi30k"),
        ("--target", "ko", "target: expected one of de, en, fr"),
        ("--data", "nowhere", r"--data\): expected a directory"),
    ],
)
def test_bad_values_are_named(folder, tmp_path, option, value, message):
    with pytest.raises(SystemExit, match=message):
        start(translation, folder, tmp_path / "out", option, value)


def test_only_sentence_pieces_are_sampled(folder, tmp_path):
    options = ["--tokenizer", "word", "--subword-sampling", "0.1"]
    with pytest.raises(SystemExit, match="`subword_sampling` needs the tokenizer"):
        start(translation, folder, tmp_path / "out", *options)


@pytest.mark.parametrize("recipe", [translation, chatbot])
def test_the_help_page_shows_the_knobs(recipe, capsys):
    with pytest.raises(SystemExit) as end:
        command_line.run(recipe, ["--help"])
    assert end.value.code == 0
    page = capsys.readouterr().out
    assert "--length-penalty" in page
    assert "Width of the beam" in page
