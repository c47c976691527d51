"""Texts of many lines as one stream of ids: the end id stands for a line break.

Tokenizers of words and of pieces do not keep line breaks, and where every line is a text of its
own, the end id is what a language model writes after it.
"""

import numpy as np

from kzoo.text.tokenizer import END_ID


def tokenize_lines(tokenizer, text):
    r"""Returns the ids of a text, with the end id before it and at every line break.

    Args:
        tokenizer: A `Tokenizer`.
        text: str.

    Returns:
        List of int, at least one.

    Example:

    >>> from kzoo.text import ByteTokenizer
    >>> tokenize_lines(ByteTokenizer(), "a\n\nb")
    [3, 101, 3, 3, 102]
    """
    return [id for line in text.split("\n") for id in (END_ID, *tokenizer.tokenize(line))]


def tokenize_prompts(tokenizer, prompts, max_length=None):
    """Returns the ids of prompts, see `tokenize_lines`, as an array.

    Args:
        tokenizer: A `Tokenizer`.
        prompts: List of str.
        max_length: Number of ids at most; the first ones of a longer prompt are left out.

    Returns:
        int32 `(len(prompts), longest)`, padded with 0 on the right.

    Example:

    >>> from kzoo.text import ByteTokenizer
    >>> tokenize_prompts(ByteTokenizer(), ["abc", "d"], max_length=3).tolist()
    [[101, 102, 103], [3, 104, 0]]
    """
    rows = [tokenize_lines(tokenizer, prompt)[-(max_length or 0) :] for prompt in prompts]
    ids = np.zeros((len(rows), max(map(len, rows))), "int32")
    for row, values in zip(ids, rows, strict=True):
        row[: len(values)] = values
    return ids


def detokenize_lines(tokenizer, ids):
    r"""Returns the text of ids, with a line break for every end id.

    Example:

    >>> from kzoo.text import ByteTokenizer
    >>> detokenize_lines(ByteTokenizer(), [101, 3, 3, 102])
    'a\n\nb'
    """
    lines = [[]]
    for id in ids:
        if id == END_ID:
            lines.append([])
        else:
            lines[-1].append(id)
    return "\n".join(tokenizer.detokenize(line) for line in lines)
