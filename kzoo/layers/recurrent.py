"""The driver that runs a cell over a sequence, and its bidirectional form."""

import keras
from keras import ops

from kzoo.layers.backpropagation import find_rule
from kzoo.layers.cell import Cell, LinearCell
from kzoo.layers.lowering import current_lowering
from kzoo.layers.walk import walk


@keras.saving.register_keras_serializable(package="kzoo")
class Recurrent(keras.layers.Layer):
    """Runs a cell over the time axis of a batch of sequences.

        y_t, s_t = cell(x_t, s_{t-1})

    The input projection is computed for all time steps in one matrix product before the walk. In
    training the walk is differentiable; export picks another lowering of the same numbers (see
    `kzoo.layers.walk`).

    Masked steps carry the state through, and their output is the previous output, or zeros with
    `zero_output_for_mask`: a right-padded row gives what it gives alone.

    Args:
        cell: A `kzoo.layers.Cell`.
        return_sequences: Whether to return the outputs of all time steps, or of the last.
        return_state: Whether to return the final states after the output.
        go_backwards: Whether to walk from the last time step to the first; outputs are in the order
            of the walk, as in Keras.
        zero_output_for_mask: Whether masked steps output zeros.
        dropout: Fraction of the input features to drop, the same ones at all time steps (Gal and
            Ghahramani 2016, arXiv 1512.05287).
        recurrent_dropout: Fraction of the hidden units to drop where they enter the recurrent
            kernel, the same ones at all time steps.
        stateful: Whether a batch goes on from the states in which the batch before ended, row by
            row, until `reset_states()`; needs a static batch size. Gradients end where the batch
            begins. Exported files are not stateful: their sequences begin at zero, or see
            `kzoo.export.export_streaming`.

    Call arguments:
        sequences: `(batch, time, features)`.
        initial_state: Optional list of `(batch, size)` tensors; by default zeros, or with
            `stateful` where the batch before ended.
        mask: Optional boolean `(batch, time)`, True where the step counts. As with Keras's layers,
            that of an Embedding or a Masking arrives by itself only without `initial_state`.
        memory: What the cell attends to, `(batch, source, size)`; only for an `AttentionCell`.
        memory_mask: Optional boolean `(batch, source)`, False at the padding of the memory.

    Returns:
        `(batch, time, size)` or `(batch, size)`, then the states with `return_state`.

    Example:

    >>> import numpy as np
    >>> from kzoo.layers import LSTMCell
    >>> layer = Recurrent(LSTMCell(4), return_sequences=True, return_state=True)
    >>> outputs, hidden, carry = layer(np.ones((2, 5, 3), "float32"))
    >>> tuple(outputs.shape), tuple(carry.shape)
    ((2, 5, 4), (2, 4))
    """

    def __init__(
        self,
        cell,
        return_sequences=False,
        return_state=False,
        go_backwards=False,
        zero_output_for_mask=False,
        dropout=0.0,
        recurrent_dropout=0.0,
        stateful=False,
        **kwargs,
    ):
        if not isinstance(cell, Cell):
            raise ValueError(f"`cell` must be a kzoo.layers.Cell. Received: cell={cell!r}")
        for name, rate in (("dropout", dropout), ("recurrent_dropout", recurrent_dropout)):
            if not 0 <= rate < 1:
                raise ValueError(f"`{name}` must be in [0, 1). Received: {name}={rate}")
        innermost = cell
        while hasattr(innermost, "cell"):
            innermost = innermost.cell
        if recurrent_dropout and isinstance(innermost, LinearCell):
            raise ValueError(
                f"`recurrent_dropout` needs a cell with a recurrent kernel, which "
                f"{type(innermost).__name__} has not. "
                f"Received: recurrent_dropout={recurrent_dropout}"
            )
        if stateful and cell.attends:
            raise ValueError("`stateful` must be False where the cell attends to a memory.")
        super().__init__(**kwargs)
        self.supports_masking = True
        # TensorFlow's XLA cannot differentiate `keras.ops.scan`, whose loop has no stated bound;
        # linear cells, and those with a rule, bring their own gradient.
        self.supports_jit = (
            keras.backend.backend() != "tensorflow"
            or isinstance(cell, LinearCell)
            or find_rule(cell) is not None
        )
        self.cell = cell
        self.return_sequences = return_sequences
        self.return_state = return_state
        self.go_backwards = go_backwards
        self.zero_output_for_mask = zero_output_for_mask
        self.dropout = dropout
        self.recurrent_dropout = recurrent_dropout
        self.stateful = stateful
        self.states = []
        self.seed_generator = keras.random.SeedGenerator()

    def build(self, sequences_shape, initial_state_shape=None, memory_shape=None):
        """Builds the cell."""
        if len(sequences_shape) != 3:
            raise ValueError(
                "`sequences` must have shape (batch, time, features). "
                f"Received: shape={tuple(sequences_shape)}"
            )
        if self.cell.attends != (memory_shape is not None):
            raise ValueError(
                "`memory` must be given to a cell that attends to it, and to no other. "
                f"Received: a {type(self.cell).__name__} and memory of shape {memory_shape}"
            )
        if not self.cell.built:
            shapes = [(sequences_shape[0], sequences_shape[2])]
            self.cell.build(*shapes, *([memory_shape] if self.cell.attends else []))
            self.cell.built = True
        if self.stateful:
            self._add_states(sequences_shape[0])

    def _add_states(self, batch_size):
        if batch_size is None:
            raise ValueError(
                f"`stateful=True` needs a static batch size, which {self.name!r} was not given: "
                "write keras.Input(..., batch_size=...)"
            )
        self.states = [
            self.add_weight(
                name=f"state_{index}",
                shape=(batch_size, size),
                initializer="zeros",
                trainable=False,
            )
            for index, size in enumerate(self.cell.state_size)
        ]

    def reset_states(self):
        """Makes the next batch begin with states of zeros."""
        if not self.stateful:
            raise ValueError(f"`reset_states` needs stateful=True. Received: layer {self.name!r}")
        for variable in self.states:
            variable.assign(ops.zeros(variable.shape, variable.dtype))

    def call(
        self,
        sequences,
        initial_state=None,
        mask=None,
        training=False,
        memory=None,
        memory_mask=None,
    ):
        """Runs the cell; see the class."""
        lowering = current_lowering()
        if callable(lowering) and not self.cell.attends:
            return lowering(self, sequences, initial_state, mask)
        dtype = self.compute_dtype
        batch, features = ops.shape(sequences)[0], sequences.shape[2]
        # An exported walk takes no part in what the layer remembers.
        remembers = self.stateful and lowering == "sequential"
        if initial_state is None and remembers:
            self._check_batch_size(sequences.shape[0])
            initial_state = [ops.convert_to_tensor(state) for state in self.states]
        if initial_state is None:
            initial_state = self.cell.get_initial_state(batch)
        # The driver's dtype policy holds for the cell too, whose weights are cast to it.
        state = [ops.cast(s, dtype) for s in keras.tree.flatten(initial_state)]
        if self.cell.attends:
            memory = self.cell.remember(memory, memory_mask)
            state = self.cell.begin(state, memory)
        if len(state) != len(self.cell.state_size):
            raise ValueError(
                f"`initial_state` must have {len(self.cell.state_size)} tensors. "
                f"Received: {len(state)}"
            )
        if training and self.dropout:
            sequences = sequences * self._dropout_mask(self.dropout, (batch, 1, features))
        recurrent_mask = None
        if training and self.recurrent_dropout:
            recurrent_mask = self._dropout_mask(self.recurrent_dropout, (batch, self.cell.units))
        inputs = ops.transpose(sequences, (1, 0, 2))
        if mask is not None:
            mask = ops.expand_dims(ops.transpose(ops.cast(mask, "bool")), -1)
        if self.go_backwards:
            inputs = ops.flip(inputs, 0)
            mask = mask if mask is None else ops.flip(mask, 0)
        outputs, state = walk(
            self.cell,
            inputs,
            state,
            mask,
            recurrent_mask,
            memory,
            return_sequences=self.return_sequences,
            zero_output_for_mask=self.zero_output_for_mask,
        )
        if remembers:
            for variable, value in zip(self.states, state, strict=True):
                variable.assign(ops.cast(value, variable.dtype))
        if self.return_sequences:
            outputs = ops.transpose(outputs, (1, 0, 2))
        return (outputs, *state) if self.return_state else outputs

    def _check_batch_size(self, batch_size):
        expected = self.states[0].shape[0]
        if batch_size not in (None, expected):
            raise ValueError(
                f"`sequences` must have {expected} rows, the batch size of the stateful layer "
                f"{self.name!r}. Received: {batch_size} rows"
            )

    def _dropout_mask(self, rate, shape):
        ones = ops.ones(shape, self.compute_dtype)
        return keras.random.dropout(ones, rate, seed=self.seed_generator)

    def compute_mask(self, sequences, mask=None):
        """Returns the mask of the outputs; states have none."""
        output_mask = mask if self.return_sequences else None
        if self.return_state:
            return [output_mask] + [None] * len(self.cell.state_size)
        return output_mask

    def compute_output_shape(self, sequences_shape, initial_state_shape=None, memory_shape=None):
        """Returns the shapes of what `call` returns."""
        batch, time = sequences_shape[:2]
        size = self.cell.output_size
        shape = (batch, time, size) if self.return_sequences else (batch, size)
        if self.return_state:
            return shape, *((batch, size) for size in self.cell.state_size)
        return shape

    def get_config(self):
        """Returns the constructor arguments."""
        return {
            **super().get_config(),
            "cell": keras.saving.serialize_keras_object(self.cell),
            "return_sequences": self.return_sequences,
            "return_state": self.return_state,
            "go_backwards": self.go_backwards,
            "zero_output_for_mask": self.zero_output_for_mask,
            "dropout": self.dropout,
            "recurrent_dropout": self.recurrent_dropout,
            "stateful": self.stateful,
        }

    @classmethod
    def from_config(cls, config):
        """Rebuilds the layer with its cell."""
        cell = keras.saving.deserialize_keras_object(config["cell"])
        return cls(**{**config, "cell": cell})
