"""What data sets of batches by length share: the order of an epoch, and the way back."""

import itertools

import numpy as np

from kzoo.training.prepared import PreparedBatches

# Few lengths, so that compiled backends compile few programs; a step of a third wastes little.
LENGTHS = (8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024)
# What has no such length, as the letters of a word, is padded to a multiple of this.
MULTIPLE = 8


def check_max_length(max_length):
    """Raises ValueError unless sequences of this length can be padded to one of `LENGTHS`."""
    if not 1 <= max_length <= LENGTHS[-1]:
        raise ValueError(
            f"`max_length` must be in [1, {LENGTHS[-1]}]. Received: max_length={max_length}"
        )


def pad_lengths(lengths, max_length):
    """Returns the length that a sequence of each length is cut or padded to.

    Example:

    >>> pad_lengths([0, 9, 50], max_length=40).tolist()
    [8, 12, 40]
    """
    lengths = np.minimum(lengths, max_length)
    return np.minimum(np.array(LENGTHS)[np.searchsorted(LENGTHS, lengths)], max_length)


def cut(rows, lengths, batch_size):
    """Cuts rows into batches of one length each, the shortest first.

    Args:
        rows: Integer array, the order of the rows.
        lengths: Integer array, the padded length of every row.
        batch_size: Rows in a batch, at most; or a function from the length to that.

    Yields:
        `(length, rows)` of every batch.

    Example:

    >>> lengths = np.array([8, 12, 8, 8])
    >>> [(n, part.tolist()) for n, part in cut(np.array([3, 1, 2, 0]), lengths, batch_size=2)]
    [(8, [3, 2]), (8, [0]), (12, [1])]
    """
    for length in np.unique(lengths):
        bucket = rows[lengths[rows] == length]
        size = batch_size(int(length)) if callable(batch_size) else batch_size
        for part in np.split(bucket, range(size, len(bucket), size)):
            yield int(length), part


def pad(sequences, length):
    """Returns sequences of ids as an int32 array `(rows, length)`, cut or padded with 0.

    Example:

    >>> pad([[5, 6, 7], [8]], 2).tolist()
    [[5, 6], [8, 0]]
    """
    padded = np.zeros((len(sequences), length), "int32")
    for target, ids in zip(padded, sequences, strict=True):
        ids = ids[:length]
        target[: len(ids)] = ids
    return padded


def pad_tags(tags, length):
    """Returns tags as an int32 array `(rows, length)`, cut or padded with -1.

    Example:

    >>> pad_tags([[0, 2], [1]], 2).tolist()
    [[0, 2], [1, -1]]
    """
    # Ids move up by one while 0 is what pads.
    return pad([[tag + 1 for tag in row] for row in tags], length) - 1


def round_up(size):
    """Returns the next multiple of `MULTIPLE`."""
    return -(-size // MULTIPLE) * MULTIPLE


class PlannedBatches(PreparedBatches):
    """A data set for `fit`, `evaluate` and `predict` whose epochs are planned ahead.

    A subclass offers `load(epoch)`, which reads the rows of an epoch and returns their number, and
    `plan(rows)`, which cuts a permutation of the rows into a list of `(shape, rows)`, where `shape`
    is the tuple of the padded lengths. `batches` is the plan of the epoch.

    Args:
        shuffle: Whether to draw other batches in every epoch. The order of an epoch depends on
            `seed` and the epoch alone, so that a resumed training sees what an unbroken one sees.
        seed: Integer.
    """

    def __init__(self, shuffle, seed):
        super().__init__()
        self.shuffle = shuffle
        self.seed = seed
        self.start_epoch(0)

    def start_epoch(self, epoch):
        """Plans the batches of an epoch."""
        self.epoch = epoch
        count = self.load(epoch)
        rng = np.random.default_rng([self.seed, epoch])
        batches = self.plan(rng.permutation(count) if self.shuffle else np.arange(count))
        # Keras concludes from the first two batches which axes are dynamic: two that differ in
        # every axis go in front, the last ones so that what is largest fails first.
        ends = _most_different([shape for shape, _ in batches])
        middle = [index for index in range(len(batches)) if index not in ends]
        if self.shuffle:
            middle = [middle[index] for index in rng.permutation(len(middle))]
        self.batches = [batches[index] for index in ends + middle]

    def __len__(self):
        """Returns the number of batches."""
        return len(self.batches)

    def on_epoch_end(self):
        """Draws the next epoch."""
        if self.shuffle:
            self.start_epoch(self.epoch + 1)

    def restore_order(self, results):
        """Puts rows that came out batch by batch back into the order they were given in.

        Raises:
            ValueError: if the batches are shuffled: by now another epoch is planned.
        """
        if self.shuffle:
            raise ValueError("`shuffle` must be False to restore the order. Received: True")
        rows = np.concatenate([rows for _, rows in self.batches])
        ordered = np.empty_like(results, shape=(rows.max() + 1, *results.shape[1:]))
        ordered[rows] = results
        return ordered


def _most_different(shapes):
    """Returns the index of one of the last shapes, and of an early one that differs most from it.

    Example:

    >>> _most_different([(8, 16), (16, 8), (16, 16)])
    [1, 0]
    """
    last = {shape: index for index, shape in enumerate(shapes)}
    first = {shape: index for index, shape in reversed(list(enumerate(shapes)))}
    pairs = itertools.product(
        sorted(last, key=last.get, reverse=True), sorted(first, key=first.get)
    )

    def differences(pair):
        return sum(a != b for a, b in zip(*pair, strict=True))

    one, other = max(pairs, key=differences)
    return list(dict.fromkeys([last[one], first[other]]))
