"""The recipe of taggers end to end on small real data: kill -9, resume, report, files, floors."""

import json

import pytest
import tensorflow as tf

import kzoo
from kzoo.cli import main as kzoo_command
from kzoo.export import Predictor
from kzoo.recipes import tagging
from kzoo.recipes.parts import command_line, tag_floors, tagging_parts
from tests.recipes.stopped import check_resumed, stop_and_resume

SIZES = [
    *("--embedding-dim", "8", "--character-dim", "4", "--character-units", "8", "--units", "8"),
    *("--character-ngram-dim", "2", "--character-order", "3", "--ngram-dim", "2"),
    *("--max-order", "2", "--epochs", "2"),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A data folder with the first sentences of an embedded set, in the layout of KLUE."""
    folder = tmp_path_factory.mktemp("data") / "klue_ner"
    folder.mkdir()
    data = kzoo.data.load_tagging("ner_ko")
    for name, part, count in (("train", data.train, 120), ("dev", data.test, 20)):
        blocks = [
            "\n".join(f"{word}\t{tag}" for word, tag in zip(words, tags, strict=True))
            for words, tags in zip(part.words[:count], part.tags[:count], strict=True)
        ]
        (folder / f"{name}.tsv").write_text("\n\n".join(blocks) + "\n", encoding="utf-8")
    return folder.parent


@pytest.fixture(scope="module")
def run(folder, tmp_path_factory):
    """A run that stopped before its second epoch, and was then run again to its end."""
    out = tmp_path_factory.mktemp("runs") / "stopped"
    arguments = ["--dataset", "klue_ner", "--data", str(folder), *SIZES]
    return out, *stop_and_resume(tagging, out, arguments, "checkpoint/member_0")


def test_goes_on_where_it_stopped(run):
    check_resumed(*run[1:], epochs=2)
    assert {"loss", "val_score", "seconds"} <= set(run[-1][0])


def test_everything_is_in_the_run_folder(run):
    out = run[0]
    expected = "checkpoint dynamic.tflite float16.tflite float32.tflite"
    expected += " floor_logistic_regression.json floor_most_frequent_tag.json knobs.json"
    expected += " learning_curve.png model.keras report.md saved_model scores.json tokenizer.json"
    assert sorted(path.name for path in out.iterdir()) == expected.split()
    report = (out / "report.md").read_text(encoding="utf-8")
    for part in (
        "logistic regression",
        "entity F1",
        "character F1",
        "dynamic.tflite",
        "PS",
        "CC BY",
    ):
        assert part in report


def test_files_score_what_the_model_scores(run):
    out = run[0]
    rows = {row["model"]: row for row in json.loads((out / "scores.json").read_text())}
    assert rows["float32.tflite"]["entity F1"] == rows["Keras"]["entity F1"]
    assert rows["float32.tflite"]["accuracy"] == rows["Keras"]["accuracy"]
    assert set(rows) >= {"most frequent tag", "logistic regression", "float16.tflite"}


def test_the_command_tags_from_the_file_alone(run, capsys):
    out = run[0]
    kzoo_command(["predict", str(out / "dynamic.tflite"), "김철수 교수"])
    tagged = capsys.readouterr().out.strip().split(" ")
    assert [word.split("/")[0] for word in tagged] == list("김철수교수")
    assert {word.split("/")[1] for word in tagged} <= set(Predictor(out / "dynamic.tflite").labels)


def test_the_saved_model_gives_words_and_their_tags(run):
    out, texts = run[0], ["김철수 교수", "", "1949년 서울에서"]
    signature = tf.saved_model.load(str(out / "saved_model")).signatures["serving_text"]
    outputs = {name: x.numpy() for name, x in signature(text=tf.constant(texts)).items()}
    assert set(outputs) == {"words", "tags", "tag_names", "probabilities"}
    expected = Predictor(out / "float32.tflite").tag(texts)
    for text, words, tags, row in zip(
        texts, outputs["words"], outputs["tag_names"], expected, strict=True
    ):
        padding = [b""] * (len(texts[2]) - len(text))
        assert words.tolist() == [character.encode() for character in text] + padding
        assert tags.tolist() == [tag.encode() for _, tag, _ in row] + padding


def test_settings_fit_the_knobs():
    for name, settings in tagging.SETTINGS.items():
        assert name in kzoo.data.list_tagging()
        tagging.Knobs(**settings)


def test_a_missing_folder_is_one_line(tmp_path):
    with pytest.raises(SystemExit, match=r"wnut17 does not come with kzoo"):
        command_line.run(tagging, ["--dataset", "wnut17", "--out", str(tmp_path / "out")])


def test_entities_count_whole_and_by_kind():
    tags = [["B-x", "I-x", "O", "B-y"], ["O", "B-y"]]
    predicted = [["B-x", "O", "O", "B-y"], ["O", "B-y"]]
    scores = tagging_parts.scores(tags, predicted)
    assert scores["entity F1"] == "66.67"
    # One kind is all right, the other all wrong.
    assert scores["entity F1, macro"] == "50.00"
    # B-x and B-y are right; I-x was never found.
    assert scores["word F1"] == "66.67"
    assert scores["accuracy"] == "83.33"


def test_the_linear_floor_learns_from_what_stands_around():
    data = kzoo.data.load_tagging("pos_en")
    words, tags = data.train.words[:300], data.train.tags[:300]
    train = kzoo.data.TaggedSentences(words, tags)
    test = data.test.words[:100]
    gold = data.test.tags[:100]
    found = {
        tagger.__name__: float(tagging_parts.scores(gold, tagger(train, test))["accuracy"])
        for tagger in (tag_floors.most_frequent_tags, tag_floors.linear_tags)
    }
    assert found["linear_tags"] > found["most_frequent_tags"] + 3
