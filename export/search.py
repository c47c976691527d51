"""How a `.tflite` file of a model that writes searches."""

from dataclasses import asdict, dataclass

from kzoo.decoding.checks import check_ids, check_integer, check_number

# The searches that can give alignments.
ALIGNED = ("greedy", "beam")


@dataclass(frozen=True)
class Search:
    """How a file searches; the attributes are arguments of `export_seq2seq`.

    Without an `end_id`, as language models may be, every text has `max_length` ids.
    """

    start_id: int
    end_id: int | None
    max_length: int
    beam_size: int
    num_results: int
    length_penalty: float
    banned_ids: tuple[int, ...]
    alignments: tuple[str, ...]

    @property
    def rules(self):
        """Arguments of the functions of `kzoo.decoding`."""
        names = ("end_id", "max_length", "banned_ids")
        return {name: getattr(self, name) for name in names}

    def describe(self):
        """All of it, ready for JSON."""
        return {name: list(x) if isinstance(x, tuple) else x for name, x in asdict(self).items()}


def make_search(
    start_id,
    end_id,
    max_length,
    beam_size,
    num_results=None,
    length_penalty=0.0,
    banned_ids=(),
    alignments=False,
):
    """A checked `Search`; see `export_seq2seq`.

    Example:

    >>> make_search(2, 3, max_length=0, beam_size=4)
    Traceback (most recent call last):
    ValueError: `max_length` must be an integer of at least 1. Received: max_length=0
    >>> make_search(2, 3, max_length=9, beam_size=4, alignments=True).alignments
    ('greedy', 'beam')
    """
    num_results = beam_size if num_results is None else num_results
    check_integer("start_id", start_id, 0)
    if end_id is not None:
        check_integer("end_id", end_id, 0)
    check_integer("max_length", max_length, 1)
    check_integer("beam_size", beam_size, 1)
    check_integer("num_results", num_results, 1, beam_size)
    check_number("length_penalty", length_penalty, "of at least 0", lambda x: x >= 0)
    check_ids("banned_ids", banned_ids)
    if isinstance(alignments, bool):
        alignments = ALIGNED if alignments else ()
    if not isinstance(alignments, tuple | list) or not set(alignments) <= set(ALIGNED):
        raise ValueError(
            f"`alignments` must be True, False or a tuple of {ALIGNED}. "
            f"Received: alignments={alignments!r}"
        )
    return Search(
        start_id,
        end_id,
        max_length,
        beam_size,
        num_results,
        length_penalty,
        tuple(banned_ids),
        tuple(alignments),
    )
