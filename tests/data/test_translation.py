"""Parallel texts: upstream layouts, both directions, splits without leaks, broken rows."""

import lzma
import warnings

import pytest

from kzoo.data import DataWarning, list_translations, load_translation

LANGUAGES = {"de": "Satz", "en": "sentence", "fr": "phrase"}
FILES = {"train": "raw.train", "validation": "raw.val", "test": "raw.test_2016_flickr"}


def write_multi30k(root, rows=20, **replaced):
    """Writes made-up captions in the upstream layout; `replaced` is {"train_de": lines}."""
    folder = root / "multi30k"
    folder.mkdir(exist_ok=True)
    for split, file in FILES.items():
        for language, word in LANGUAGES.items():
            lines = [f" {split} {word} {row}".encode() for row in range(rows)]
            lines = replaced.get(f"{split}_{language}", lines)
            data = b"".join(line + b"\n" for line in lines)
            (folder / f"{file}.{language}.xz").write_bytes(lzma.compress(data))
    return folder


@pytest.mark.parametrize("source", LANGUAGES)
@pytest.mark.parametrize("target", LANGUAGES)
def test_every_direction_of_multi30k_reads_as_published(source, target, tmp_path):
    write_multi30k(tmp_path)
    if source == target:
        with pytest.raises(ValueError, match="target: expected another language than the source"):
            load_translation("multi30k", tmp_path, source, target)
        return
    data = load_translation("multi30k", tmp_path, source, target)
    assert (data.name, data.source, data.target, data.skipped) == ("multi30k", source, target, [])
    for split in FILES:
        part = getattr(data, split)
        assert len(part) == 20
        assert part.sources == [f"{split} {LANGUAGES[source]} {row}" for row in range(20)]
        assert part.targets == [f"{split} {LANGUAGES[target]} {row}" for row in range(20)]


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        ({}, ("de", "en")),
        ({"target": "fr"}, ("de", "fr")),
        ({"source": "en"}, ("en", "de")),
        ({"target": "de"}, ("en", "de")),
        ({"source": "fr"}, ("fr", "en")),
    ],
)
def test_a_language_that_is_not_named_is_filled_in(chosen, expected, tmp_path):
    folder = write_multi30k(tmp_path)
    data = load_translation("multi30k", str(folder), **chosen)
    assert (data.source, data.target) == expected


def test_only_the_files_of_the_two_languages_are_needed(tmp_path):
    folder = write_multi30k(tmp_path)
    for path in folder.glob("*.fr.xz"):
        path.unlink()
    assert len(load_translation("multi30k", tmp_path).train) == 20
    with pytest.raises(FileNotFoundError, match=r"raw\.train\.fr.*which has no such files"):
        load_translation("multi30k", tmp_path, target="fr")


def test_broken_pairs_are_skipped_on_both_sides_with_one_counted_warning(tmp_path):
    german = [b"eins", b"\xff\xfe", b"drei", b"vier"]
    write_multi30k(tmp_path, train_de=german, train_en=[b"one", b"two", b"  ", b"four\r"])
    with pytest.warns(DataWarning) as caught:
        data = load_translation("multi30k", tmp_path)
    assert len(caught) == 1
    message = str(caught[0].message)
    assert message.startswith(str(tmp_path / "multi30k" / "raw.train.de.xz"))
    assert "skipped 2 of 4 rows; first: line 2: " in message
    assert caught[0].filename == __file__
    assert data.skipped[1] == "raw.train.de.xz: line 3: expected a text in en, got none"
    assert (data.train.sources, data.train.targets) == (["eins", "vier"], ["one", "four"])


def test_files_of_different_length_are_an_error_with_both_names(tmp_path):
    write_multi30k(tmp_path, validation_en=[b"one"] * 19)
    with pytest.raises(ValueError, match=r"raw\.val\.en\.xz: expected 20 lines as in raw\.val\.de"):
        load_translation("multi30k", tmp_path)


def test_a_file_cut_short_is_an_error_with_its_name(tmp_path):
    path = write_multi30k(tmp_path) / "raw.test_2016_flickr.de.xz"
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(ValueError, match=r"raw\.test_2016_flickr\.de\.xz: damaged or cut short"):
        load_translation("multi30k", tmp_path)


def test_unknown_names_and_languages_say_what_was_expected(tmp_path):
    assert list_translations() == ["multi30k", "translation_ko_en"]
    with pytest.raises(ValueError, match="name: expected one of multi30k, translation_ko_en, got"):
        load_translation("wmt14")
    with pytest.raises(ValueError, match="source: expected one of en, ko, got 'de'"):
        load_translation("translation_ko_en", source="de")
    with pytest.raises(ValueError, match="target: expected one of de, en, fr, got 'ko'"):
        load_translation("multi30k", tmp_path, target="ko")
    with pytest.raises(ValueError, match="multi30k does not come with kzoo"):
        load_translation("multi30k")


def test_rows_of_the_korean_file_need_three_columns(tmp_path):
    rows = [f"sentence {row}\t문장 {row}\tsomebody" for row in range(30)] + ["one\ttwo"]
    (tmp_path / "translation_ko_en.tsv").write_text("\n".join(rows), encoding="utf-8")
    with pytest.warns(DataWarning, match="line 31: expected 3 columns, got 2"):
        data = load_translation("translation_ko_en", tmp_path)
    assert len(data.train) + len(data.validation) + len(data.test) == 30
    assert all(
        target == source.replace("문장", "sentence")
        for part in (data.train, data.validation, data.test)
        for source, target in zip(part.sources, part.targets, strict=True)
    )


def test_the_embedded_set_shares_no_sentence_between_its_parts():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        data = load_translation("translation_ko_en")
    parts = data.train, data.validation, data.test
    assert sum(map(len, parts)) == 5749
    for side in ("sources", "targets"):
        texts = [set(getattr(part, side)) for part in parts]
        assert sum(map(len, texts)) == len(set.union(*texts))


def test_both_directions_of_the_embedded_set_have_the_same_rows():
    forth = load_translation("translation_ko_en")
    back = load_translation("translation_ko_en", target="ko")
    assert (back.source, back.target) == ("en", "ko")
    for split in ("train", "validation", "test"):
        assert getattr(forth, split).sources == getattr(back, split).targets
        assert getattr(forth, split).targets == getattr(back, split).sources
