"""Batches of sequences of similar length, which waste little on padding."""


def map_batches(function, sequences, batch_size=16, length=len):
    """Calls a function on batches of sequences of similar length.

    Args:
        function: From a list of sequences to as many results.
        sequences: List of sequences.
        batch_size: Sequences in a batch.
        length: Function that tells the length of a sequence.

    Returns:
        List of results, in the order of the sequences.

    Example:

    >>> map_batches(lambda texts: [(text, len(texts)) for text in texts], ["aaa", "b", "cc"], 2)
    [('aaa', 1), ('b', 2), ('cc', 2)]
    """
    order = sorted(range(len(sequences)), key=lambda index: length(sequences[index]))
    results = [None] * len(sequences)
    for start in range(0, len(order), batch_size):
        rows = order[start : start + batch_size]
        found = function([sequences[row] for row in rows])
        for row, result in zip(rows, found, strict=True):
            results[row] = result
    return results
