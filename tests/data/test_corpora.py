"""Plain text: upstream layouts, cuts, files and folders of yours."""

import gzip
import lzma

import pytest

from kzoo.data import list_corpora, load_corpus, read_corpus
from kzoo.data.embed import OFFENSIVE


@pytest.mark.parametrize("name", ["language_en", "language_ko"])
def test_what_comes_with_kzoo_reads_without_a_folder(name):
    data = load_corpus(name)
    sizes = [len(part) for part in (data.train, data.validation, data.test)]
    total = sum(sizes)
    assert total > 200_000
    assert sizes == [int(0.8 * total), int(0.9 * total) - int(0.8 * total), sizes[2]]
    assert not any(map(OFFENSIVE.search, (data.train, data.validation, data.test)))
    assert data.licence in ("public domain", "CC0 1.0")


def test_tinyshakespeare_is_cut_as_in_nanogpt(tmp_path):
    text = "".join(chr(65 + n % 26) for n in range(1000))
    (tmp_path / "input.txt.gz").write_bytes(gzip.compress(text.encode()))
    data = load_corpus("tinyshakespeare", tmp_path)
    assert (data.train, data.validation, data.test) == (text[:900], text[900:], "")


def test_imdb_reviews_are_one_a_line_without_markup(tmp_path):
    (tmp_path / "imdb").mkdir()
    rows = ["label\trating\ttext"] + [f"{n % 2}\t9\tgood<br />film {n}" for n in range(60)]
    (tmp_path / "imdb" / "train.tsv").write_text("\n".join(rows))
    (tmp_path / "imdb" / "unsup.txt.xz").write_bytes(lzma.compress(b"no label\n" * 40))
    data = load_corpus("imdb_reviews", tmp_path)
    lines = (data.train + data.validation + data.test).split("\n")
    assert lines[:2] + lines[-1:] == ["good film 0", "good film 1", "no label"]
    assert len(lines) == 100
    assert data.licence.startswith("research use")


def test_a_file_of_yours_is_cut_and_keeps_its_line_breaks(tmp_path):
    path = tmp_path / "mine.v2.txt.xz"
    path.write_bytes(lzma.compress("\ufeff한국\r\n어\n\n가나다라\n".encode()))
    data = read_corpus(path)
    assert data.name == "mine"
    assert data.train + data.validation + data.test == "한국\n어\n\n가나다라"
    assert data.train == "한국\n어\n\n가나"


def test_a_folder_of_yours_has_a_file_for_each_part(tmp_path):
    for part in ("train", "valid"):
        (tmp_path / f"wiki.{part}.tokens").write_text(f"{part}\ntext")
    data = read_corpus(tmp_path)
    assert (data.train, data.validation, data.test) == ("train\ntext", "valid\ntext", "")
    (tmp_path / "test.txt").write_text("last")
    assert read_corpus(tmp_path).test == "last"
    (tmp_path / "train.txt").write_text("another")
    with pytest.raises(ValueError, match=r"one file \*train\* .* got train.txt, wiki.train.tokens"):
        read_corpus(tmp_path)


def test_what_is_wrong_is_named(tmp_path):
    assert "language_en" in list_corpora()
    with pytest.raises(ValueError, match=r"name: expected one of .*language_en, .* got 'nothing'"):
        load_corpus("nothing")
    with pytest.raises(ValueError, match=r"tinyshakespeare does not come .*input\.txt"):
        load_corpus("tinyshakespeare")
    with pytest.raises(FileNotFoundError, match=r"without \*train\* and \*valid\*"):
        read_corpus(tmp_path)
    path = tmp_path / "broken.txt"
    path.write_bytes(b"a\xff")
    with pytest.raises(ValueError, match=r"broken.txt: expected UTF-8, got .* position 1"):
        read_corpus(path)
    path.write_bytes(b" \n")
    with pytest.raises(ValueError, match="nothing but blanks"):
        read_corpus(path)
