"""Tokenizers by name, and back from JSON."""

import json
from pathlib import Path

from kzoo.text.bert import BertTokenizer
from kzoo.text.bert_tagging import BertTaggingTokenizer
from kzoo.text.byte import ByteTokenizer
from kzoo.text.character import CharacterTokenizer
from kzoo.text.sentence_piece import SentencePieceTokenizer
from kzoo.text.tagging import TaggingTokenizer
from kzoo.text.word import WordTokenizer
from kzoo.text.word_piece import WordPieceTokenizer

TOKENIZERS = {
    tokenizer.name: tokenizer
    for tokenizer in (
        WordTokenizer,
        CharacterTokenizer,
        ByteTokenizer,
        WordPieceTokenizer,
        SentencePieceTokenizer,
    )
}
# What can be read back, with what gives several inputs.
_SAVED = {
    **TOKENIZERS,
    TaggingTokenizer.name: TaggingTokenizer,
    BertTokenizer.name: BertTokenizer,
    BertTaggingTokenizer.name: BertTaggingTokenizer,
}


def tokenizer_from_json(string):
    """Return the tokenizer that wrote `string` with `to_json`.

    Args:
        string: JSON text, with the name of a tokenizer and the arguments of its constructor.

    Returns:
        A tokenizer of that class, which gives the same ids.

    Raises:
        ValueError: if the string is no JSON, names no tokenizer, or holds a wrong configuration.

    Example:

    >>> tokenizer_from_json('{"tokenizer": "byte", "config": {"lowercase": true}}').tokenize("A")
    [101]
    """
    try:
        content = json.loads(string)
        name, config = content["tokenizer"], content["config"]
        build = _SAVED[name]
        return build(**config)
    except (TypeError, KeyError, json.JSONDecodeError) as error:
        raise ValueError(
            'string: expected {"tokenizer": one of '
            f'{list(_SAVED)}, "config": its arguments}}, came {string!r:.80}: {error!r}'
        ) from error


def load_tokenizer(path):
    """Return the tokenizer that `save` wrote to the file `path`.

    Args:
        path: the file.

    Returns:
        A tokenizer of the class that was saved, which gives the same ids.

    Raises:
        ValueError: if the file cannot be read or holds no tokenizer.

    Example:

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp(), "tokenizer.json")
    >>> ByteTokenizer(lowercase=True).save(path)
    >>> load_tokenizer(path).tokenize("A")
    [101]
    """
    try:
        string = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"path: expected a tokenizer file, came {str(path)!r}: {error}") from error
    return tokenizer_from_json(string)
