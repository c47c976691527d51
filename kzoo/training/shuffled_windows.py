"""Windows of one long sequence of ids, in any order: how attention learns a language."""

import numpy as np

from kzoo.training.prepared import PreparedBatches


class ShuffledWindows(PreparedBatches):
    """A data set for `fit` and `evaluate` of windows of one sequence of ids.

    A batch is `(inputs, targets, weights)`, int32, int32 and float32, each `(batch, window)`: at
    each step the model knows the ids of the window before, and learns the next one. Shuffled, an
    epoch begins at a random place in the first window, so that windows do not end where those of
    other epochs do, and leaves out what fills no window. Without, every id but the first is a
    target exactly once: the last window is shifted back over ids that were targets before, with
    weights of 0 on them.

    Args:
        ids: Sequence of ids, longer than one window.
        window: Targets in a window.
        batch_size: Windows in a batch.
        shuffle: Whether to draw other windows in every epoch. An epoch depends on `seed` and its
            number alone, so that a resumed training sees what an unbroken one sees.
        seed: Integer.

    Example:

    >>> windows = ShuffledWindows(range(10, 20), window=4, batch_size=8, shuffle=False)
    >>> inputs, targets, weights = windows[0]
    >>> targets.tolist()
    [[11, 12, 13, 14], [15, 16, 17, 18], [16, 17, 18, 19]]
    >>> weights.sum(axis=1).tolist()
    [4.0, 4.0, 1.0]
    """

    def __init__(self, ids, window, batch_size, shuffle=True, seed=0):
        super().__init__()
        self.ids = np.asarray(ids, "int32")
        if batch_size < 1:
            raise ValueError(f"`batch_size` must be positive. Received: batch_size={batch_size}")
        if not 1 <= window < self.ids.size:
            raise ValueError(
                f"`window` must be in [1, {self.ids.size - 1}], for there are {self.ids.size} ids. "
                f"Received: window={window}"
            )
        self.window = window
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.seed = seed
        self.start_epoch(0)

    def start_epoch(self, epoch):
        """Draws the windows of an epoch."""
        self.epoch = epoch
        targets = self.ids.size - 1
        if self.shuffle:
            rng = np.random.default_rng([self.seed, epoch])
            first = rng.integers(min(self.window, targets - self.window + 1))
            starts = np.arange(first, targets - self.window + 1, self.window)
            self.starts = rng.permutation(starts)
        else:
            self.starts = np.arange(0, targets, self.window)

    def on_epoch_end(self):
        """Draws the next epoch."""
        if self.shuffle:
            self.start_epoch(self.epoch + 1)

    def __len__(self):
        """Returns the number of batches, the same in all epochs but for one that is not full."""
        return -(-len(self.starts) // self.batch_size)

    def __getitem__(self, index):
        """Returns `(inputs, targets, weights)`, each `(windows, window)`."""
        starts = self.starts[index * self.batch_size : (index + 1) * self.batch_size]
        shifted = np.minimum(starts, self.ids.size - 1 - self.window)
        steps = shifted[:, None] + np.arange(self.window)
        weights = (steps >= starts[:, None]).astype("float32")
        return self.ids[steps], self.ids[steps + 1], weights
