"""Makes the files under `embedded/` from a folder of upstream data.

Run it again to get the same bytes: `python -m kzoo.data.embed FOLDER`, where FOLDER holds
`embedded/sentiment_ko.tsv.xz` (6,000 balanced reviews drawn from NSMC), `sms_spam/sms.tsv.gz`,
`chatbot_ko/ChatbotData.csv.gz`, `kor_eng_tatoeba/kor.tsv.gz`, and in `embedded/` the first tagged
sentences of UD English-EWT, UD Korean-GSD and KLUE-NER, and all of WNUT 2017 (`TAGGED`), the first
750,000 characters of tinyshakespeare and 8,000 unlabelled reviews of NSMC (`TEXTS`), series of
numbers (`NUMBERS`), the first images of MNIST's test file (`DIGITS`), and recordings of spoken
digits (`SPEECH`).
"""

import gzip
import lzma
import re
import sys
from pathlib import Path

EMBEDDED = Path(__file__).parent / "embedded"
TAGGED = ("pos_en.tsv.xz", "pos_ko.tsv.xz", "ner_en.conll.xz", "ner_ko.tsv.xz")
TEXTS = {
    "language_en.txt.xz": "lm_en_tinyshakespeare.txt.xz",
    "language_ko.txt.xz": "lm_ko.txt.xz",
}
NUMBERS = {
    "min_temperatures.csv.xz": "forecast_min_temps.csv.xz",
    "pollution_2y.csv.xz": "forecast_pollution_2y.csv.xz",
    "machine_temperature.csv.xz": "fault_machine_temperature.csv.xz",
    "tep_4_classes.csv.xz": "fault_tep_4class.csv.xz",
}
# One file of images, as MNIST has them, with the labels behind.
DIGITS = "ocr_digits_1600.bin.xz"
SPEECH = "speech_digits.tar.xz"

# Rows are removed, not masked: a masked review teaches a model to read masks. The list is meant to
# be too wide rather than too narrow, for a lost row costs nothing.
OFFENSIVE = re.compile(
    "|".join(
        [
            # Swearing, with the spellings that dodge filters.
            "[시씨쉬슈]발|씨바|시바(?!사키)|ㅅㅂ|ㅆㅂ|ㅆㄹㄱ|ㅅㅌㅊ|씨댕|18$|[병빙]신|ㅂㅅ|ㅄ|븅",
            "새1?[끼키퀴]|색[끼기]|좆|[존졸줜젼]나|졸라|조낸|ㅈㄴ|개ㅈ|[지디]랄|지알|썅|샹|엿\\s?먹",
            "씹|또라이|꺼져|닥쳐|개소리|아가리|대가리|주둥이|육갑|[쳐처]먹|개같|개떡|똥|ㅗ|놈|넘들|뇬",
            "자식(?=아|들아|$)|골빈|미친\\s?(년|넘|인간|X)",
            "(같은|[기계]집|미친|이런|저런|오크|코)\\s?년(?!\\s?[도전간])",
            # Words that put down a group of people.
            "빨갱|좌빨|좌파|쪽[바발]리|짱[개깨]|짱꼴라|일베|게이(?!머|밍|트|지)|개독|페미",
            "된장녀|김치(녀|유전)|걸레|창녀|매춘|변태|M창|[애에]미출타|정신병|찌질",
            "벙어리|씨받이|똘추|머리가 비어|ㅈㅁ|[xX]쓰레기|쓰레기(들|랑 이)",
            # Sex and violence.
            "섹스|강간|성폭|능욕|야동|포르노|뽀르노|로리타|로리 즈|자딸|딸감|딸칠|자지는|젖가슴",
            "유륜|고추|꼴리|발기|몰카|보슬|정자같|자살|죽여|죽이고|[때패][려리](주|고)|뒤져|뒈",
            # What the site itself had masked.
            "(?<![A-Za-z])[OX]{2,}(?![A-Za-z])",
        ]
    )
)


