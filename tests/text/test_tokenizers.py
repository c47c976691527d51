"""Every tokenizer keeps the contract, in plain Python."""

import json
import os
import subprocess
import sys
import unicodedata

import numpy as np
import pytest

from kzoo.text import (
    TOKENIZERS,
    CharacterTokenizer,
    WordPieceTokenizer,
    WordTokenizer,
    load_tokenizer,
    tokenizer_from_json,
)
from tests.text.samples import CONFIGURATIONS, LONG, TORTURE, random_lines, real_lines, trained

SPECIAL = ["[PAD]", "[UNK]", "[START]", "[END]"]


@pytest.fixture(params=CONFIGURATIONS)
def tokenizer(request):
    return trained(request.param)


def test_special_tokens_come_first_and_never_from_text(tokenizer):
    assert tokenizer.vocabulary[:4] == SPECIAL
    ids = tokenizer.tokenize(" ".join(SPECIAL) + "[PAD][START]")
    assert not {0, 2, 3} & set(ids)


def test_special_ids_have_names(tokenizer):
    ids = [tokenizer.pad_id, tokenizer.unknown_id, tokenizer.start_id, tokenizer.end_id]
    assert [tokenizer.vocabulary[id] for id in ids] == SPECIAL


@pytest.mark.parametrize("name", ["word", "sentence_piece"])
def test_ids_of_known_text_go_to_text_and_back(name):
    texts = real_lines()[:200]
    options = {"character_coverage": 1.0} if name == "sentence_piece" else {}
    tokenizer = TOKENIZERS[name].train(texts, 9000, **options)
    for text in texts:
        ids = tokenizer.tokenize(text)
        assert tokenizer.unknown_id not in ids
        again = tokenizer.detokenize([tokenizer.start_id, *ids, tokenizer.end_id, tokenizer.pad_id])
        assert tokenizer.tokenize(again) == ids
        # Sentence pieces keep the spaces, which words do not.
        if name == "sentence_piece":
            assert again == " ".join(unicodedata.normalize("NFKC", text).split())
        else:
            assert again.replace(" ", "") == "".join(text.split())


def test_any_string_gives_valid_ids(tokenizer):
    texts = [*TORTURE, *random_lines(300), "\ud800", "a\udfffb\ud83d\ude00"]
    for text in [*texts, *LONG.values()]:
        ids = tokenizer.tokenize(text)
        assert {type(id) for id in ids} <= {int}
        assert not ids or 0 <= min(ids) <= max(ids) < tokenizer.vocabulary_size
        assert isinstance(tokenizer.detokenize(ids[:1000]), str)


def test_lone_surrogate_is_the_replacement_character(tokenizer):
    assert tokenizer.tokenize("a\ud800 b") == tokenizer.tokenize("a\ufffd b")


def test_call_pads_on_the_right_and_truncates(tokenizer):
    texts = ["", *real_lines()[:20]]
    rows = [tokenizer.tokenize(text) for text in texts]
    batch = tokenizer(texts)
    assert batch.dtype == np.int32
    assert batch.shape == (21, max(map(len, rows)))
    for row, ids in zip(batch, rows, strict=True):
        assert row.tolist() == ids + [0] * (batch.shape[1] - len(ids))
    np.testing.assert_array_equal(tokenizer(texts, max_length=3), batch[:, :3])
    np.testing.assert_array_equal(tokenizer(np.array(texts), max_length=999), batch)
    assert tokenizer([""]).tolist() == [[0]]
    assert tokenizer([]).shape == (0, 1)


def test_save_and_load_is_exact(tokenizer, tmp_path):
    path = tmp_path / "tokenizer.json"
    path.write_text("older")
    tokenizer.save(path)
    assert os.listdir(tmp_path) == ["tokenizer.json"]
    for copy in (load_tokenizer(path), tokenizer_from_json(tokenizer.to_json())):
        assert type(copy) is type(tokenizer)
        assert copy.get_config() == tokenizer.get_config()
        assert copy.vocabulary == tokenizer.vocabulary
        for text in [*TORTURE, *real_lines()]:
            assert copy.tokenize(text) == tokenizer.tokenize(text)


def test_failed_save_leaves_the_old_file_and_no_draft(tokenizer, tmp_path, monkeypatch):
    path = tmp_path / "tokenizer.json"
    path.write_text("older")

    def fail(source, target):
        raise OSError("disk")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="disk"):
        tokenizer.save(path)
    assert path.read_text() == "older"
    assert os.listdir(tmp_path) == ["tokenizer.json"]


def test_detokenize_skips_padding_start_and_end(tokenizer):
    ids = tokenizer.tokenize("good")
    assert tokenizer.detokenize([2, *ids, 3, 0, 0]) == tokenizer.detokenize(ids)
    assert tokenizer.detokenize(np.array([2, 3, 0])) == ""
    assert "[UNK]" in tokenizer.detokenize([1])


@pytest.mark.parametrize("ids", [[-1], [10**9], [1.5], ["a"], [[1]], 5])
def test_detokenize_refuses_what_is_no_id(tokenizer, ids):
    with pytest.raises(ValueError, match="ids: expected"):
        tokenizer.detokenize(ids)


