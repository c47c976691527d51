"""Batches of windows of series: what is read, and what comes after it."""

import numpy as np

from kzoo.training.prepared import PreparedBatches


class SeriesBatches(PreparedBatches):
    """A data set for `fit` and `predict` of windows that are cut when they are asked for.

    A batch is `(inputs, targets)`: the values that windows read, float32 `(batch, input_length,
    features)`, and what is to be told of the steps after them, or of the windows themselves,
    float32 `(batch, horizon, ...)`. Shuffled, an epoch leaves out what fills no batch.

    Args:
        values: `(time, features)`, what is read.
        targets: `(time, ...)`, what is to be told; NaN where it is not known.
        starts: The first step of each window.
        input_length: Steps that are read.
        horizon: Steps of which something is to be told.
        batch_size: Windows in a batch.
        shuffle: Whether to draw another order in every epoch. An epoch depends on `seed` and its
            number alone, so that a resumed training sees what an unbroken one sees.
        seed: Integer.
        lead: Steps from the end of the window to the first target: 0 for what comes after it, -1
            for its last step, `-input_length` for its first.

    Example:

    >>> time = np.arange(9.0)[:, None]
    >>> inputs, targets = SeriesBatches(time, 10 * time, [0, 4], input_length=3, horizon=2)[0]
    >>> inputs[..., 0].tolist(), targets[..., 0].tolist()
    ([[0.0, 1.0, 2.0], [4.0, 5.0, 6.0]], [[30.0, 40.0], [70.0, 80.0]])
    """

    def __init__(
        self,
        values,
        targets,
        starts,
        input_length,
        horizon,
        batch_size=64,
        shuffle=False,
        seed=0,
        lead=0,
    ):
        super().__init__()
        if batch_size < 1:
            raise ValueError(f"`batch_size` must be positive. Received: batch_size={batch_size}")
        self.values, self.targets = (np.asarray(x, "float32") for x in (values, targets))
        self.starts = np.asarray(starts)
        if not self.starts.size:
            raise ValueError(
                f"`starts` must hold at least one window of {input_length} steps. Received: none"
            )
        end = int(self.starts.max()) + input_length + max(lead + horizon, 0)
        if end > min(len(self.values), len(self.targets)):
            raise ValueError(
                f"`starts` must leave room for {input_length} + {horizon} steps within the "
                f"{len(self.values)} values. Received: starts up to {self.starts.max()}"
            )
        self.input_length = input_length
        self.horizon = horizon
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.seed = seed
        self.lead = lead
        self.start_epoch(0)

    def start_epoch(self, epoch):
        """Draws the order of an epoch."""
        self.epoch = epoch
        self.order = self.starts
        if self.shuffle:
            self.order = np.random.default_rng([self.seed, epoch]).permutation(self.starts)

    def on_epoch_end(self):
        """Draws the next epoch."""
        if self.shuffle:
            self.start_epoch(self.epoch + 1)

    def __len__(self):
        """Returns the number of batches."""
        whole = len(self.starts) // self.batch_size
        return max(whole, 1) if self.shuffle else -(-len(self.starts) // self.batch_size)

    def __getitem__(self, index):
        """Returns `(inputs, targets)`, with the axes windows and steps in front."""
        starts = self.order[index * self.batch_size : (index + 1) * self.batch_size]
        read = starts[:, None] + np.arange(self.input_length)
        return self.values[read], self.targets[self.target_steps(starts)]

    def target_steps(self, starts=None):
        """Returns the steps of the targets of each window, `(windows, horizon)`; of all of them."""
        starts = self.starts if starts is None else starts
        return starts[:, None] + self.input_length + self.lead + np.arange(self.horizon)
