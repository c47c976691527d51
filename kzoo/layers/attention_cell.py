"""A cell that attends to a memory."""

import keras
from keras import ops

from kzoo.layers.attention import Attention, read
from kzoo.layers.cell import Cell, project_step
from kzoo.layers.checks import check_sizes


@keras.saving.register_keras_serializable(package="kzoo")
class AttentionCell(Cell):
    """Wraps a cell with attention to a memory, as a decoder has to its encoder's outputs.

        s_t, state = cell([x_t; y_{t-1}], state)
        a_t, c_t = attention(s_t, memory)
        y_t = tanh(W [s_t; c_t])

    `y_t`, the attentional vector, is the output; that it enters the next step is input feeding.
    Without an attention layer `y_t = [s_t; c_t]`. The context `c_{t-1}` that enters the cell is
    then the one that Bahdanau et al. compute from `s_{t-1}` at the head of their step.

    `W = [W_s; W_c]`, and `W_c c_t = sum_j a_tj W_c h_j`: so `W_c h_j` is computed once for the
    whole source, and a step reads that in place of `h_j`.

    Run it with `Recurrent` and its argument `memory`. Its states are those of the cell, `y_t`, and
    those of the attention; an initial state need only hold the cell's.

    Source: Luong, Pham and Manning 2015, arXiv 1508.04025, Eq. 5 and section 3.3; Bahdanau, Cho
    and Bengio 2015, arXiv 1409.0473, section 3.1.

    Args:
        cell: The `kzoo.layers.Cell` to wrap.
        attention: A `kzoo.layers.Attention`.
        attention_layer_size: Width of `y_t`; None for no attention layer.
        input_feeding: Whether `y_{t-1}` enters the cell.

    Example:

    >>> import numpy as np
    >>> from kzoo.layers import BahdanauAttention, GRUCell, Recurrent
    >>> cell = AttentionCell(GRUCell(4), BahdanauAttention(8), attention_layer_size=6)
    >>> decoder = Recurrent(cell, return_sequences=True)
    >>> encoded = np.ones((2, 9, 3), "float32")
    >>> tuple(decoder(np.ones((2, 5, 7), "float32"), memory=encoded).shape)
    (2, 5, 6)
    """

    attends = True

    def __init__(self, cell, attention, attention_layer_size=None, input_feeding=True, **kwargs):
        if not isinstance(cell, Cell) or cell.attends:
            raise ValueError(
                f"`cell` must be a kzoo.layers.Cell without attention. Received: cell={cell!r}"
            )
        if not isinstance(attention, Attention):
            raise ValueError(
                f"`attention` must be a kzoo.layers.Attention. Received: attention={attention!r}"
            )
        if attention_layer_size is not None:
            check_sizes(attention_layer_size=attention_layer_size)
        super().__init__(cell.units, **kwargs)
        self.cell = cell
        self.attention = attention
        self.attention_layer_size = attention_layer_size
        self.input_feeding = input_feeding

    def build(self, input_shape, memory_shape):
        """Builds the cell and the attention, and creates `output_kernel` (W)."""
        batch, features = input_shape[0], input_shape[-1]
        joined = self.cell.output_size + memory_shape[-1]
        self.output_size = self.attention_layer_size or joined
        if self.input_feeding:
            features += self.output_size
        if not self.cell.built:
            self.cell.build((batch, features))
        if not self.attention.built:
            self.attention.build((batch, self.cell.output_size), memory_shape)
        if self.attention_layer_size is not None:
            self.output_kernel = self.add_weight(
                name="output_kernel", shape=(joined, self.attention_layer_size)
            )
        self.state_size = [
            *self.cell.state_size,
            self.output_size,
            *self.attention.state_size,
        ]

    def remember(self, values, values_mask=None):
        """Returns the memory that `step` reads: `Attention.remember`, with `W_c h_j` for `h_j`."""
        memory = self.attention.remember(values, values_mask)
        if self.attention_layer_size is not None:
            memory[0] = ops.matmul(memory[0], self.output_kernel[self.cell.output_size :])
        return memory

    def begin(self, state, memory):
        """Returns the whole initial state, from that of the cell alone."""
        if len(state) != len(self.cell.state_size):
            return state
        batch = ops.shape(memory[0])[0]
        output = ops.zeros((batch, self.output_size), state[0].dtype)
        return [*state, output, *self.attention.start(memory)]

    def get_initial_state(self, batch_size):
        """Returns the zero state of the cell."""
        return self.cell.get_initial_state(batch_size)

    def project(self, inputs):
        """Returns the cell's projection, or the inputs where the attentional vector joins them."""
        return (inputs, self.cell.draw(inputs)) if self.input_feeding else self.cell.project(inputs)

    def step(self, projected, state, recurrent_mask=None, memory=None):
        """Advances one time step; `memory` is what `remember` returned."""
        return self.attend(projected, state, recurrent_mask, memory)[:2]

    def attend(self, projected, state, recurrent_mask=None, memory=None):
        """Advances one time step, and returns `(output, state, alignments)`."""
        split = len(self.cell.state_size)
        cell_state, output, attention_state = state[:split], state[split], state[split + 1 :]
        if self.input_feeding:
            projected = project_step(self.cell, projected, output)
        query, cell_state = self.cell.step(projected, cell_state, recurrent_mask)
        alignments, attention_state = self.attention.align(query, memory, attention_state)
        context = read(alignments, memory)
        if self.attention_layer_size is None:
            output = ops.concatenate([query, context], axis=-1)
        else:
            kernel = self.output_kernel[: self.cell.output_size]
            output = ops.tanh(ops.matmul(query, kernel) + context)
        return output, [*cell_state, output, *attention_state], alignments

    def get_config(self):
        """Returns the constructor arguments."""
        config = super().get_config()
        del config["units"]
        return {
            **config,
            "cell": keras.saving.serialize_keras_object(self.cell),
            "attention": keras.saving.serialize_keras_object(self.attention),
            "attention_layer_size": self.attention_layer_size,
            "input_feeding": self.input_feeding,
        }

    @classmethod
    def from_config(cls, config):
        """Rebuilds the cell with what it wraps."""
        wrapped = {
            name: keras.saving.deserialize_keras_object(config[name])
            for name in ("cell", "attention")
        }
        return cls(**{**config, **wrapped})
