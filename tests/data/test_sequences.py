"""Sequences of classes: words and names out of tagged sentences, and chorales with their mode."""

import json
import lzma

import numpy as np
import pytest

from kzoo.data import load_melodies, load_names, load_tagging
from kzoo.data.melodies import find_key

SCALE = [60, 62, 64, 65, 67, 69, 71, 72]


def write_chorales(folder, content):
    """A file as published, packed otherwise."""
    home = folder / "jsb_chorales"
    home.mkdir(exist_ok=True)
    data = lzma.compress(json.dumps(content).encode())
    (home / "jsb-chorales-quarter.json.xz").write_bytes(data)
    return folder


def test_names_are_whole_entities():
    names = load_names("ner_ko")
    tagging = load_tagging("ner_ko")
    texts = ["".join(words) for words in (*tagging.train.words, *tagging.test.words)]
    found = [text for text in names.test.texts if any(text in sentence for sentence in texts)]
    assert len(found) > 0.8 * len(names.test)
    assert max(map(len, names.train.texts)) <= 24
    person = names.class_names.index("PS")
    chosen = [t for t, n in zip(names.train.texts, names.train.labels, strict=True) if n == person]
    assert "허태열" in chosen
    assert any(" " in text for text in load_names("ner_en").train.texts)


def test_words_are_in_one_part_only():
    words = load_names("pos_en")
    parts = [set(part.texts) for part in (words.train, words.validation, words.test)]
    count = sum(map(len, parts))
    assert count == len(set().union(*parts))
    assert 0.08 < len(parts[2]) / count < 0.12
    assert "PUNCT" not in words.class_names
    assert all(text == text.lower() for text in words.test.texts)
    again = load_names("pos_en")
    assert again.validation.texts == words.validation.texts
    np.testing.assert_array_equal(again.test.labels, words.test.labels)


def test_keys_of_scales():
    """A scale with its tonic, third and fifth twice; its relative key has the same notes."""
    assert find_key([*SCALE, 60, 64, 67]) == "C major"
    assert find_key([note + 9 for note in [*SCALE, 60, 64, 67]]) == "A major"
    minor = [57, 59, 60, 62, 64, 65, 67, 69, 57, 60, 64, 57]
    assert find_key(minor) == "A minor"
    assert find_key([note + 3 for note in minor]) == "C minor"


def test_a_step_is_its_highest_note_or_all_its_notes(tmp_path):
    major = [[60, 64, 67, 72], [60, 67, 64], [], [55, 55, 67]]
    minor = [[57, 60, 64, 69]] * 3
    content = {"train": [major], "valid": [minor], "test": [major, minor]}
    folder = write_chorales(tmp_path, content)
    melodies = load_melodies(folder)
    assert melodies.class_names == ["major", "minor"]
    assert melodies.train.texts == ["72 67 rest 67"]
    assert melodies.test.labels.tolist() == [0, 1]
    voices = load_melodies(folder, "all")
    assert voices.train.texts == ["60 64 67 72 | 60 64 67 | | 55 67 |"]


def test_what_is_wrong_is_named(tmp_path):
    with pytest.raises(ValueError, match="voices: expected one of soprano, all, got 'alto'"):
        load_melodies(tmp_path, "alto")
    with pytest.raises(ValueError, match="jsb_chorales does not come with kzoo"):
        load_melodies(None)
    with pytest.raises(FileNotFoundError, match=r"jsb-chorales-quarter\.json"):
        load_melodies(tmp_path)
    folder = write_chorales(tmp_path, {"train": [[[60]]], "test": []})
    with pytest.raises(ValueError, match="expected lists train, valid and test of chorales"):
        load_melodies(folder)
