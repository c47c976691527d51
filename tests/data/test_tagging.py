"""Readers of tagged sentences: formats, splits, and rows that cannot be used."""

import lzma
import warnings

import pytest

from kzoo.data import DataWarning, list_tagging, load_tagging

CONLLU = """# newdoc id = one
# text = I don't.
1\tI\ti\tPRON\tPRP\t_\t2\tnsubj\t_\t_
2-3\tdon't\t_\t_\t_\t_\t_\t_\t_\t_
2\tdo\tdo\tAUX\tVBP\t_\t0\troot\t_\t_
3\tn't\tnot\tPART\tRB\t_\t2\tadvmod\t_\t_
3.1\tgo\tgo\tVERB\tVB\t_\t_\t_\t_\t_
4\t.\t.\tPUNCT\t.\t_\t2\tpunct\t_\t_

1\t#\t#\tSYM\tNN\t_\t0\troot\t_\t_
2\t\u20281\t1\tNUM\tCD\t_\t1\tnummod\t_\t_
"""


def write_treebank(folder, train=CONLLU):
    home = folder / "ud_en_ewt"
    home.mkdir(exist_ok=True)
    for name in ("train", "dev", "test"):
        text = train if name == "train" else CONLLU
        (home / f"{name}.conllu.xz").write_bytes(lzma.compress(text.encode()))
    return folder


def test_conllu_has_the_tokens_and_their_universal_tags(tmp_path):
    data = load_tagging("ud_en_ewt", write_treebank(tmp_path))
    assert data.train.words == [["I", "do", "n't", "."], ["#", "\u20281"]]
    assert data.train.tags == [["PRON", "AUX", "PART", "PUNCT"], ["SYM", "NUM"]]
    assert len(data.validation) == len(data.test) == 2
    assert data.unit == "word"
    assert len(data.tag_names) == 17


def test_a_sentence_with_a_broken_row_is_skipped_and_counted(tmp_path):
    broken = "1\tto\tto\tTO\tTO\t_\t0\troot\t_\t_\n2\tgo\n\n1\t\t_\tX\t_\t_\t0\troot\t_\t_\n"
    write_treebank(tmp_path, f"{CONLLU}\n{broken}\n")
    with pytest.warns(DataWarning, match=r"train\.conllu\.xz: skipped 2 of 4 rows") as caught:
        data = load_tagging("ud_en_ewt", tmp_path)
    assert caught[0].filename == __file__
    assert len(data.train) == 2
    assert data.skipped[0].startswith("train.conllu.xz: line 13: expected a tag of ADJ, ADP")
    assert data.skipped[1] == "train.conllu.xz: line 16: expected a word, got none"


def test_bytes_that_are_no_utf8_are_skipped_with_their_line(tmp_path):
    home = tmp_path / "wnut17"
    home.mkdir()
    for name in ("train", "dev", "test"):
        rows = b"#one\tO\nParis\tB-location\n\t\nA\tO\n\xff\tO\n\nB\tO"
        (home / f"{name}.conll").write_bytes(rows)
    with pytest.warns(DataWarning, match="line 5: 'utf-8' codec can't decode"):
        data = load_tagging("wnut17", tmp_path)
    assert data.train.words == [["#one", "Paris"], ["B"]]
    assert data.train.tags == [["O", "B-location"], ["O"]]


def test_characters_keep_their_spaces_and_a_tenth_is_held_out(tmp_path):
    sentence = "## one\t<{0}:PS> #\n{0}\tB-PS\n \tO\n#\tO\n\n"
    for name, start in (("train", 0xAC00), ("dev", 0xB000)):
        text = "".join(sentence.format(chr(start + row)) for row in range(40))
        (tmp_path / f"{name}.tsv").write_text(text, encoding="utf-8")
    data = load_tagging("klue_ner", tmp_path)
    assert (len(data.train), len(data.validation), len(data.test)) == (36, 4, 40)
    assert data.train.words[0][1:] == [" ", "#"]
    assert data.unit == "character"
    again = load_tagging("klue_ner", tmp_path)
    assert again.validation.words == data.validation.words


def test_a_file_without_a_sentence_is_an_error(tmp_path):
    write_treebank(tmp_path, "# nothing\n")
    with pytest.raises(ValueError, match="none of its 0 rows can be used"):
        load_tagging("ud_en_ewt", tmp_path)


@pytest.mark.parametrize(
    ("name", "sizes"),
    [
        ("pos_en", (3596, 404, 500)),
        ("pos_ko", (2251, 249, 500)),
        ("ner_en", (3394, 1009, 1287)),
        ("ner_ko", (1440, 160, 300)),
    ],
)
def test_embedded_sets_are_whole_and_well_formed(name, sizes):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        data = load_tagging(name)
    parts = data.train, data.validation, data.test
    assert tuple(map(len, parts)) == sizes
    for part in parts:
        for words, tags in zip(part.words, part.tags, strict=True):
            assert len(words) == len(tags) > 0
            for before, tag in zip(["O", *tags], tags, strict=False):
                # The inside of an entity follows its beginning, or its inside.
                assert not tag.startswith("I-") or before[2:] == tag[2:]


def test_unknown_names_and_missing_folders_say_what_was_expected():
    assert "klue_ner" in list_tagging()
    with pytest.raises(ValueError, match="name: expected one of klue_ner, ner_en"):
        load_tagging("conll2003")
    with pytest.raises(ValueError, match="wnut17 does not come with kzoo"):
        load_tagging("wnut17")
