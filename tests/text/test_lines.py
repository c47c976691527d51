"""Texts of many lines as one stream of ids."""

import pytest

from kzoo.text import detokenize_lines, tokenize_lines
from tests.text.samples import trained

TEXT = "a good film\n\nvery good\n"


@pytest.mark.parametrize("kind", ["word", "character", "byte", "unigram"])
def test_lines_come_back(kind):
    tokenizer = trained(kind)
    ids = tokenize_lines(tokenizer, TEXT)
    assert ids[0] == tokenizer.end_id
    assert ids.count(tokenizer.end_id) == TEXT.count("\n") + 1
    lines = [tokenizer.detokenize(tokenizer.tokenize(line)) for line in TEXT.split("\n")]
    assert detokenize_lines(tokenizer, ids[1:]) == "\n".join(lines)


def test_an_empty_text_is_the_end_of_the_line_before():
    assert tokenize_lines(trained("byte"), "") == [3]
    assert detokenize_lines(trained("byte"), []) == ""
