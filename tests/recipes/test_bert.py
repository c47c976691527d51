"""Pretraining and fine-tuning of BERT on small real texts: kill, resume, folder, files."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf

import kzoo
from kzoo.cli import main as kzoo_command
from kzoo.export import Predictor, export_many
from kzoo.models import create_model, load_bert, save_bert
from kzoo.recipes import bert_finetune, bert_pretrain
from kzoo.recipes.parts import bert_parts, classification, command_line
from kzoo.text import BertTokenizer
from tests.recipes.stopped import check_resumed, stop_and_resume

SIZES = ["--embedding-dim=16", "--num-heads=2", "--hidden-dim=16", "--num-layers=1"]
MORE = ["--vocabulary-size=1800", "--max-length=24", "--batch-tokens=256"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A data folder with some of the embedded reviews, in the layout of NSMC."""
    folder = tmp_path_factory.mktemp("data")
    (folder / "nsmc_rebuilt").mkdir()
    data = kzoo.data.load_text_classification("sentiment_ko")
    for name, part, count in (("train", data.train, 200), ("test", data.test, 40)):
        rows = zip(part.texts[:count], part.labels[:count], strict=True)
        lines = [f"{index}\t{text}\t{label}" for index, (text, label) in enumerate(rows)]
        text = "\n".join(["id\tdocument\tlabel", *lines, ""])
        (folder / "nsmc_rebuilt" / f"{name}.tsv").write_text(text, encoding="utf-8")
    corpus = kzoo.data.load_corpus("language_ko").train.split("\n")
    # Documents of five lines.
    lines = [line for n in range(300) for line in ([corpus[n], ""] if n % 5 == 4 else [corpus[n]])]
    (folder / "reviews.txt").write_text("\n".join(lines), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def pretrained(folder, tmp_path_factory):
    """A run that stopped before its second epoch, and was then run again to its end."""
    out = tmp_path_factory.mktemp("runs") / "pretrained"
    arguments = ["--text", str(folder / "reviews.txt"), "--rows=pairs", "--epochs=2"]
    return out, *stop_and_resume(bert_pretrain, out, [*arguments, *SIZES, *MORE])


@pytest.fixture(scope="module")
def finetuned(folder, pretrained, tmp_path_factory):
    """The run folder of a fine-tuning that began with the pretrained model."""
    out = tmp_path_factory.mktemp("runs") / "finetuned"
    arguments = ["--dataset=nsmc", f"--data={folder}", f"--folder={pretrained[0] / 'bert'}"]
    arguments += [f"--out={out}", "--epochs=1", "--layer-decay=0.5", "--max-length=16"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(classification, "export_many", remember)
        kzoo_command(["train", "bert_finetune", *arguments])
    return out


def remember(exports):
    """Exports, and keeps what was asked for."""
    remember.exports = exports
    return export_many(exports)


def test_pretraining_goes_on_where_it_stopped_and_leaves_everything(pretrained):
    check_resumed(*pretrained[1:], epochs=2)
    expected = "bert checkpoint knobs.json learning_curve.png report.md scores.json tokenizer.json"
    assert sorted(path.name for path in pretrained[0].iterdir()) == expected.split()
    files = {path.name for path in (pretrained[0] / "bert").iterdir()}
    assert files == {"config.json", "model.safetensors", "tokenizer_config.json", "vocab.txt"}
    floor, model = json.loads((pretrained[0] / "scores.json").read_text())
    assert floor["model"] == "most frequent piece"
    assert set(floor) < set(model)
    assert {"masked loss", "masked accuracy", "next sentence loss"} < set(model)
    assert "[MASK]" in (pretrained[0] / "report.md").read_text(encoding="utf-8")


def test_the_folder_is_one_of_hugging_face(pretrained):
    model = load_bert(pretrained[0] / "bert")
    tokenizer = BertTokenizer.from_folder(pretrained[0] / "bert")
    assert (tokenizer.max_length, tokenizer.lowercase, tokenizer.strip_accents) == (24, True, False)
    outputs = model(tokenizer(["재밌어요", "또 보고 싶다"]))
    assert outputs["pooled"].shape == (2, 16)


def test_fine_tuning_leaves_files_that_read_texts(finetuned, capsys):
    names = {path.name for path in finetuned.iterdir()}
    assert names > {"float32.tflite", "float16.tflite", "dynamic.tflite", "model.keras"}
    assert names > {"report.md", "scores.json", "saved_model", "confusion.png", "floor.json"}
    rows = {row["model"]: row for row in json.loads((finetuned / "scores.json").read_text())}
    assert rows["float32.tflite"]["accuracy"] == rows["Keras"]["accuracy"]
    predictor = Predictor(finetuned / "dynamic.tflite")
    assert predictor.tokenizer.max_length == 16
    probabilities = predictor(["정말 " * 50, "최악"])
    signature = tf.saved_model.load(str(finetuned / "saved_model")).signatures["serving_text"]
    (served,) = signature(text=tf.constant(["정말 " * 50, "최악"])).values()
    np.testing.assert_allclose(served, probabilities, atol=0.2)
    # A long text keeps its last mark, and no warning is needed.
    assert predictor.tokenizer(["정말 " * 50])["ids"][0, -1] == predictor.tokenizer.end_id
    kzoo_command(["predict", str(finetuned / "dynamic.tflite"), "정말 " * 50, "최악"])
    lines = capsys.readouterr().out.strip().split("\n")
    assert {line.split("\t")[0] for line in lines} <= {"negative", "positive"}


def test_int8_may_move_a_doubtful_text(finetuned):
    # Of 37 ids, MiniLM's dynamic file moved one probability by 0.115.
    allowed = {export.precision: export.tolerance for export in remember.exports}
    assert allowed == {"float32": None, "float16": None, "dynamic": 0.2}


def test_what_is_fine_tuned_can_be_fine_tuned_again(finetuned):
    model = keras.saving.load_model(finetuned / "model.keras")
    encoder = load_bert(finetuned / "bert")
    for layer in (layer for layer in encoder.layers if layer.weights):
        for ours, theirs in zip(layer.weights, model.get_layer(layer.name).weights, strict=True):
            np.testing.assert_array_equal(ours.numpy(), theirs.numpy(), err_msg=ours.path)
    texts = ["정말 재미있는 영화"]
    before = Predictor(finetuned / "dynamic.tflite").tokenizer(texts)["ids"]
    again = BertTokenizer.from_folder(finetuned / "bert")(texts)["ids"]
    np.testing.assert_array_equal(before, again)


def test_a_folder_goes_on_learning(folder, pretrained, finetuned, tmp_path):
    lines = (folder / "reviews.txt").read_text(encoding="utf-8").split("\n")
    (tmp_path / "few.txt").write_text("\n".join(lines[:240]), encoding="utf-8")
    before = finetuned / "bert"
    arguments = [
        f"--folder={before}",
        f"--text={tmp_path / 'few.txt'}",
        f"--out={tmp_path / 'out'}",
    ]
    command_line.run(bert_pretrain, [*arguments, "--epochs=1", "--max-length=16", "--rows=pairs"])
    after = tmp_path / "out" / "bert"
    assert (after / "vocab.txt").read_bytes() == (before / "vocab.txt").read_bytes()
    assert BertTokenizer.from_folder(after).max_length == 16
    moved = load_bert(after).get_layer("embedding").embeddings
    moved = np.abs(moved - load_bert(before).get_layer("embedding").embeddings).max()
    assert 0 < moved < 0.1
    # A head that the folder has goes on too.
    knobs = bert_pretrain.Knobs(folder=pretrained[0] / "bert", max_length=24, rows="pairs")
    model = bert_parts.create_pretrainer(knobs, None)
    expected = load_bert(pretrained[0] / "bert", head=bert_parts.head(knobs))
    for ours, theirs in zip(model.weights, expected.weights, strict=True):
        np.testing.assert_array_equal(ours, theirs, err_msg=ours.path)


def test_weights_are_those_of_the_folder_or_new(pretrained):
    tokenizer = BertTokenizer.from_folder(pretrained[0] / "bert")
    options = dict(folder=pretrained[0] / "bert", max_length=24)
    table = load_bert(pretrained[0] / "bert").get_layer("embedding").embeddings
    for scratch in (False, True):
        knobs = bert_finetune.Knobs(**options, from_scratch=scratch)
        _, model = bert_finetune.create_classifier(knobs, tokenizer, 2)
        found = model.get_layer("embedding").embeddings
        assert found.shape == table.shape
        assert bool((found.numpy() == table.numpy()).all()) != scratch


@pytest.mark.parametrize("recipe", [bert_pretrain, bert_finetune])
def test_settings_fit_the_knobs(recipe):
    for name, settings in recipe.SETTINGS.items():
        assert name in kzoo.data.list_corpora() + kzoo.data.list_datasets()
        recipe.Knobs(**settings)


@pytest.mark.parametrize(
    ("recipe", "arguments", "message"),
    [
        (bert_pretrain, ["--rows=pairs", "--text=one.txt"], "`documents` must be at least two"),
        (bert_pretrain, ["--model=bert_huge", "--text=one.txt"], "`model` must be one of"),
        (bert_finetune, ["--folder=short"], "`max_length` must be at most 12. Received: 128"),
        (
            bert_pretrain,
            ["--folder=short", "--text=one.txt"],
            "`max_length` must be at most 12. Received: 128",
        ),
        (
            bert_pretrain,
            ["--folder=short", "--text=one.txt", "--num-layers=3"],
            "`num_layers` must be left out where `folder` is given. Received: num_layers=3",
        ),
        (bert_finetune, ["--folder=nowhere"], "folder"),
        (bert_finetune, ["--dataset=nsmc"], "nsmc does not come with kzoo"),
    ],
)
def test_what_is_wrong_is_one_line(recipe, arguments, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "one.txt").write_text("재밌다\n또 보자\n" * 30, encoding="utf-8")
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    BertTokenizer(vocabulary).save_folder("short")
    save_bert(create_model("bert_tiny", vocabulary_size=5, max_length=12), "short")
    arguments = [*arguments, f"--out={tmp_path / 'out'}"]
    with pytest.raises(SystemExit, match=message):
        command_line.run(recipe, arguments)