@pytest.mark.parametrize("texts", ["one string", [b"bytes"], [None], 7])
def test_call_refuses_what_is_no_batch_of_strings(tokenizer, texts):
    with pytest.raises(ValueError, match=r"texts.*: expected"):
        tokenizer(texts)
    with pytest.raises(ValueError, match="text: expected a str"):
        tokenizer.tokenize(None)


@pytest.mark.parametrize("max_length", [0, -1, 2.0, True])
def test_call_refuses_a_wrong_max_length(tokenizer, max_length):
    with pytest.raises(ValueError, match="max_length: expected"):
        tokenizer(["a"], max_length=max_length)


@pytest.mark.parametrize("name", TOKENIZERS)
def test_training_refuses_what_it_cannot_learn(name):
    train = TOKENIZERS[name].train
    for texts in ([], [""], "one string", [1], None):
        with pytest.raises(ValueError, match="texts"):
            train(texts, 300)
    for size in (0, 4, -1, 5.5, None, True):
        with pytest.raises(ValueError, match="vocabulary_size"):
            train(["some words here"], size)
    with pytest.raises(ValueError, match="lowercase"):
        train(["some words here"], 300, lowercase="yes")


@pytest.mark.parametrize(("name", "needed"), [("word_piece", 11), ("sentence_piece", 9)])
def test_training_says_how_many_ids_the_characters_need(name, needed):
    with pytest.raises(ValueError, match=rf"vocabulary_size.*\b{needed}\b"):
        TOKENIZERS[name].train(["abcd abcd"], 6)
    assert TOKENIZERS[name].train(["abcd abcd"], needed).vocabulary_size == needed
    with pytest.raises(ValueError, match="character_coverage"):
        TOKENIZERS[name].train(["abcd"], 300, character_coverage=1.5)


@pytest.mark.parametrize("configuration", CONFIGURATIONS)
def test_vocabulary_size_is_an_upper_bound(configuration):
    name, options = CONFIGURATIONS[configuration]
    small = TOKENIZERS[name].train(["ab ab abc"] * 3, 10_000, **options)
    assert small.vocabulary_size < 300
    assert trained(configuration).vocabulary_size <= 3000


def test_training_is_the_same_in_another_process():
    code = """
import json
from tests.text.samples import CONFIGURATIONS, trained
print(json.dumps([trained(configuration).to_json() for configuration in CONFIGURATIONS]))
"""
    environment = {**os.environ, "KERAS_BACKEND": "jax", "PYTHONHASHSEED": "1"}
    output = subprocess.run(
        [sys.executable, "-c", code], env=environment, check=True, stdout=subprocess.PIPE
    ).stdout
    for configuration, string in zip(CONFIGURATIONS, json.loads(output), strict=True):
        assert string == trained(configuration).to_json(), configuration


def test_the_python_path_leaves_tensorflow_alone(tmp_path):
    # A finder that refuses TensorFlow stands for a machine without it.
    code = f"""
import sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("tensorflow", "tensorflow_text", "keras_hub"):
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Refuse())
from kzoo.text import TOKENIZERS, load_tokenizer
for name, Tokenizer in TOKENIZERS.items():
    tokenizer = Tokenizer.train(["영화 good"] * 9, 300)
    tokenizer.save({str(tmp_path)!r} + "/" + name)
    copy = load_tokenizer({str(tmp_path)!r} + "/" + name)
    assert copy.detokenize(copy(["영화 good"])[0]) == "영화 good", name
assert not [name for name in sys.modules if name.startswith(("tensorflow", "keras_hub"))]
"""
    environment = {**os.environ, "KERAS_BACKEND": "jax"}
    subprocess.run([sys.executable, "-c", code], env=environment, check=True)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[1]",
        "null",
        '"word"',
        "{}",
        '{"tokenizer": "morpheme", "config": {}}',
        '{"tokenizer": ["word"], "config": {}}',
        '{"tokenizer": "byte"}',
        '{"tokenizer": "byte", "config": [1]}',
        '{"tokenizer": "byte", "config": {"lower": true}}',
        '{"tokenizer": "byte", "config": {"lowercase": 1}}',
        '{"tokenizer": "word", "config": {"vocabulary": "abc"}}',
        '{"tokenizer": "word", "config": {"vocabulary": ["a"]}}',
        '{"tokenizer": "sentence_piece", "config": {"proto": "YWJj"}}',
        '{"tokenizer": "sentence_piece", "config": {"proto": "é"}}',
        '{"tokenizer": "sentence_piece", "config": {"proto": ""}}',
    ],
)
def test_wrong_json_is_refused(content, tmp_path):
    with pytest.raises(ValueError, match="expected"):
        tokenizer_from_json(content)
    (tmp_path / "wrong.json").write_text(content)
    with pytest.raises(ValueError, match="expected"):
        load_tokenizer(tmp_path / "wrong.json")


def test_unreadable_file_is_refused(tmp_path):
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    for path in (tmp_path / "missing", tmp_path, tmp_path / "binary"):
        with pytest.raises(ValueError, match="path: expected a tokenizer file"):
            load_tokenizer(path)


@pytest.mark.parametrize("extra", [["a", "a"], [""], [3], ["\ud800"], ["[UNK]"]])
@pytest.mark.parametrize("Tokenizer", [WordTokenizer, CharacterTokenizer, WordPieceTokenizer])
def test_wrong_vocabulary_is_refused(Tokenizer, extra):
    with pytest.raises(ValueError, match="vocabulary"):
        Tokenizer([*SPECIAL, *extra])
