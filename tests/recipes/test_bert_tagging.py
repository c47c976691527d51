"""The recipe that fine-tunes a BERT to tag words: it stops, goes on, reports, exports and tags."""

import json

import pytest

import kzoo
from kzoo.export import Predictor
from kzoo.models import save_bert
from kzoo.recipes import bert_tagging
from kzoo.recipes.parts import command_line
from kzoo.text import BertTokenizer
from tests.recipes.stopped import check_resumed, stop_and_resume


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A data folder with some of the embedded sentences, and a BERT in the form of Hugging Face."""
    folder = tmp_path_factory.mktemp("data")
    (folder / "wnut17").mkdir()
    data = kzoo.data.load_tagging("ner_en")
    parts = {"train": (data.train, 96), "dev": (data.validation, 16), "test": (data.test, 16)}
    for name, (part, count) in parts.items():
        rows = zip(part.words[:count], part.tags[:count], strict=True)
        blocks = ["\n".join(map("\t".join, zip(*row, strict=True))) for row in rows]
        (folder / "wnut17" / f"{name}.conll").write_text("\n\n".join(blocks), encoding="utf-8")
    tokenizer = BertTokenizer.train([" ".join(words) for words in data.train.words[:96]], 300)
    sizes = dict(embedding_dim=16, num_heads=2, hidden_dim=32, max_length=64)
    vocabulary = tokenizer.vocabulary_size
    save_bert(kzoo.create_model("bert_tiny", vocabulary_size=vocabulary, **sizes), folder / "bert")
    tokenizer.save_folder(folder / "bert")
    return folder


@pytest.fixture(scope="module")
def run(folder, tmp_path_factory):
    """A run that stopped before its second epoch, and was then run again to its end."""
    out = tmp_path_factory.mktemp("runs") / "stopped"
    arguments = [f"--data={folder}", "--dataset=wnut17", f"--folder={folder / 'bert'}"]
    arguments += ["--epochs=2", "--max-length=32", "--character-units=8", "--learning-rate=0.01"]
    return out, *stop_and_resume(bert_tagging, out, arguments)


def test_goes_on_where_it_stopped_and_leaves_everything(run):
    out, *histories = run
    check_resumed(*histories, epochs=2)
    assert {path.name for path in out.iterdir()} > {"model.keras", "report.md", "saved_model"}
    # Its words and tags were compared with Python's when it was written.
    assert b"serving_text" in (out / "saved_model" / "saved_model.pb").read_bytes()
    rows = {row["model"]: row for row in json.loads((out / "scores.json").read_text())}
    assert {"logistic regression", "Keras", "float16.tflite", "dynamic.tflite"} < set(rows)
    for measure in ("entity F1", "accuracy"):
        assert rows["float32.tflite"][measure] == rows["Keras"][measure]


def test_the_file_tags_words_and_texts(run):
    out, *_ = run
    predictor = Predictor(out / "dynamic.tflite")
    words = ["Anna", "isn", "in", "", "Rome"]
    ((*tagged,), (*cut,), (*text,)) = predictor.tag([words, ["a"] * 90, "It isn't, Anna."])
    assert [word for word, _, _ in tagged] == words
    assert {tag for _, tag, _ in tagged} <= set(predictor.labels)
    # What does not fit between [CLS] and [SEP] has no tag.
    assert len(cut) == 30
    assert [word for word, _, _ in text] == ["It", "is", "n't", ",", "Anna", "."]


def test_what_cannot_be_is_refused(folder, tmp_path):
    arguments = [f"--out={tmp_path}", f"--data={folder}", "--dataset=wnut17"]
    arguments += [f"--folder={folder / 'bert'}", "--max-length=65"]
    with pytest.raises(SystemExit, match=r"`max_length` must be at most 64\. Received: 65"):
        command_line.run(bert_tagging, arguments)
