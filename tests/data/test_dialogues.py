"""Dialogues: upstream layouts, splits by question and by dialogue, broken rows."""

import gzip
import warnings

import pytest

from kzoo.data import DataWarning, list_dialogues, load_dialogues
from kzoo.data.embed import OFFENSIVE
from kzoo.data.pairs import PairRow, split_pairs


def write_self_dialogues(root, dialogues=30, broken=()):
    """Writes made-up dialogues of four turns in the upstream layout."""
    folder = root / "self_dialogue_en"
    folder.mkdir(exist_ok=True)
    for file in ("train", "dev"):
        lines = [
            "\t".join(["music", *(f"{file} {row} turn {turn}" for turn in range(4))])
            for row in range(dialogues)
        ]
        if file == "train":
            lines += broken
        data = b"".join((x if isinstance(x, bytes) else x.encode()) + b"\n" for x in lines)
        (folder / f"{file}.tsv.gz").write_bytes(gzip.compress(data))
    return folder


def test_each_turn_answers_the_one_before_and_dialogues_stay_whole(tmp_path):
    write_self_dialogues(tmp_path)
    data = load_dialogues("self_dialogue_en", tmp_path)
    assert [len(part) for part in (data.train, data.validation, data.test)] == [81, 9, 90]
    assert data.test.sources[:3] == [f"dev 0 turn {turn}" for turn in (0, 1, 2)]
    assert data.test.targets[:3] == [f"dev 0 turn {turn}" for turn in (1, 2, 3)]
    whose = [{text.split()[1] for text in part.sources} for part in (data.train, data.validation)]
    assert [len(rows) for rows in whose] == [27, 3]
    assert not whose[0] & whose[1]


def test_a_turn_known_from_training_is_no_validation(tmp_path):
    dialogues = [f"music\tHello.\tanswer {row}\tquestion {row}\tbye {row}" for row in range(30)]
    write_self_dialogues(tmp_path, dialogues=0, broken=dialogues)
    (tmp_path / "self_dialogue_en" / "dev.tsv.gz").write_bytes(gzip.compress(b"music\ta\tb\n"))
    data = load_dialogues("self_dialogue_en", tmp_path)
    assert "Hello." in data.train.sources
    assert len(data.train) == 81
    assert [text.split()[0] for text in data.validation.sources] == ["answer", "question"] * 3


def test_broken_dialogues_are_skipped_with_one_counted_warning(tmp_path):
    broken = ["music\tonly one turn", "music\tone\t \tthree", b"music\t\xff\ttwo", "music"]
    write_self_dialogues(tmp_path, broken=broken)
    with pytest.warns(DataWarning) as caught:
        data = load_dialogues("self_dialogue_en", tmp_path)
    assert len(caught) == 1
    assert "skipped 4 of 34 rows; first: line 31: expected a topic and two" in str(
        caught[0].message
    )
    assert caught[0].filename == __file__
    assert (
        data.skipped[1] == "train.tsv.gz: line 32: expected a text in every turn, got none in one"
    )
    assert [row.split(":")[1] for row in data.skipped] == [f" line {n}" for n in range(31, 35)]


def write_chat(root, *rows):
    lines = ["Q,A,label", *(f"question {row},answer {row % 7},0" for row in range(30)), *rows]
    (root / "chatbot_ko.csv").write_text("\r\n".join(lines), encoding="utf-8")


def test_quotes_and_windows_line_ends_stay_out_of_the_way(tmp_path):
    write_chat(tmp_path, '"who, you?","me, ""Kim""",1')
    data = load_dialogues("chatbot_ko", tmp_path)
    pairs = {
        pair
        for part in (data.train, data.validation, data.test)
        for pair in zip(part.sources, part.targets, strict=True)
    }
    assert ("who, you?", 'me, "Kim"') in pairs
    assert len(pairs) == 31


def test_broken_rows_of_a_table_are_skipped(tmp_path):
    write_chat(tmp_path, 'a,"b,0', "two,columns", "question,,0")
    with pytest.warns(DataWarning, match="skipped 3 of 33 rows; first: line 32: expected a row of"):
        data = load_dialogues("chatbot_ko", tmp_path)
    assert "line 33: expected 3 columns, got 2" in data.skipped[1]
    assert "line 34: expected a text in every turn" in data.skipped[2]


def test_another_header_is_an_error_with_file_and_line(tmp_path):
    (tmp_path / "chatbot_ko.csv").write_text("question,answer\na,b\n")
    with pytest.raises(ValueError, match=r"chatbot_ko\.csv: line 1: expected the columns Q,A,la"):
        load_dialogues("chatbot_ko", tmp_path)


def test_unknown_names_and_missing_folders_say_what_was_expected(tmp_path):
    assert list_dialogues() == ["chatbot_ko", "self_dialogue_en"]
    with pytest.raises(ValueError, match="name: expected one of chatbot_ko, self_dialogue_en, got"):
        load_dialogues("cornell")
    with pytest.raises(ValueError, match=r"self_dialogue_en does not come .*train\.tsv, dev\.tsv"):
        load_dialogues("self_dialogue_en")
    with pytest.raises(FileNotFoundError, match="which has no such files"):
        load_dialogues("self_dialogue_en", tmp_path)


def test_the_embedded_set_loads_whole_and_shares_no_question():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        data = load_dialogues("chatbot_ko")
    parts = data.train, data.validation, data.test
    assert [len(part) for part in parts] == [9523, 1060, 1169]
    questions = [set(part.sources) for part in parts]
    assert sum(map(len, questions)) == len(set.union(*questions))
    texts = [text for part in parts for text in part.sources + part.targets]
    assert [text for text in texts if OFFENSIVE.search(text)] == []


def test_too_few_groups_to_split_are_an_error():
    rows = [PairRow("train", "same group", f"source {row}", "target") for row in range(9)]
    with pytest.raises(ValueError, match="two different texts or more"):
        split_pairs(rows)
