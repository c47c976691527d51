"""Texts of many lines as one stream of ids: the end id stands for a line break.

Tokenizers of words and of pieces do not keep line breaks, and where every line is a text of its
own, the end id is what a language model writes after it.
"""

from kzoo.text.tokenizer import END_ID


def tokenize_lines(tokenizer, text):
    r"""Returns the ids of a text, with the end id before it and at every line break.

    Args:
        tokenizer: A `Tokenizer`.
        text: str.

    Returns:
        List of int, at least one.

    >>> from kzoo.text import ByteTokenizer
    >>> tokenize_lines(ByteTokenizer(), "a\n\nb")
    [3, 101, 3, 3, 102]
    """
    return [id for line in text.split("\n") for id in (END_ID, *tokenizer.tokenize(line))]


def detokenize_lines(tokenizer, ids):
    r"""Returns the text of ids, with a line break for every end id.

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
