"""Real lines, strings that break tokenizers, and one trained tokenizer of every sort."""

# ruff: noqa: RUF001 (letters that look alike are what is tested)

import functools
import importlib.resources
import lzma
import random

from kzoo.text import TOKENIZERS

TORTURE = [
    "",
    " ",
    " \t\r\n\v\f\x1c\x85\u00a0\u2028\u3000\u200b ",
    "\0",
    "a\0b\0\0 c",
    "a\x0bb \x1b[0m \x7f",
    "영화 진짜 재밌다ㅋㅋㅋㅠㅠ!!!!!!!!!",
    "\u1112\u1161\u11ab\u1100\u1173\u11af",  # conjoining jamo, not syllables
    "가\u11a8 \u1161 힣",
    "漢字かなカナ한글abc１２３ ﾊﾝｶｸ",
    "👨‍👩‍👧‍👦 🏽 🇰🇷 ❤️ 👍👍👍",
    "مرحبا بالعالم ١٢٣ \u202eשלום\u202c",
    "e\u0301\u0327\u0301 \u0301x Å é ﬁ ½ ǅ",
    "İıßΣΑΣ ὈΔΥΣΣΕΎΣ ꟀА Ꭰ",
    "\ufeffBOM \ufffe \uffff \ufffd \U0010ffff \ue000",
    "[PAD] [UNK] [START] [END] <s> </s> ##a ## #",
    "▁ ▁a ▅ ⁇",
    "don't 'quoted' rock’n’roll ''a '' it's' 3rd 100원",
    "a" * 100,
    "a" * 101,
    "가" * 33 + "a",
    "가" * 33 + "ab",
    "x" * 199 + "한글" * 201,
    "\U00010570 \u1c89 \ua7cb \U00010d50",  # capitals younger than Unicode 13
]

# About a megabyte of UTF-8 each.
LONG = {
    "words": "영화 movie " * 75_000,
    "no spaces": "영화재밌다good" * 55_000,
    "one letter": "a" * (1 << 20),
    "spaces": " " * (1 << 20),
    "symbols": "!" * (1 << 20),
    "nul": "\0" * (1 << 20),
    "emoji": "👍" * (1 << 18),
    "newlines": "great\n영화\n" * 80_000,
}


@functools.cache
def real_lines():
    """Return 600 Korean and 600 English lines."""
    folder = importlib.resources.files("kzoo.data") / "embedded"
    korean = lzma.decompress((folder / "sentiment_ko.tsv.xz").read_bytes()).decode().splitlines()
    english = lzma.decompress((folder / "spam_en.tsv.xz").read_bytes()).decode().splitlines()
    return [line.split("\t")[1] for line in korean[1:601] + english[1:601]]


def random_lines(count):
    """Return strings of characters drawn from scripts, symbols and all of Unicode."""
    draw = random.Random(7)
    pools = ["abAB '’#.\t\n\0\v", "가각힣ㅋㅠ .!", "ᄒ\u1161\u11ab가a", "مח שa ", "éE\u0301ΣςİI "]
    pools += ["漢かカ가a1 ２", "👨\u200d🏽\ufe0f🇰🇷a ", "▁▅⁇\u200b\ufeff\u00a0\u0085\u2028 \f"]
    lines = ["".join(draw.choices(draw.choice(pools), k=draw.randint(1, 60))) for _ in range(count)]
    codes = [code for code in range(0x110000) if not 0xD800 <= code < 0xE000]
    return lines + ["".join(map(chr, draw.choices(codes, k=30))) for _ in range(count)]


CONFIGURATIONS = {
    "word": ("word", {}),
    "word lowercase": ("word", {"lowercase": True}),
    "character": ("character", {}),
    "character jamo": ("character", {"lowercase": True, "jamo": True}),
    "byte": ("byte", {}),
    "byte lowercase": ("byte", {"lowercase": True}),
    "word_piece": ("word_piece", {}),
    "word_piece lowercase": ("word_piece", {"lowercase": True}),
    "unigram": ("sentence_piece", {}),
    "unigram lowercase": ("sentence_piece", {"lowercase": True}),
    "bpe": ("sentence_piece", {"algorithm": "bpe"}),
}


@functools.cache
def trained(configuration):
    """Return the tokenizer of a configuration, trained on the real lines."""
    name, options = CONFIGURATIONS[configuration]
    return TOKENIZERS[name].train(real_lines(), 3000, **options)
