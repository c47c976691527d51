"""Batches of strings to recognize."""

import numpy as np

from kzoo.training.planned import PlannedBatches, pad


class StringBatches(PlannedBatches):
    """A data set for `fit` and `predict` of strings to recognize, drawn when they are asked for.

    A batch is `(inputs, ids)`: strings of about equally many symbols, and their symbols, int32
    `(batch, symbols)`, from 1 on, for `keras.losses.CTC`; zeros stand behind what is shorter. There
    are as many batches in every epoch. Inputs are `pictures`, float32 `(batch, height, width)`, or
    `samples`, float32 `(batch, time, hop)`, and `lengths`, int32 `(batch,)`, the columns or hops of
    each row, as `kzoo.models.ctc_recognizer` reads them; or samples alone.

    Args:
        strings: Has a length, `lengths(epoch)` and `draw(row, epoch)`, which gives a picture
            `(height, width)` or samples `(time,)`, and the symbols from 0 on, such as
            `kzoo.data.DigitLines`.
        batch_size: Strings in a batch.
        hop: Samples of a hop, where strings are samples.
        has_lengths: Whether there is an input of lengths.
        shuffle: Whether to draw other strings in every epoch, see `PlannedBatches`.
        seed: Integer.

    Example:

    >>> class Ones:
    ...     __len__ = lambda self: 3
    ...     lengths = lambda self, epoch: np.array([1, 2, 1])
    ...     draw = lambda self, row, epoch: (np.ones((4, 5 + row)), np.array([7] * (1 + row % 2)))
    >>> inputs, ids = StringBatches(Ones(), shuffle=False)[0]
    >>> inputs["pictures"].shape, inputs["lengths"].tolist(), ids.tolist()
    ((3, 4, 7), [5, 7, 6], [[8, 0], [8, 0], [8, 8]])
    """

    def __init__(self, strings, batch_size=32, hop=None, has_lengths=True, shuffle=True, seed=0):
        if batch_size < 1:
            raise ValueError(f"`batch_size` must be positive. Received: batch_size={batch_size}")
        self.strings = strings
        self.batch_size = batch_size
        self.hop = hop
        self.has_lengths = has_lengths
        super().__init__(shuffle, seed)

    def load(self, epoch):
        """Returns the number of strings."""
        self.symbols = self.strings.lengths(epoch)
        return len(self.strings)

    def plan(self, rows):
        """Returns `((symbols,), rows)` of every batch, the shortest first."""
        rows = rows[np.argsort(self.symbols[rows], kind="stable")]
        parts = np.split(rows, range(self.batch_size, len(rows), self.batch_size))
        return [((int(self.symbols[part].max()),), part) for part in parts]

    def __getitem__(self, index):
        """Returns a batch."""
        drawn = [self.strings.draw(row, self.epoch) for row in self.batches[index][1]]
        parts, ids = zip(*drawn, strict=True)
        inputs = pad_strings(parts, self.hop)
        ids = pad([row + 1 for row in ids], max(map(len, ids)))
        return inputs if self.has_lengths else inputs["samples"], ids


def pad_strings(parts, hop=None):
    """Returns pictures or samples as the inputs of a recognizer, with zeros behind shorter ones.

    Args:
        parts: List of pictures `(height, width)`, or of samples `(time,)`.
        hop: Samples of a hop, where they are samples.

    Returns:
        Dict of `pictures`, float32 `(rows, height, width)`, or `samples`, float32
        `(rows, time, hop)`, and of `lengths`, int32 `(rows,)`.

    Example:

    >>> inputs = pad_strings([np.ones(3), np.ones(5)], hop=2)
    >>> inputs["samples"].tolist()[0], inputs["lengths"].tolist()
    ([[1.0, 1.0], [1.0, 0.0], [0.0, 0.0]], [2, 3])
    """
    sizes = [part.shape[-1] for part in parts]
    if hop is None:
        batch = np.zeros((len(parts), parts[0].shape[0], max(sizes)), "float32")
    else:
        sizes = [-(-size // hop) for size in sizes]
        batch = np.zeros((len(parts), max(sizes) * hop), "float32")
    for target, part in zip(batch, parts, strict=True):
        target[..., : part.shape[-1]] = part
    if hop is not None:
        batch = batch.reshape(len(parts), -1, hop)
    name = "pictures" if hop is None else "samples"
    return {name: batch, "lengths": np.array(sizes, "int32")}
