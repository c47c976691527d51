"""Training that survives a kill at any moment, and stops when it no longer improves."""

import json
import os
import time
from pathlib import Path

import keras
import numpy as np


class Resume(keras.callbacks.Callback):
    """Keeps the last and the best weights of a training on disk, and early-stops it.

    At the end of an epoch the weights and the optimizer's state are written to a new file; then
    `state.json`, replaced in one step, names it. A kill loses the epoch it falls in, no more.

    `history` holds for every epoch what Keras logged, and the `seconds` it took.

    Args:
        folder: Folder of the checkpoint; created where it is missing.
        monitor: Name of the logged value to judge an epoch by.
        mode: "max" or "min": whether larger or smaller is better; "auto" is "min" for a loss.
        patience: Number of epochs without improvement after which training stops.

    Example:

    >>> import tempfile
    >>> import numpy as np
    >>> folder = tempfile.mkdtemp()
    >>> def train(epochs):
    ...     model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    ...     model.compile("sgd", "mse")
    ...     resume = Resume(folder, monitor="loss", mode="min")
    ...     start = resume.restore(model)
    ...     x = np.ones((4, 2))
    ...     options = {"initial_epoch": start, "callbacks": [resume], "verbose": 0}
    ...     model.fit(x, x[:, :1], epochs=epochs, **options)
    ...     return start, len(resume.history)
    >>> train(epochs=2), train(epochs=3)
    ((0, 2), (2, 3))
    """

    def __init__(self, folder, monitor="val_accuracy", mode="auto", patience=3):
        super().__init__()
        if mode not in ("auto", "max", "min"):
            raise ValueError(f"`mode` must be 'auto', 'max' or 'min'. Received: mode={mode!r}")
        self.folder = Path(folder)
        self.monitor = monitor
        self.mode = mode if mode != "auto" else "min" if monitor.endswith("loss") else "max"
        self.patience = patience
        self.history = []

    @property
    def best_epoch(self):
        """Index of the best epoch so far, the first of equals; NaN is worse than any number."""
        sign = 1 if self.mode == "max" else -1
        values = np.array([sign * epoch[self.monitor] for epoch in self.history])
        return int(np.argmax(np.where(np.isnan(values), -np.inf, values)))

    @property
    def finished(self):
        """Whether `patience` epochs have passed without improvement."""
        return bool(self.history) and len(self.history) - 1 - self.best_epoch >= self.patience

    def restore(self, model):
        """Loads the last checkpoint, if there is one, into a compiled model.

        Returns:
            The epoch to begin with: the `initial_epoch` of `fit`.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        # Variables that begin to exist while `fit` traces its step have it traced a second time.
        model.optimizer.build(model.trainable_variables)
        state = self.folder / "state.json"
        if state.exists():
            self.history = json.loads(state.read_text())
            model.load_weights(self._weights(len(self.history) - 1))
        return len(self.history)

    def load_best(self, model):
        """Loads the weights of the best epoch."""
        model.load_weights(self._weights(self.best_epoch))

    def on_epoch_begin(self, epoch, logs=None):
        """Starts the clock of the epoch."""
        self._started = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        """Writes the checkpoint and decides whether to go on."""
        if self.monitor not in logs:
            raise ValueError(f"`monitor` must be one of {sorted(logs)}. Received: {self.monitor!r}")
        seconds = time.perf_counter() - self._started
        self.history.append({**{name: float(logs[name]) for name in logs}, "seconds": seconds})
        self.model.save_weights(self._weights(epoch))
        draft = self.folder / "state.json.draft"
        draft.write_text(json.dumps(self.history, indent=1))
        os.replace(draft, self.folder / "state.json")
        for path in self.folder.glob("*.weights.h5"):
            if path not in (self._weights(epoch), self._weights(self.best_epoch)):
                path.unlink()
        if self.finished:
            self.model.stop_training = True

    def _weights(self, epoch):
        return self.folder / f"epoch_{epoch:03d}.weights.h5"
