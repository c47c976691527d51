"""What word vectors are measured by, in the layout of its publishers."""

import gzip

import pytest

from kzoo.data import DataWarning, load_analogies, load_similarities


def test_pairs_and_analogies_are_read(tmp_path):
    folder = tmp_path / "word_eval"
    folder.mkdir()
    (folder / "EN-WS-353-ALL.txt.gz").write_bytes(gzip.compress(b"love\tsex\t6.77\tM\na\tb\n"))
    (folder / "word_analogy_korean.txt").write_text(
        ": syn1\n나 나는 너 너는\n너 너는 나 나는\n: sem2 family\n왕 왕비 남자 여자\n",
        encoding="utf-8",
    )
    with pytest.warns(DataWarning, match="got 2 columns"):
        assert load_similarities("wordsim_353", tmp_path) == [("love", "sex", 6.77)]
    kinds = load_analogies("analogies_ko", folder)
    assert list(kinds) == ["syn1", "sem2 family"]
    assert kinds["syn1"][1] == ("너", "너는", "나", "나는")


def test_what_is_wrong_is_named(tmp_path):
    with pytest.raises(ValueError, match="one of wordsim_353, rg_65, got 'analogies_ko'"):
        load_similarities("analogies_ko", tmp_path)
    with pytest.raises(FileNotFoundError, match=r"questions-words.txt"):
        load_analogies("analogies_en", tmp_path)
    with pytest.raises(ValueError, match="does not come with kzoo"):
        load_analogies("analogies_en", None)
