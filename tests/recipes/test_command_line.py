"""Settings that no recipe can work with end it with one line, before anything is written."""

import dataclasses
import logging
import warnings
from importlib import import_module
from types import SimpleNamespace

import pytest

import kzoo
from kzoo.cli import RECIPES
from kzoo.layers import NGramEmbedding
from kzoo.recipes import recognition
from kzoo.recipes.parts import command_line


def counts():
    """Every recipe with each of its knobs that counts something."""
    for name in RECIPES:
        recipe = import_module(f"kzoo.recipes.{name}")
        knobs = {field.name for field in dataclasses.fields(recipe.Knobs)}
        for knob in command_line.COUNTS:
            if knob in knobs:
                yield pytest.param(recipe, knob, id=f"{name}-{knob}")


@pytest.mark.parametrize(("recipe", "knob"), list(counts()))
def test_there_is_at_least_one(recipe, knob, tmp_path):
    arguments = [f"--{knob}=0", f"--out={tmp_path / 'run'}"]
    with pytest.raises(
        SystemExit, match=rf"^kzoo: `{knob}` must be at least 1\. Received: {knob}=0"
    ):
        command_line.run(recipe, arguments)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("name", "option", "message"),
    [
        ("language", "--temperature=0", r"`temperature` must be above 0\. Received: temperature=0"),
        ("vector_to_sequence", "--temperature=nan", "`temperature` must be above 0"),
        ("language", "--top-p=1.5", r"`top_p` must be in \(0, 1\]\. Received: top_p=1\.5"),
        ("fault_detection", "--stream=gru", r"`stream` must be one of \['labeller_gru', .*'gru'$"),
        ("recognition", "--stream=ctc_ocr_lstm", r"`stream` must be one of \['', 'ctc_speech_gru_"),
    ],
)
def test_what_would_fail_after_training_leaves_nothing_behind(name, option, message, tmp_path):
    recipe = import_module(f"kzoo.recipes.{name}")
    with pytest.raises(SystemExit, match=f"^kzoo: {message}"):
        command_line.run(recipe, [option, f"--out={tmp_path / 'run'}"])
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", RECIPES)
def test_an_unknown_data_set_leaves_nothing_behind(name, tmp_path):
    recipe = import_module(f"kzoo.recipes.{name}")
    # Where the command line itself knows the names, it ends with status 2.
    with pytest.raises(SystemExit, match=r"^kzoo: .* one of .*'no_such_set'|^2$"):
        command_line.run(recipe, ["--dataset=no_such_set", f"--out={tmp_path / 'run'}"])
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", RECIPES)
def test_every_default_is_a_preset_of_the_recipe(name):
    recipe = import_module(f"kzoo.recipes.{name}")
    names = command_line.presets(recipe.MODELS)
    settings = {key: value for key, value in recipe.SETTINGS.items() if isinstance(key, str)}
    models = [recipe.Knobs(**one).model for one in (*settings.values(), {})]
    models += [key[1] for key in recipe.SETTINGS if not isinstance(key, str)]
    assert set(models) <= set(names)


@pytest.mark.parametrize(
    ("recipe", "arguments", "expected"),
    [
        ("sentiment", ["--model=transformer"], "text_transformer"),
        ("bert_finetune", ["--model=small"], "bert_small"),
        ("tagging", ["--model=lstm"], "tagger_cnn_lstm_crf"),
        ("tagging", ["--model=sru"], "tagger_sru"),
        ("captioning", ["--model=show_and_tell"], "captioner_show_and_tell"),
        ("fault_detection", ["--model=lstm"], "sequence_lstm"),
        ("fault_detection", ["--dataset=cmapss_fd001", "--model=lstm"], "regressor_lstm"),
        ("recognition", ["--dataset=speech_digits", "--model=gru"], "ctc_speech_gru"),
    ],
)
def test_a_word_of_a_preset_is_enough(recipe, arguments, expected, monkeypatch):
    recipe = import_module(f"kzoo.recipes.{recipe}")
    found = []
    monkeypatch.setattr(recipe, "main", found.append)
    command_line.run(recipe, arguments)
    assert [knobs.model for knobs in found] == [expected]


@pytest.mark.parametrize("model", ["text_lstm", "transform", ""])
def test_what_is_no_word_of_a_preset_leaves_nothing_behind(model, tmp_path):
    recipe = import_module("kzoo.recipes.translation")
    with pytest.raises(SystemExit, match=r"^kzoo: `model` must be one of .*'seq2seq_lstm'.* word"):
        command_line.run(recipe, [f"--model={model}", f"--out={tmp_path / 'run'}"])
    assert not list(tmp_path.iterdir())


def test_help_names_the_command_and_shows_whole_comments(capsys):
    """Of a comment that went on below its field, only the first line had been shown."""
    with pytest.raises(SystemExit):
        command_line.run(import_module("kzoo.recipes.bert_pretrain"), ["--help"])
    words = capsys.readouterr().out.replace("│", " ").split()
    assert words[:4] == ["usage:", "kzoo", "train", "bert_pretrain"]
    assert "*test*. A blank line ends a document." in " ".join(words)
    assert "Presets for --model: bert_tiny, bert_base," in " ".join(words)


def test_a_function_that_is_traced_anew_is_no_news(monkeypatch):
    """Decoding validation batches of many lengths had put a paragraph on it into the progress."""
    lines = []
    tensorflow = logging.getLogger("tensorflow")
    handler = logging.Handler()
    handler.emit = lambda record: lines.append(record.getMessage())
    monkeypatch.setattr(tensorflow, "handlers", [handler])

    def main(knobs):
        tensorflow.warning("5 out of the last %d calls triggered tf.function retracing.", 317)
        tensorflow.warning("weights are missing")

    monkeypatch.setattr(recognition, "main", main)
    command_line.run(recognition, [])
    assert lines == ["weights are missing"]


def test_a_warning_names_no_line_of_the_source():
    """A command that cut a text had shown the line of kzoo that did so."""
    warning = ("1 of 2 sequences were cut", UserWarning, "predict.py", 99, "outputs = self(inputs)")
    with command_line.plain_words():
        assert warnings.formatwarning(*warning) == "UserWarning: 1 of 2 sequences were cut\n"
    assert "predict.py:99" in warnings.formatwarning(*warning)


@pytest.mark.parametrize("name", ["sentiment", "tagging"])
def test_there_is_a_ninth_member(name, monkeypatch):
    """There are eight ways to hash n-grams: the ninth had failed after eight were trained."""

    def create(*_, hash_seed=None, ngrams=None, **sizes):
        NGramEmbedding(9, 4, hash_seed=ngrams["hash_seed"] if ngrams else hash_seed)
        raise KeyboardInterrupt

    monkeypatch.setattr(kzoo, "create_model", create)
    recipe = import_module(f"kzoo.recipes.{name}")
    data = SimpleNamespace(class_names="ab", tag_names="ab")
    tokenizer = SimpleNamespace(vocabulary_size=9, character_vocabulary_size=9)
    with pytest.raises(KeyboardInterrupt):
        recipe.train_member(recipe.Knobs(), 8, tokenizer, data, *3 * [None])


def test_the_last_of_repeated_options_counts():
    recipe = import_module("kzoo.recipes.sentiment")
    names = command_line.presets(recipe.MODELS)
    arguments = ["--dataset", "imdb", "--model=lstm", "--dataset=sentiment_ko", "--model", "gru"]
    knobs = command_line.parse(recipe.Knobs, recipe.SETTINGS, "help", arguments, names=names)
    assert (knobs.dataset, knobs.model, knobs.max_length) == ("sentiment_ko", "text_gru", 192)
