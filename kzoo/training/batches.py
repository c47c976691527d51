"""Batches of sequences of similar length."""

import keras
import numpy as np

# Few lengths, so that compiled backends compile few programs; a step of a third wastes little.
LENGTHS = (8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024)


class BucketedBatches(keras.utils.PyDataset):
    """A data set for `fit`, `evaluate` and `predict` that pads each batch to one of few lengths.

    Args:
        sequences: List of lists of ids (id 0 is padding); or, for fresh samples in every epoch, a
            function from the epoch to such a list.
        labels: Integer array, one label a sequence.
        batch_size: Sequences in a batch.
        max_length: Longer sequences are cut; the last of `LENGTHS` at most.
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
        super().__init__()
        if batch_size < 1:
            raise ValueError(f"`batch_size` must be positive. Received: batch_size={batch_size}")
        if not 1 <= max_length <= LENGTHS[-1]:
            raise ValueError(
                f"`max_length` must be in [1, {LENGTHS[-1]}]. Received: max_length={max_length}"
            )
        self.draw = sequences if callable(sequences) else lambda epoch: sequences
        self.labels = np.asarray(labels)
        self.batch_size = batch_size
        self.max_length = max_length
        self.shuffle = shuffle
        self.seed = seed
        self.start_epoch(0)

    def start_epoch(self, epoch):
        """Plans the batches of an epoch."""
        self.epoch = epoch
        self.sequences = self.draw(self.epoch)
        if len(self.sequences) != len(self.labels) or not len(self.labels):
            raise ValueError(
                "`sequences` and `labels` must have the same length, at least 1. "
                f"Received: {len(self.sequences)} and {len(self.labels)}"
            )
        lengths = [min(len(sequence), self.max_length) for sequence in self.sequences]
        padded = np.minimum(np.array(LENGTHS)[np.searchsorted(LENGTHS, lengths)], self.max_length)
        rng = np.random.default_rng([self.seed, self.epoch])
        rows = rng.permutation(len(padded)) if self.shuffle else np.arange(len(padded))
        batches = []
        for length in np.unique(padded):
            bucket = rows[padded[rows] == length]
            cuts = range(self.batch_size, len(bucket), self.batch_size)
            batches += [(length, part) for part in np.split(bucket, cuts)]
        # Keras concludes from the first two batches which axes are dynamic: the last and the first
        # bucket go in front, so that time is dynamic, and what is largest fails first.
        ends, middle = [batches[-1], batches[0]][: len(batches)], batches[1:-1]
        if self.shuffle:
            middle = [middle[index] for index in rng.permutation(len(middle))]
        self.batches = ends + middle

    def __len__(self):
        """Returns the number of batches."""
        return len(self.batches)

    def __getitem__(self, index):
        """Returns `(ids, labels)` of a batch: int32 `(batch, length)` and `(batch,)`."""
        length, rows = self.batches[index]
        inputs = np.zeros((len(rows), length), "int32")
        for target, row in zip(inputs, rows, strict=True):
            ids = self.sequences[row][:length]
            target[: len(ids)] = ids
        return inputs, self.labels[rows]

    def on_epoch_end(self):
        """Draws the next epoch."""
        if self.shuffle:
            self.start_epoch(self.epoch + 1)

    def restore_order(self, results):
        """Puts rows that came out batch by batch back into the order of `sequences`.

        Raises:
            ValueError: if the batches are shuffled: by now another epoch is planned.
        """
        if self.shuffle:
            raise ValueError("`shuffle` must be False to restore the order. Received: True")
        ordered = np.empty_like(results)
        ordered[np.concatenate([rows for _, rows in self.batches])] = results
        return ordered
