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


def test_what_writes_learns_no_offensive_words():
    lines = [
        "Q,A,label",
        "안녕,안녕하세요,0\r",
        "쓰레기새끼,기분이 풀렸길,1\r",
        "욕해줘,XX놈아!,1\r",
    ]
    assert embed.clean_lines(lines) == lines[:2]


def test_the_files_are_written_and_read_back(tmp_path, monkeypatch, capsys):
    for folder in ("embedded", "sms_spam", "chatbot_ko", "kor_eng_tatoeba"):
        (tmp_path / folder).mkdir()
    reviews = "split\ttext\tlabel\ntrain\tgood\t1\ntrain\tbad\t0\ntest\tfine\t1\ntest\tdull\t0\n"
    source = tmp_path / "embedded" / "sentiment_ko.tsv.xz"
    source.write_bytes(lzma.compress(reviews.encode()))
    (tmp_path / "sms_spam" / "sms.tsv.gz").write_bytes(gzip.compress(b"ham\thello\n"))
    chat = "Q,A,label\r\n안녕,안녕하세요,0\r\n닥쳐,네,0\r\n"
    (tmp_path / "chatbot_ko" / "ChatbotData.csv.gz").write_bytes(gzip.compress(chat.encode()))
    pairs = "Hi.\t안녕.\tsomebody\n"
    (tmp_path / "kor_eng_tatoeba" / "kor.tsv.gz").write_bytes(gzip.compress(pairs.encode()))
    for name in embed.TAGGED:
        tagged = f"# train\n{name}\tO\n".encode()
        (tmp_path / "embedded" / name).write_bytes(lzma.compress(tagged))
    for name in embed.TEXTS.values():
        text = f"{name}\n닥쳐\n".encode()
        (tmp_path / "embedded" / name).write_bytes(lzma.compress(text))
    for name in embed.NUMBERS.values():
        (tmp_path / "embedded" / name).write_bytes(lzma.compress(b"value\n1\n"))
    digits = bytes([0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 1, 70, 80, 7, 8])
    (tmp_path / "embedded" / embed.DIGITS).write_bytes(lzma.compress(digits))
    (tmp_path / "embedded" / embed.SPEECH).write_bytes(lzma.compress(b"a tar"))
    out = tmp_path / "out"
    out.mkdir()
    monkeypatch.setattr(embed, "EMBEDDED", out)
    embed.main(tmp_path)
    assert lzma.decompress((out / "sentiment_ko.tsv.xz").read_bytes()).decode() == reviews
    assert lzma.decompress((out / "spam_en.tsv.xz").read_bytes()) == b"ham\thello\n"
    chat = lzma.decompress((out / "chatbot_ko.csv.xz").read_bytes()).decode()
    assert chat == "Q,A,label\r\n안녕,안녕하세요,0\r\n"
    assert lzma.decompress((out / "translation_ko_en.tsv.xz").read_bytes()).decode() == pairs
    tagged = lzma.decompress((out / "ner_ko.tsv.xz").read_bytes())
    assert tagged == b"# train\nner_ko.tsv.xz\tO\n"
    text = lzma.decompress((out / "language_ko.txt.xz").read_bytes())
    assert text == b"lm_ko.txt.xz\n"
    assert lzma.decompress((out / "tep_4_classes.csv.xz").read_bytes()) == b"value\n1\n"
    labels = lzma.decompress((out / "digits_1600-labels-idx1-ubyte.xz").read_bytes())
    assert labels == bytes([0, 0, 8, 1, 0, 0, 0, 2, 7, 8])
    assert lzma.decompress((out / "speech_digits.tar.xz").read_bytes()) == b"a tar"
    assert "sentiment_ko.tsv.xz: 5 lines" in capsys.readouterr().out
