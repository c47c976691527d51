"""A cell that reads what it wrote: the decoder of autoregressive forecasts."""

import keras
from keras import ops

from kzoo.layers.cell import Cell, project_step
from kzoo.layers.checks import check_sizes


@keras.saving.register_keras_serializable(package="kzoo")
class FeedbackCell(Cell):
    """Wraps a cell whose numbers of one step enter the next one.

        s_t, state = cell([x_t; y_{t-1}], state)
        y_t = y_{t-1} + W s_t + b

    The output is `[y_t; s_t]`. An initial state holds that of the cell, and then `y_0`: what was
    measured last. Training walks on what the cell itself wrote, as it will in use.

    Source: Sutskever, Vinyals and Le 2014, arXiv 1409.3215, for numbers in the place of words; the
    step from `y_{t-1}` is the residual connection of Martinez, Black and Romero 2017, "On human
    motion prediction using recurrent neural networks" (arXiv 1705.02445).

    Args:
        cell: The `kzoo.layers.Cell` to wrap, with attention or without.
        size: Number of numbers written at a step.

    Example:

    >>> import numpy as np
    >>> from kzoo.layers import GRUCell, Recurrent
    >>> decoder = Recurrent(FeedbackCell(GRUCell(4), size=2), return_sequences=True)
    >>> states = [np.ones((1, 4), "float32"), np.ones((1, 2), "float32")]
    >>> tuple(decoder(np.zeros((1, 7, 3), "float32"), initial_state=states).shape)
    (1, 7, 6)
    """

    def __init__(self, cell, size, **kwargs):
        if not isinstance(cell, Cell):
            raise ValueError(f"`cell` must be a kzoo.layers.Cell. Received: cell={cell!r}")
        check_sizes(size=size)
        super().__init__(cell.units, **kwargs)
        self.cell = cell
        self.size = size
        self.attends = cell.attends
        self.state_size = [*cell.state_size, size]
        self.output_size = size + cell.output_size
        self.output_layer = keras.layers.Dense(size, dtype=self.dtype_policy)

    def build(self, input_shape, memory_shape=None):
        """Builds the cell and the layer that writes."""
        joined = (input_shape[0], input_shape[-1] + self.size)
        if not self.cell.built:
            self.cell.build(joined, *([memory_shape] if self.attends else []))
            self.cell.built = True
        if not self.output_layer.built:
            self.output_layer.build((input_shape[0], self.cell.output_size))
        # Those of a cell that attends are known now.
        self.state_size = [*self.cell.state_size, self.size]
        self.output_size = self.size + self.cell.output_size

    def remember(self, values, values_mask=None):
        """Returns the memory that the cell reads, see `kzoo.layers.AttentionCell`."""
        return self.cell.remember(values, values_mask)

    def begin(self, state, memory):
        """Returns the whole initial state, from those of the innermost cell and `y_0`."""
        return [*self.cell.begin(list(state[:-1]), memory), state[-1]]

    def get_initial_state(self, batch_size):
        """Returns states of zeros."""
        inner = self.cell.get_initial_state(batch_size)
        return [*inner, ops.zeros((batch_size, self.size), self.compute_dtype)]

    def project(self, inputs):
        """Returns the inputs, which what was written joins step by step."""
        return inputs, self.cell.draw(inputs)

    def step(self, projected, state, recurrent_mask=None, memory=None):
        """Advances one time step."""
        *inner, written = state
        projected = project_step(self.cell, projected, written)
        options = {"memory": memory} if self.attends else {}
        output, inner = self.cell.step(projected, list(inner), recurrent_mask, **options)
        written = written + ops.cast(self.output_layer(output), written.dtype)
        return ops.concatenate([written, output], axis=-1), [*inner, written]

    def get_config(self):
        """Returns the constructor arguments."""
        config = super().get_config()
        del config["units"]
        cell = keras.saving.serialize_keras_object(self.cell)
        return {**config, "cell": cell, "size": self.size}

    @classmethod
    def from_config(cls, config):
        """Rebuilds the cell with the one it wraps."""
        return cls(**{**config, "cell": keras.saving.deserialize_keras_object(config["cell"])})
