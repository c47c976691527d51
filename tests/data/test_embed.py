"""The making of the embedded files."""

import gzip
import lzma

from kzoo.data import embed


def test_offensive_rows_and_leaks_go_and_classes_stay_even():
    lines = [
        "train\t좋은 영화\t1",
        "train\t병신 같은 영화\t0",
        "train\t재미없다\t0",
        "train\t최고\t1",
        "train\t별로\t0",
        "train\t지루함\t0",
        "test\t최고\t1",
        "test\t다시 보고 싶다\t1",
        "test\t돈 아까움\t0",
    ]
    kept = embed.clean_reviews(lines)
    assert [line.split("\t")[1] for line in kept] == [
        "좋은 영화",
        "재미없다",
        "최고",
        "별로",
        "다시 보고 싶다",
        "돈 아까움",
    ]


def test_harmless_look_alikes_stay():
    for text in [
        "시바사키 짱",
        "연출이 엿보이는",
        "18세 관람가",
        "청소년들",
        "보지 마세요",
        "게이트 속편",
    ]:
        assert embed.OFFENSIVE.search(text) is None


def test_both_files_are_written_and_read_back(tmp_path, monkeypatch, capsys):
    (tmp_path / "embedded").mkdir()
    (tmp_path / "sms_spam").mkdir()
    reviews = "split\ttext\tlabel\ntrain\tgood\t1\ntrain\tbad\t0\ntest\tfine\t1\ntest\tdull\t0\n"
    source = tmp_path / "embedded" / "sentiment_ko.tsv.xz"
    source.write_bytes(lzma.compress(reviews.encode()))
    (tmp_path / "sms_spam" / "sms.tsv.gz").write_bytes(gzip.compress(b"ham\thello\n"))
    out = tmp_path / "out"
    out.mkdir()
    monkeypatch.setattr(embed, "EMBEDDED", out)
    embed.main(tmp_path)
    assert lzma.decompress((out / "sentiment_ko.tsv.xz").read_bytes()).decode() == reviews
    assert lzma.decompress((out / "spam_en.tsv.xz").read_bytes()) == b"ham\thello\n"
    assert "sentiment_ko.tsv.xz: 5 lines" in capsys.readouterr().out
