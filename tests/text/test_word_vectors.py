"""Tables of word vectors: files, neighbours, analogies."""

import gzip

import numpy as np
import pytest

from kzoo.text import WordVectors

WORDS = ["[PAD]", "왕", "왕비", "남자", "여자", "사과\u3000즙"]
TABLE = np.array(
    [[0, 0, 0], [1, 1, 0.1], [0, 1.1, 1], [1, 0, 0], [0, 0, 1], [-1, 0.3, -2 / 3]], "float32"
)
VECTORS = WordVectors(WORDS, TABLE)


@pytest.mark.parametrize("name", ["table.txt", "table.txt.gz", "table.npz"])
def test_a_table_comes_back_as_it_was(name, tmp_path):
    VECTORS.save(tmp_path / name)
    loaded = WordVectors.load(tmp_path / name)
    assert loaded.words == WORDS
    np.testing.assert_array_equal(loaded.table, TABLE)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_text_without_a_first_line_and_with_spaces_at_the_end_reads_too(tmp_path):
    (tmp_path / "glove.vec").write_text("the 0.5 -1 2\nof 1e-3 0 0\n")
    loaded = WordVectors.load(tmp_path / "glove.vec")
    assert (loaded.words, loaded["of"][0]) == (["the", "of"], np.float32(1e-3))
    (tmp_path / "fast_text.vec").write_text("the 0.5 -1 2 \nof 1e-3 0 0 \n")
    np.testing.assert_array_equal(WordVectors.load(tmp_path / "fast_text.vec").table, loaded.table)
    with gzip.open(tmp_path / "word2vec.txt.gz", "wt") as file:
        file.write("2 3\nthe 0.5 -1 2 \nof 1 0 0 \n")
    assert WordVectors.load(tmp_path / "word2vec.txt.gz").table.shape == (2, 3)


def test_neighbours_are_ordered_by_cosine_and_leave_out_the_word_and_empty_rows():
    cosines = TABLE[1:] @ TABLE[1] / np.linalg.norm(TABLE[1:], axis=1) / np.linalg.norm(TABLE[1])
    order = [n for n in np.argsort(-cosines) if n != 0]
    found = VECTORS.neighbours("왕", 9)
    assert [word for word, _ in found] == [WORDS[1:][n] for n in order]
    np.testing.assert_allclose([cosine for _, cosine in found], cosines[order], atol=1e-6)
    assert VECTORS.neighbours(TABLE[1], 1)[0][0] == "왕"
    # Rows of zeros take no place from those that point elsewhere.
    sparse = WordVectors(["a", "b", "c", "d"], [[1, 0], [0, 0], [0, 0], [-1, 0]])
    assert sparse.neighbours("a", 1) == [("d", -1.0)]


def test_analogies_leave_out_what_was_given():
    assert VECTORS.analogy("남자", "왕", "여자")[0][0] == "왕비"


@pytest.mark.parametrize(
    ("run", "message"),
    [
        (lambda path: WordVectors(["a"], TABLE), "a row for each of 1 words, came shape"),
        (lambda path: WordVectors(["a", "a"], [[1.0], [2.0]]), "none twice"),
        (lambda path: VECTORS["emu"], "one of 6 known words, came 'emu'"),
        (lambda path: VECTORS.analogy("왕", "emu", "왕비"), "came 'emu'"),
        (lambda path: VECTORS.save(path / "table.bin"), "a file that ends in"),
        (lambda path: WordVectors.load(path / "odd.txt"), "as many numbers in every line"),
        (lambda path: WordVectors.load(path / "odd.npz"), "expected words and vectors"),
        (lambda path: WordVectors.load(path / "cut.txt.gz"), "expected words and vectors"),
        (lambda path: WordVectors.load(path / "cut.npz"), "expected words and vectors"),
        (
            lambda path: WordVectors(["New York"], [[1.0]]).save(path / "two.txt"),
            r"ends in \.npz, for words with spaces, such as 'New York'",
        ),
    ],
)
def test_what_is_wrong_is_named(run, message, tmp_path):
    (tmp_path / "odd.txt").write_text("a 1 2\nb 1\n")
    np.savez(tmp_path / "odd.npz", words=np.array(["a"]))
    (tmp_path / "cut.txt.gz").write_bytes(gzip.compress(b"a 1 2\nb 1 3\n")[:-9])
    (tmp_path / "cut.npz").write_bytes((tmp_path / "odd.npz").read_bytes()[:-9])
    with pytest.raises(ValueError, match=message):
        run(tmp_path)
