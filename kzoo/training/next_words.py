"""The words before each word of a text: what a neural language model of n-grams learns from."""

import numpy as np

from kzoo.training.prepared import PreparedBatches

START_ID, END_ID = 2, 3


class NextWords(PreparedBatches):
    """A data set for `fit` of ids and the one that comes next, within sentences.

    Before a sentence stand start ids, and its end is foretold too. A batch is `(ids, targets)`:
    int32 `(batch, order - 1)` and `(batch,)`, in another order in every epoch.

    Args:
        sentences: List of sequences of ids.
        order: Ids that belong together, of which the last is the target.
        batch_size: Targets in a batch.
        seed: Integer. An epoch depends on it and its number alone.

    Example:

    >>> words = NextWords([[7, 8], [9]], order=3, batch_size=5)
    >>> ids, targets = words[0]
    >>> sorted(zip(ids.tolist(), targets.tolist()))
    [([2, 2], 7), ([2, 2], 9), ([2, 7], 8), ([2, 9], 3), ([7, 8], 3)]
    """

    def __init__(self, sentences, order=5, batch_size=256, seed=0):
        super().__init__()
        if order < 2 or batch_size < 1:
            raise ValueError(
                "`order` must be at least 2 and `batch_size` positive. "
                f"Received: order={order}, batch_size={batch_size}"
            )
        start = [START_ID] * (order - 1)
        rows = [np.array([*start, *sentence, END_ID], "int32") for sentence in sentences]
        self.ids = np.concatenate(rows or [np.zeros(0, "int32")])
        lengths = np.array([len(row) for row in rows], "int64")
        starts = np.cumsum(lengths) - lengths
        is_target = np.ones(self.ids.size, bool)
        is_target[starts[:, None] + np.arange(order - 1)] = False
        self.targets = np.flatnonzero(is_target)
        self.order = order
        self.batch_size = batch_size
        self.seed = seed
        self.start_epoch(0)

    def start_epoch(self, epoch):
        """Draws the order of an epoch."""
        self.epoch = epoch
        self._drawn = np.random.default_rng([self.seed, epoch]).permutation(self.targets)

    def on_epoch_end(self):
        """Draws the next epoch."""
        self.start_epoch(self.epoch + 1)

    def __len__(self):
        """Returns the number of batches."""
        return -(-len(self.targets) // self.batch_size)

    def __getitem__(self, index):
        """Returns `(ids, targets)`."""
        targets = self._drawn[index * self.batch_size : (index + 1) * self.batch_size]
        steps = targets[:, None] + np.arange(1 - self.order, 0)
        return self.ids[steps], self.ids[targets]
