"""The readers, on small files written here and on the sets that come with kzoo."""

import gzip
import lzma
import re
import warnings

import numpy as np
import pytest

from kzoo.data import DataWarning, list_datasets, load_text_classification
from kzoo.data.catalog import SOURCES
from kzoo.data.embed import OFFENSIVE

PACKERS = {"": bytes, ".gz": gzip.compress, ".xz": lzma.compress}


def write_set(root, name, rows=40, packed=".gz", broken=()):
    """Writes a made-up set in its upstream layout: row i has class i modulo the classes."""
    source = SOURCES[name]
    for split, file in source.files.items():
        lines = [source.separator.join(source.columns)] if source.header else []
        for row in range(rows):
            cells = dict.fromkeys(source.columns, "x")
            cells[source.label] = source.labels[row % len(source.labels)]
            cells[source.text] = f"{split} text {row}"
            if "split" in cells:
                cells["split"] = "test" if row % 4 > 1 else "train"
            lines.append(source.separator.join(cells[column] for column in source.columns))
        if split == "train":
            lines += broken
        data = b"".join((x if isinstance(x, bytes) else x.encode()) + b"\n" for x in lines)
        path = root / source.folder / (file + packed)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(PACKERS[packed](data))
    return path


@pytest.mark.parametrize("packed", list(PACKERS))
@pytest.mark.parametrize("name", list_datasets())
def test_every_set_reads_from_its_upstream_layout(name, packed, tmp_path):
    write_set(tmp_path, name, packed=packed)
    data = load_text_classification(name, tmp_path)
    source = SOURCES[name]
    parts = {"train": data.train, "validation": data.validation, "test": data.test}
    assert all(len(part) == len(part.texts) == len(part.labels) > 0 for part in parts.values())
    assert sum(map(len, parts.values())) == 40 * len(source.files)
    for split, part in parts.items():
        assert part.labels.dtype == np.int32
        if split in source.files and split != "train":
            assert all(text.startswith(split) for text in part.texts)
        for text, label in zip(part.texts, part.labels, strict=True):
            assert int(text.split()[-1]) % len(source.labels) == label
    assert data.name == name
    assert len(data.class_names) == len(source.labels)
    assert data.skipped == []


def test_treebank_words_are_joined(tmp_path):
    written = {
        "it 's a `` film '' , is n't it ?": "it's a \"film\", isn't it?",
        "we 've -lrb- they 'd ca n't -rrb- ... .": "we've (they'd can't)....",
        "and\\/or 'n' rock -- so what !": "and/or 'n' rock -- so what!",
        "the '70s , u.s. 5.5 and $ 3": "the '70s, u.s. 5.5 and $ 3",
    }
    broken = [f"1 {text}" for text in written]
    write_set(tmp_path, "sst2", packed="", broken=broken)
    assert load_text_classification("sst2", tmp_path).train.texts[-4:] == list(written.values())
    # Sets whose words are not split so are left as they are.
    write_set(tmp_path, "subj", packed="", broken=broken)
    data = load_text_classification("subj", tmp_path)
    texts = {text for part in (data.train, data.validation, data.test) for text in part.texts}
    assert texts > set(written)


def test_folds_have_other_test_texts():
    first, second = (load_text_classification("spam_en", fold=fold) for fold in (0, 1))
    assert not set(first.test.texts) & set(second.test.texts)
    assert abs(len(first.test) - len(second.test)) < 60


def test_a_set_with_a_test_split_has_no_folds():
    with pytest.raises(ValueError, match="fold: expected 0, for sentiment_ko has a test split"):
        load_text_classification("sentiment_ko", fold=1)


def test_the_set_directory_itself_is_accepted(tmp_path):
    write_set(tmp_path, "nsmc")
    whole = load_text_classification("nsmc", tmp_path)
    direct = load_text_classification("nsmc", str(tmp_path / "nsmc_rebuilt"))
    assert whole.train.texts == direct.train.texts


def test_malicious_comments_are_class_one(tmp_path):
    folder = tmp_path / "malicious_ko"
    folder.mkdir()
    rows = ["content\tlable"] + [f"bad {i}\t0\nfine {i}\t1" for i in range(20)]
    (folder / "all.tsv").write_text("\ufeff" + "\n".join(rows), encoding="utf-8")
    data = load_text_classification("malicious_ko", tmp_path)
    for text, label in zip(data.train.texts, data.train.labels, strict=True):
        assert data.class_names[label] == ("malicious" if text.startswith("bad") else "clean")


def test_a_row_quoted_by_a_spreadsheet_is_unquoted(tmp_path):
    write_set(tmp_path, "malicious_ko", broken=['"they said ""no"" again\t0"'])
    data = load_text_classification("malicious_ko", tmp_path)
    texts = data.train.texts + data.validation.texts + data.test.texts
    assert 'they said "no" again' in texts


def test_windows_line_ends_and_other_separators_stay_out_of_the_way(tmp_path):
    write_set(tmp_path, "intent_ko", broken=["0\tcarriage return\r", "1\tone\x85text\u2028whole"])
    data = load_text_classification("intent_ko", tmp_path)
    texts = data.train.texts + data.validation.texts + data.test.texts
    assert {"carriage return", "one\x85text\u2028whole"} <= set(texts)