def clean_reviews(lines):
    """Drops offensive rows and test rows that also occur in train, then evens out the classes.

    Args:
        lines: list of `split<TAB>text<TAB>label` strings, without the header.

    Returns:
        The rows kept, in their order; within each split every label has equally many.

    Example:

    >>> rows = ["train\\tgood\\t1", "train\\t닥쳐\\t1", "train\\tbad\\t0", "train\\tdull\\t0"]
    >>> clean_reviews(rows)
    ['train\\tgood\\t1', 'train\\tbad\\t0']
    """
    rows = [line.split("\t") for line in lines]
    seen = {text for split, text, _ in rows if split == "train"}
    rows = [r for r in rows if not OFFENSIVE.search(r[1]) and (r[0] == "train" or r[1] not in seen)]
    groups = {}
    for split, text, label in rows:
        groups.setdefault(split, {}).setdefault(label, []).append(text)
    room = {split: min(map(len, by_label.values())) for split, by_label in groups.items()}
    kept, count = [], {}
    for split, text, label in rows:
        count[split, label] = count.get((split, label), 0) + 1
        if count[split, label] <= room[split]:
            kept.append(f"{split}\t{text}\t{label}")
    return kept


def clean_lines(lines):
    """Drops offensive lines: a model that writes would write them again.

    Example:

    >>> clean_lines(["Q,A,label", "안녕,안녕하세요,0", "닥쳐,네,0"])
    ['Q,A,label', '안녕,안녕하세요,0']
    """
    return [line for line in lines if not OFFENSIVE.search(line)]


def split_digits(data):
    """Returns bytes of images and of labels, in the two formats of MNIST.

    Example:

    >>> one_image = [0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 77]
    >>> images, labels = split_digits(bytes([*one_image, 5]))
    >>> images[-1], list(labels)
    (77, [0, 0, 8, 1, 0, 0, 0, 1, 5])
    """
    count = data[4:8]
    start = len(data) - int.from_bytes(count, "big")
    return data[:start], bytes([0, 0, 8, 1]) + count + data[start:]


def main(folder):
    """Writes the embedded files and says how many rows each holds."""
    source = Path(folder)
    reviews = lzma.decompress((source / "embedded/sentiment_ko.tsv.xz").read_bytes()).decode()
    header, *lines = reviews.removesuffix("\n").split("\n")
    rows = [header, *clean_reviews(lines)]
    spam = gzip.decompress((source / "sms_spam/sms.tsv.gz").read_bytes())
    chat = gzip.decompress((source / "chatbot_ko/ChatbotData.csv.gz").read_bytes()).decode()
    pairs = gzip.decompress((source / "kor_eng_tatoeba/kor.tsv.gz").read_bytes())
    texts = {
        name: lzma.decompress((source / "embedded" / file).read_bytes()).decode()
        for name, file in TEXTS.items()
    }
    images, labels = split_digits(lzma.decompress((source / "embedded" / DIGITS).read_bytes()))
    for name, data in [
        ("sentiment_ko.tsv.xz", "".join(row + "\n" for row in rows).encode()),
        ("spam_en.tsv.xz", spam),
        ("chatbot_ko.csv.xz", "\n".join(clean_lines(chat.split("\n"))).encode()),
        ("translation_ko_en.tsv.xz", pairs),
        *((name, lzma.decompress((source / "embedded" / name).read_bytes())) for name in TAGGED),
        *((name, "\n".join(clean_lines(x.split("\n"))).encode()) for name, x in texts.items()),
        *(
            (name, lzma.decompress((source / "embedded" / file).read_bytes()))
            for name, file in NUMBERS.items()
        ),
        ("digits_1600-images-idx3-ubyte.xz", images),
        ("digits_1600-labels-idx1-ubyte.xz", labels),
        (SPEECH, lzma.decompress((source / "embedded" / SPEECH).read_bytes())),
    ]:
        (EMBEDDED / name).write_bytes(lzma.compress(data, preset=9 | lzma.PRESET_EXTREME))
        print(f"{name}: {data.count(10)} lines")


if __name__ == "__main__":
    main(sys.argv[1])
