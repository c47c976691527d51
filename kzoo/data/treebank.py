"""English text out of the words of a treebank."""

import re

# The treebank's forms, and what people write.
_FORMS = (
    (r" (n't|'(?:s|m|d|re|ve|ll))\b", r"\1"),
    (r"-lrb- ?", "("),
    (r" ?-rrb-", ")"),
    (r"`` ?| ?''", '"'),
    (r"` ", "'"),
    (r"\\([/*])", r"\1"),
    (r" ([.,:;?!]|\.\.\.)(?= |$)", r"\1"),
)
_FORMS = tuple((re.compile(form, re.IGNORECASE), written) for form, written in _FORMS)


def join_words(text):
    """Joins what the Penn Treebank splits, so that a model reads what people write.

    Args:
        text: Words, marks and endings as in "n't", with spaces between.

    Example:

    >>> join_words("it 's `` good '' -lrb- i think -rrb- , is n't it ?")
    'it\\'s "good" (i think), isn\\'t it?'
    """
    for form, written in _FORMS:
        text = form.sub(written, text)
    return text