def test_broken_rows_are_skipped_with_one_counted_warning(tmp_path):
    broken = ["1\ttwo columns", "1\tgood\t2", "1\t   \t1", b"1\t\xff\xfe\t1", "1\ta\tb\t1"]
    write_set(tmp_path, "nsmc", broken=broken)
    with pytest.warns(DataWarning) as caught:
        data = load_text_classification("nsmc", tmp_path)
    assert len(caught) == 1
    message = str(caught[0].message)
    assert message.startswith(str(tmp_path / "nsmc_rebuilt" / "train.tsv.gz"))
    assert "skipped 5 of 45 rows; first: line 42: expected 3 columns, got 2" in message
    assert caught[0].filename == __file__
    assert [row.split(":")[1] for row in data.skipped] == [f" line {n}" for n in range(42, 47)]
    assert "expected a label of 0, 1, got '2'" in data.skipped[1]
    assert "expected a text, got none" in data.skipped[2]
    assert "position 2" in data.skipped[3]
    assert "expected 3 columns, got 4" in data.skipped[4]
    assert len(data.train) + len(data.validation) == 40


def test_an_unknown_split_is_a_broken_row(tmp_path):
    write_set(tmp_path, "sentiment_ko", broken=["dev\ttext\t1"])
    with pytest.warns(DataWarning, match="expected a split of train, validation, test, got 'dev'"):
        load_text_classification("sentiment_ko", tmp_path)


def test_no_usable_row_is_an_error_with_file_and_line(tmp_path):
    folder = tmp_path / "sms_spam"
    folder.mkdir()
    (folder / "sms.tsv").write_text("eggs\thello\neggs\tagain\n")
    with pytest.raises(ValueError, match=r"sms\.tsv: none of its 2 rows .*line 1: expected a la"):
        load_text_classification("sms_spam", tmp_path)
    (folder / "sms.tsv").write_text("")
    with pytest.raises(ValueError, match=r"sms\.tsv: none of its 1 rows"):
        load_text_classification("sms_spam", tmp_path)


def test_another_header_is_an_error_with_file_and_line(tmp_path):
    write_set(tmp_path, "nsmc")
    path = tmp_path / "nsmc_rebuilt" / "test.tsv.gz"
    path.write_bytes(gzip.compress(b"id\tlabel\n1\t1\n"))
    expected = r"test\.tsv\.gz: line 1: expected the columns id, document, label, got id, label"
    with pytest.raises(ValueError, match=expected):
        load_text_classification("nsmc", tmp_path)
    path.write_bytes(gzip.compress(b"id\tdocument\tlabel\n"))
    with pytest.raises(ValueError, match=r"none of its 0 rows .*ends after line 1"):
        load_text_classification("nsmc", tmp_path)


@pytest.mark.parametrize("packed", [".gz", ".xz"])
def test_a_file_cut_short_is_an_error_with_its_name(packed, tmp_path):
    path = write_set(tmp_path, "sms_spam", packed=packed)
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(ValueError, match=rf"sms\.tsv\{packed}: damaged or cut short"):
        load_text_classification("sms_spam", tmp_path)
    path.write_bytes(b"this is no packed file")
    with pytest.raises(ValueError, match="damaged or cut short"):
        load_text_classification("sms_spam", tmp_path)


def test_unknown_names_and_missing_folders_say_what_was_expected(tmp_path):
    with pytest.raises(ValueError, match=r"name: expected one of hate_ko, .* got 'nsmd'"):
        load_text_classification("nsmd")
    with pytest.raises(ValueError, match=r"--data\), a directory with train\.tsv, test\.ts"):
        load_text_classification("nsmc")
    with pytest.raises(FileNotFoundError, match=r"train\.tsv, test\.tsv .* in its nsmc_rebuilt/"):
        load_text_classification("nsmc", tmp_path)
    with pytest.raises(FileNotFoundError, match=r"absent', which is no directory"):
        load_text_classification("nsmc", tmp_path / "absent")
    write_set(tmp_path, "nsmc").unlink()
    with pytest.raises(FileNotFoundError, match="which has no such files"):
        load_text_classification("nsmc", tmp_path)


def test_too_few_texts_to_split_is_an_error(tmp_path):
    write_set(tmp_path, "sms_spam", rows=2)
    with pytest.raises(ValueError, match="two different texts or more"):
        load_text_classification("sms_spam", tmp_path)


@pytest.mark.parametrize(
    ("name", "sizes"), [("sentiment_ko", (4194, 466, 914)), ("spam_en", (4523, 503, 548))]
)
def test_the_embedded_sets_load_whole(name, sizes):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        data = load_text_classification(name)
    assert (len(data.train), len(data.validation), len(data.test)) == sizes
    parts = [set(part.texts) for part in (data.train, data.validation, data.test)]
    assert sum(map(len, parts)) == len(set.union(*parts))


def test_the_embedded_reviews_are_balanced_and_clean():
    data = load_text_classification("sentiment_ko")
    # The worst words once more, so that a hole in the long list shows.
    worst = re.compile("시발|씨발|ㅅㅂ|병신|새끼|좆|지랄|개년|썅|씹|엿먹|존나|빨갱|짱깨|강간")
    for part in (data.train, data.validation, data.test):
        assert abs(part.labels.mean() - 0.5) < 0.01
        assert [text for text in part.texts if OFFENSIVE.search(text) or worst.search(text)] == []
