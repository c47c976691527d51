"""Texts of many lines as one stream of ids."""

import numpy as np
import pytest

from kzoo.text import detokenize_lines, tokenize_lines, tokenize_prompts
from kzoo.text.lines_graph import detokenize_lines_graph, tokenize_prompts_graph
from tests.text.samples import CONFIGURATIONS, trained

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


@pytest.mark.parametrize("configuration", CONFIGURATIONS)
@pytest.mark.parametrize("max_length", [None, 1, 5])
def test_the_graph_gives_the_same(configuration, max_length):
    tokenizer = trained(configuration)
    for prompts in ([TEXT, "", "정말\r\n재미있는 영화", "\n\n"], ["", ""]):
        found = tokenize_prompts_graph(tokenizer, prompts, max_length)
        np.testing.assert_array_equal(found, tokenize_prompts(tokenizer, prompts, max_length))
    ids = np.random.default_rng(1).integers(0, tokenizer.vocabulary_size, (50, 9)).astype("int32")
    ids[:, ::3] = np.where(ids[:, ::3] % 2, tokenizer.end_id, ids[:, ::3])
    ids = np.concatenate([ids, np.zeros((50, 2), "int32")], axis=1)
    texts = [text.decode() for text in detokenize_lines_graph(tokenizer, ids).numpy()]
    assert texts == [detokenize_lines(tokenizer, row) for row in ids]
