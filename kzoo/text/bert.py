"""The tokenizer of published BERT weights: WordPiece with a vocabulary that comes with them."""

import collections
import json
import os
from pathlib import Path

import numpy as np
import tokenizers

from kzoo.text.bert_graph import LONGEST_WORD, BertGraph
from kzoo.text.checks import check_at_least, check_bool, clean, read_texts
from kzoo.text.word_piece import train_pieces

SPECIAL_TOKENS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
SIDES = ("right", "left")
_VOCABULARY, _TOKENIZER, _CONFIG = "vocab.txt", "tokenizer.json", "tokenizer_config.json"
_UNLIMITED = 10**9  # Hugging Face writes a larger number where rows may have any length.


class BertTokenizer(BertGraph):
    """Turns texts and pairs of texts into the three inputs of `kzoo.models.bert`.

    Control characters are dropped; words end at spaces, at every punctuation mark, and around every
    Chinese character; each word becomes its longest known pieces, or `[UNK]`. A pair reads
    `[CLS] first [SEP] second [SEP]`, where the second text and its `[SEP]` are segment 1. The text
    "[SEP]" is text and gives no `[SEP]`.

    Unlike those of `kzoo.text.Tokenizer`, the ids of the special tokens are where the vocabulary
    has them: `pad_id`, `unknown_id`, `start_id` (`[CLS]`), `end_id` (`[SEP]`) and `mask_id`.

    Source: Devlin et al. 2019 (arXiv 1810.04805), section 3; google-research/bert, tokenization.py.

    Args:
        vocabulary: list of str without repeats, the five special tokens among them.
        lowercase: whether upper case is mapped to lower case.
        strip_accents: whether accents are dropped; None does so where `lowercase` does.
        split_chinese: whether every Chinese character is a word.
        max_length: int, the longest row; None keeps every row whole.
        truncation_side: "right" cuts the end of what is longer, "left" its beginning.

    Example:

    >>> tokenizer = BertTokenizer(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "un", "##do", "!"])
    >>> tokenizer(["Undo!", "un"])["ids"].tolist()
    [[2, 5, 6, 7, 3], [2, 5, 3, 0, 0]]
    >>> tokenizer(["un"], ["undo"])["segment_ids"].tolist()
    [[0, 0, 0, 1, 1, 1]]
    """

    name = "bert"
    input_names = ("ids", "mask", "segment_ids")

    def __init__(
        self,
        vocabulary,
        lowercase=True,
        strip_accents=None,
        split_chinese=True,
        max_length=None,
        truncation_side="right",
    ):
        _check_vocabulary(vocabulary)
        check_bool("lowercase", lowercase)
        check_bool("split_chinese", split_chinese)
        if strip_accents is not None:
            check_bool("strip_accents", strip_accents)
        if max_length is not None:
            check_at_least("max_length", max_length, 3)
        if truncation_side not in SIDES:
            raise ValueError(f"truncation_side: expected one of {SIDES}, came {truncation_side!r}")
        self.vocabulary = list(vocabulary)
        self.lowercase = lowercase
        self.strip_accents = strip_accents
        self.split_chinese = split_chinese
        self.max_length = max_length
        self.truncation_side = truncation_side
        ids = {token: id for id, token in enumerate(self.vocabulary)}
        self.pad_id, self.unknown_id, self.start_id, self.end_id, self.mask_id = (
            ids[token] for token in SPECIAL_TOKENS
        )
        self._tokenizer = tokenizers.Tokenizer(
            tokenizers.models.WordPiece(
                ids, unk_token="[UNK]", max_input_chars_per_word=LONGEST_WORD
            )
        )
        self._tokenizer.normalizer = tokenizers.normalizers.BertNormalizer(
            clean_text=True,
            handle_chinese_chars=split_chinese,
            strip_accents=strip_accents,
            lowercase=lowercase,
        )
        self._tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.BertPreTokenizer()

    @classmethod
    def train(cls, texts, vocabulary_size, character_coverage=0.9995, **options):
        """Return a tokenizer with pieces merged from a corpus, the same in every run.

        Accents are stripped by taking characters apart, which leaves Hangul in letters: for Korean,
        `strip_accents=False`.

        Args:
            texts: iterable of str.
            vocabulary_size: int, the largest size, the five special tokens included.
            character_coverage: share of all characters in the corpus that must be known; the
                rarest ones beyond it stay unknown.
            **options: the constructor's arguments but `vocabulary`.

        Raises:
            ValueError: if the corpus holds no words, or its characters alone need more ids.
        """
        splitter = cls(SPECIAL_TOKENS, **options)._tokenizer
        words = collections.Counter()
        for text in read_texts(texts):
            normal = splitter.normalizer.normalize_str(text)
            words.update(word for word, _ in splitter.pre_tokenizer.pre_tokenize_str(normal))
        if not words:
            raise ValueError("texts: expected a corpus with words, came none")
        pieces = train_pieces(words, list(SPECIAL_TOKENS), vocabulary_size, character_coverage)
        return cls(pieces, **options)

    @classmethod
    def from_folder(cls, folder):
        """Return the tokenizer of a folder of Hugging Face.

        The vocabulary is that of `vocab.txt`, or else of `tokenizer.json`; how texts are prepared
        stands in `tokenizer_config.json`, or else in `tokenizer.json`.

        Raises:
            ValueError: if neither file holds a vocabulary, or a file cannot be read.
        """
        folder = Path(folder)
        whole = _read_json(folder / _TOKENIZER)
        if (folder / _VOCABULARY).is_file():
            lines = (folder / _VOCABULARY).read_text(encoding="utf-8").split("\n")
            vocabulary = [line.rstrip("\r") for line in lines]
            vocabulary = vocabulary[:-1] if vocabulary[-1] == "" else vocabulary
        elif whole.get("model", {}).get("type") == "WordPiece":
            ids = whole["model"]["vocab"]
            vocabulary = sorted(ids, key=ids.get)
        else:
            raise ValueError(
                f"folder: expected {_VOCABULARY} or a WordPiece {_TOKENIZER}, came {folder}"
            )
        config = _read_json(folder / _CONFIG)
        normalizer = whole.get("normalizer") or {}
        max_length = config.get("model_max_length") or _UNLIMITED
        return cls(
            vocabulary,
            config.get("do_lower_case", normalizer.get("lowercase", True)),
            config.get("strip_accents", normalizer.get("strip_accents")),
            config.get("tokenize_chinese_chars", normalizer.get("handle_chinese_chars", True)),
            max_length if max_length < _UNLIMITED else None,
            config.get("truncation_side", "right"),
        )

    def save_folder(self, folder):
        """Write `vocab.txt` and `tokenizer_config.json`, for `from_folder` and Hugging Face."""
        config = {
            "tokenizer_class": "BertTokenizer",
            "do_lower_case": self.lowercase,
            "strip_accents": self.strip_accents,
            "tokenize_chinese_chars": self.split_chinese,
            "truncation_side": self.truncation_side,
            **({"model_max_length": self.max_length} if self.max_length else {}),
        }
        _write(Path(folder, _VOCABULARY), "".join(f"{token}\n" for token in self.vocabulary))
        _write(Path(folder, _CONFIG), json.dumps(config, indent=2) + "\n")

    def get_config(self):
        """Return the constructor's arguments as a dict that JSON can hold."""
        names = ("vocabulary", "lowercase", "strip_accents", "split_chinese", "max_length")
        return {name: getattr(self, name) for name in (*names, "truncation_side")}

    @property
    def vocabulary_size(self):
        """Number of ids, the special ones included."""
        return len(self.vocabulary)

    @property
    def special_ids(self):
        """The ids of the special tokens, in the order of `SPECIAL_TOKENS`."""
        return (self.pad_id, self.unknown_id, self.start_id, self.end_id, self.mask_id)

    @property
    def continues(self):
        """For each id whether it goes on inside a word, as a boolean NumPy array."""
        return np.array([token.startswith("##") for token in self.vocabulary])

    def tokenize(self, text):
        """Return the ids of one string as a list of int, without `[CLS]` and `[SEP]`."""
        return self._tokenizer.encode(clean(text), add_special_tokens=False).ids

    def row(self, text):
        """Return the ids of one string as a list of int, with `[CLS]` and `[SEP]`, cut to fit."""
        return self._join([self.tokenize(text)], self.max_length)[0]

    def detokenize(self, ids):
        """Return the text of ids; all special tokens but `[UNK]` and `[MASK]` vanish."""
        hidden = (self.pad_id, self.start_id, self.end_id)
        return " ".join(self.vocabulary[id] for id in ids if id not in hidden).replace(" ##", "")

    def __call__(self, texts, pairs=None, max_length=None):
        """Return the inputs of many texts, or pairs of texts, padded on the right.

        Args:
            texts: iterable of str.
            pairs: iterable of as many str, the second texts.
            max_length: int, the longest row, in place of the tokenizer's own; of a pair, the longer
                text is cut first.

        Returns:
            Dict of int32 NumPy arrays `(batch, longest)`: `ids`, `mask` and `segment_ids`.
        """
        max_length = self.row_length(max_length, 2 if pairs is None else 3)
        texts = read_texts(texts)
        rows = [[self.tokenize(text)] for text in texts]
        if pairs is not None:
            pairs = read_texts(pairs)
            if len(pairs) != len(texts):
                raise ValueError(f"pairs: expected {len(texts)} texts, came {len(pairs)}")
            rows = [[*row, self.tokenize(pair)] for row, pair in zip(rows, pairs, strict=True)]
        rows = [self._join(row, max_length) for row in rows]
        shape = (len(rows), max((len(ids) for ids, _ in rows), default=1))
        batch = {name: np.zeros(shape, "int32") for name in ("ids", "mask", "segment_ids")}
        batch["ids"][:] = self.pad_id
        for index, (ids, segment_ids) in enumerate(rows):
            batch["ids"][index, : len(ids)] = ids
            batch["mask"][index, : len(ids)] = 1
            batch["segment_ids"][index, : len(ids)] = segment_ids
        return batch

    def row_length(self, max_length, smallest):
        """Return the longest row, or None: what a call asks for, or else the tokenizer's own.

        Raises:
            ValueError: if a call asks for less than the smallest there can be.
        """
        if max_length is None:
            return self.max_length
        check_at_least("max_length", max_length, smallest)
        return max_length

    def _join(self, parts, max_length):
        """Returns ids and segment ids of the one or two texts of a row."""
        lengths = [len(part) for part in parts]
        if max_length is not None:
            while sum(lengths) > max_length - 1 - len(parts):
                # Of two equal ones the second, as in google-research/bert.
                longest = 0 if lengths[0] > lengths[-1] else -1
                lengths[longest] -= 1
        parts = [self._cut(part, length) for part, length in zip(parts, lengths, strict=True)]
        ids, segment_ids = [self.start_id], [0]
        for index, part in enumerate(parts):
            ids += [*part, self.end_id]
            segment_ids += [index] * (len(part) + 1)
        return ids, segment_ids

    def _cut(self, ids, length):
        return ids[:length] if self.truncation_side == "right" else ids[len(ids) - length :]


def _check_vocabulary(vocabulary):
    if not isinstance(vocabulary, list | tuple):
        raise ValueError(f"vocabulary: expected a list of str, came {vocabulary!r:.80}")
    missing = [token for token in SPECIAL_TOKENS if token not in vocabulary]
    if missing:
        raise ValueError(f"vocabulary: expected {list(SPECIAL_TOKENS)} in it, {missing} missing")
    if len(set(vocabulary)) < len(vocabulary):
        raise ValueError("vocabulary: expected no token twice")


def _read_json(path):
    if not path.is_file():
        return {}
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"folder: expected JSON in {path}: {error}") from error


def _write(path, text):
    """Write a file that at no moment is half-written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        draft.write_text(text, encoding="utf-8")
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)
