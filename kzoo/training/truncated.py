"""Truncated backpropagation through time: windows of long sequences, with the state carried on."""

import keras
import numpy as np

from kzoo.training.prepared import PreparedBatches


class Windows(PreparedBatches):
    """A data set for `fit` that cuts long sequences into windows, in the order of time.

    With stateful layers (`Recurrent(stateful=True)`) and `ResetStates`, the state goes from window
    to window and the gradient ends where a window begins: truncated backpropagation through time,
    whose memory depends on the window and not on the sequence. A batch is `(inputs, targets)`, both
    `(batch_size, steps, ...)` with at most `window` steps.

    Source: Williams and Peng 1990, "An efficient gradient-based algorithm for on-line training of
    recurrent network trajectories", with windows that do not overlap (there, BPTT(h; h)).

    Args:
        sequences: Array `(rows, time, ...)`.
        targets: Array `(rows, time, ...)`, a target for each step.
        window: Time steps in a window; the first one of a sequence may be shorter.
        batch_size: Rows in a batch, the static batch size of the model; `rows` is a multiple.

    Example:

    >>> windows = Windows(np.ones((4, 10, 3)), np.zeros((4, 10, 1)), window=6, batch_size=2)
    >>> [inputs.shape for inputs, targets in (windows[index] for index in range(len(windows)))]
    [(2, 4, 3), (2, 6, 3), (2, 4, 3), (2, 6, 3)]
    """

    def __init__(self, sequences, targets, window, batch_size):
        super().__init__()
        sequences, targets = np.asarray(sequences), np.asarray(targets)
        if sequences.ndim < 2 or sequences.shape[:2] != targets.shape[:2]:
            raise ValueError(
                "`sequences` and `targets` must have the same rows and time steps. "
                f"Received: shapes {sequences.shape} and {targets.shape}"
            )
        if not 1 <= window <= sequences.shape[1]:
            raise ValueError(
                f"`window` must be in [1, {sequences.shape[1]}]. Received: window={window}"
            )
        if batch_size < 1 or len(sequences) % batch_size:
            raise ValueError(
                f"`batch_size` must divide the {len(sequences)} rows. Received: {batch_size}"
            )
        self.sequences = sequences
        self.targets = targets
        self.window = window
        self.batch_size = batch_size
        self.windows_per_sequence = -(-sequences.shape[1] // window)

    def __len__(self):
        """Returns the number of batches."""
        return len(self.sequences) // self.batch_size * self.windows_per_sequence

    def __getitem__(self, index):
        """Returns `(inputs, targets)` of one window of one batch of sequences."""
        group, part = divmod(index, self.windows_per_sequence)
        rows = slice(group * self.batch_size, (group + 1) * self.batch_size)
        # The remainder comes first: Keras concludes from two batches which axes are dynamic.
        end = self.sequences.shape[1] - (self.windows_per_sequence - 1 - part) * self.window
        steps = slice(max(end - self.window, 0), end)
        return self.sequences[rows, steps], self.targets[rows, steps]


class ResetStates(keras.callbacks.Callback):
    """Begins with states of zeros wherever new sequences begin in `Windows`.

    Args:
        windows: The `Windows` that `fit`, `evaluate` or `predict` reads, without shuffling.
        validation: The `Windows` that `fit` reads as `validation_data`; by default those are as
            many to a sequence as `windows`.

    Example:

    >>> from kzoo.layers import LSTMCell, Recurrent
    >>> inputs = keras.Input((None, 3), batch_size=2)
    >>> x = Recurrent(LSTMCell(4), return_sequences=True, stateful=True)(inputs)
    >>> model = keras.Model(inputs, keras.layers.Dense(1)(x))
    >>> model.compile("adam", "mse")
    >>> windows = Windows(np.ones((4, 10, 3)), np.zeros((4, 10, 1)), window=5, batch_size=2)
    >>> history = model.fit(windows, shuffle=False, callbacks=[ResetStates(windows)], verbose=0)
    >>> len(history.history["loss"])
    1
    """

    def __init__(self, windows, validation=None):
        super().__init__()
        self.windows = windows
        self.validation = windows if validation is None else validation

    def on_train_batch_begin(self, batch, logs=None):
        """Resets where new sequences begin."""
        self._reset(batch, self.windows)

    def on_test_batch_begin(self, batch, logs=None):
        """Resets where new sequences of validation begin."""
        self._reset(batch, self.validation)

    on_predict_batch_begin = on_train_batch_begin

    def _reset(self, batch, windows):
        if batch % windows.windows_per_sequence == 0:
            if keras.backend.backend() == "jax":
                # There, `fit` keeps the variables to itself unless it is asked for them.
                self.model.jax_state_sync()
            for layer in self.model._flatten_layers():
                if getattr(layer, "stateful", False) and hasattr(layer, "reset_states"):
                    layer.reset_states()
