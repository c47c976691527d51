"""Batches of pairs of sequences, for teacher forcing."""

import numpy as np

from kzoo.training.planned import LENGTHS, PlannedBatches, check_max_length, pad, pad_lengths


class PairBatches(PlannedBatches):
    """A data set for `fit` and `evaluate` of pairs of sequences, each padded to one of few lengths.

    A batch is `(inputs, labels, weights)`: the inputs are a dict of `source_ids`, int32
    `(batch, source)`, and `target_ids`, int32 `(batch, time)`; the labels are int32 and the weights
    float32, both `(batch, time)`.
    With a target y_1 ... y_n, a row reads

        source_ids   x_1    x_2   ...  x_m   0 ...
        target_ids   start  y_1   ...  y_n   0 ...
        labels       y_1    y_2   ...  end   0 ...
        weights      1      1     ...  1     0 ...

    so that at each step the model knows the ids before, and learns the next one.

    Args:
        sources: List of lists of ids (id 0 is padding); or, for fresh samples in every epoch, a
            function from the epoch to such a list.
        targets: The same, without start and end.
        batch_tokens: Padded ids in a batch, of the longer side. It has at least one row.
        max_length: Longer sources are cut, and longer targets too, the end id counted; 1,024 at
            most.
        shuffle: Whether to draw other batches in every epoch. The order of an epoch depends on
            `seed` and the epoch alone, so that a resumed training sees what an unbroken one sees.
        seed: Integer.
        start_id: Id that begins `target_ids`.
        end_id: Id that ends `labels`.

    Example:

    >>> batches = PairBatches([[5, 6, 7]], [[8, 9]], batch_tokens=8)
    >>> inputs, labels, weights = batches[0]
    >>> inputs["source_ids"].tolist(), inputs["target_ids"].tolist()
    ([[5, 6, 7, 0, 0, 0, 0, 0]], [[2, 8, 9, 0, 0, 0, 0, 0]])
    >>> labels.tolist(), weights.sum().item()
    ([[8, 9, 3, 0, 0, 0, 0, 0]], 3.0)
    """

    def __init__(
        self,
        sources,
        targets,
        batch_tokens=1024,
        max_length=LENGTHS[-1],
        shuffle=True,
        seed=0,
        start_id=2,
        end_id=3,
    ):
        if batch_tokens < 1:
            raise ValueError(
                f"`batch_tokens` must be positive. Received: batch_tokens={batch_tokens}"
            )
        check_max_length(max_length)
        self.draws = [
            side if callable(side) else lambda epoch, side=side: side for side in (sources, targets)
        ]
        self.batch_tokens = batch_tokens
        self.max_length = max_length
        self.start_id = start_id
        self.end_id = end_id
        super().__init__(shuffle, seed)

    def load(self, epoch):
        """Draws the pairs of an epoch and returns their number."""
        self.sources, self.targets = (draw(epoch) for draw in self.draws)
        if len(self.sources) != len(self.targets) or not len(self.sources):
            raise ValueError(
                "`sources` and `targets` must have the same length, at least 1. "
                f"Received: {len(self.sources)} and {len(self.targets)}"
            )
        return len(self.sources)

    def plan(self, rows):
        """Returns `((source length, target length), rows)` of every batch, the shortest first."""
        longest = [
            pad_lengths([len(ids) + extra for ids in side], self.max_length)
            for side, extra in ((self.sources, 0), (self.targets, 1))
        ]
        # By target, which costs most, and then by source; rows of one shape stay shuffled.
        rows = rows[np.lexsort([lengths[rows] for lengths in longest])]
        shapes = list(zip(*(lengths[rows].tolist() for lengths in longest), strict=True))
        starts = [0]
        for index, shape in enumerate(shapes):
            full = (index + 1 - starts[-1]) * max(shape) > self.batch_tokens
            if index and (full or shape[1] != shapes[index - 1][1]):
                starts.append(index)
        # The last row of a batch has its longest source.
        shapes = [shapes[stop - 1] for stop in [*starts[1:], len(rows)]]
        return list(zip(shapes, np.split(rows, starts[1:]), strict=True))

    def __getitem__(self, index):
        """Returns `(inputs, labels, weights)` of a batch."""
        (source_length, target_length), rows = self.batches[index]
        targets = [self.targets[row] for row in rows]
        labels = pad([[*ids, self.end_id] for ids in targets], target_length)
        inputs = {
            "source_ids": pad([self.sources[row] for row in rows], source_length),
            "target_ids": pad([[self.start_id, *ids] for ids in targets], target_length),
        }
        lengths = np.array([len(ids) + 1 for ids in targets])
        weights = (np.arange(target_length) < lengths[:, None]).astype("float32")
        return inputs, labels, weights
