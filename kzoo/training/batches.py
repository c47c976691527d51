"""Batches of sequences of similar length."""

import numpy as np

from kzoo.training.planned import LENGTHS, PlannedBatches, check_max_length, cut, pad, pad_lengths


class BucketedBatches(PlannedBatches):
    """A data set for `fit`, `evaluate` and `predict` that pads each batch to one of few lengths.

    A batch is `(ids, labels)`: int32 `(batch, length)`, with 0 behind what is shorter, and
    `(batch,)`. All its sequences are about equally long.

    Args:
        sequences: List of lists of ids (id 0 is padding); or, for fresh samples in every epoch, a
            function from the epoch to such a list.
        labels: Integer array, one label a sequence.
        batch_size: Sequences in a batch.
        max_length: Longer sequences are cut; 1,024 at most.
        shuffle: Whether to draw other batches in every epoch. The order of an epoch depends on
            `seed` and the epoch alone, so that a resumed training sees what an unbroken one sees.
        seed: Integer.

    Example:

    >>> batches = BucketedBatches([[5, 6, 7], [8], [9] * 30], [0, 1, 0], shuffle=False)
    >>> [inputs.shape for inputs, labels in (batches[0], batches[1])]
    [(1, 32), (2, 8)]
    """

    def __init__(
        self,
        sequences,
        labels,
        batch_size=64,
        max_length=LENGTHS[-1],
        shuffle=True,
        seed=0,
    ):
        if batch_size < 1:
            raise ValueError(f"`batch_size` must be positive. Received: batch_size={batch_size}")
        check_max_length(max_length)
        self.draw = sequences if callable(sequences) else lambda epoch: sequences
        self.labels = np.asarray(labels)
        self.batch_size = batch_size
        self.max_length = max_length
        super().__init__(shuffle, seed)

    def load(self, epoch):
        """Draws the sequences of an epoch and returns their number."""
        self.sequences = self.draw(epoch)
        if len(self.sequences) != len(self.labels) or not len(self.labels):
            raise ValueError(
                "`sequences` and `labels` must have the same length, at least 1. "
                f"Received: {len(self.sequences)} and {len(self.labels)}"
            )
        return len(self.sequences)

    def plan(self, rows):
        """Returns `((length,), rows)` of every batch, the shortest first."""
        lengths = pad_lengths([len(sequence) for sequence in self.sequences], self.max_length)
        return [((length,), part) for length, part in cut(rows, lengths, self.batch_size)]

    def __getitem__(self, index):
        """Returns `(ids, labels)` of a batch: int32 `(batch, length)` and `(batch,)`."""
        (length,), rows = self.batches[index]
        return pad([self.sequences[row] for row in rows], length), self.labels[rows]
