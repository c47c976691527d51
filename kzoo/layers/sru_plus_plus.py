"""The simple recurrent unit with attention in the place of its input projection."""

import keras
from keras import ops

from kzoo.layers.checks import check_sizes
from kzoo.layers.pooling import LOWEST
from kzoo.layers.recurrent import Recurrent
from kzoo.layers.sru import SRUCell


class AttendedSRUCell(SRUCell):
    """An SRU whose kernel sees the first features of its input, and whose highway the others.

    Args:
        units: Positive integer, the width of the state.
        attention_dim: Number of features that the kernel sees.
        highway_bias: See `SRUCell`.
    """

    def __init__(self, units, attention_dim, highway_bias, **kwargs):
        super().__init__(units, highway_bias, **kwargs)
        self.attention_dim = attention_dim
        self.highway_scale = 1.0

    def build(self, input_shape):
        """Creates the weights of an SRU with `attention_dim` features."""
        width = input_shape[-1] - self.attention_dim
        self.add_matrices(self.attention_dim, 3 if width == self.units else 4)

    def project(self, inputs):
        """Returns what `SRUCell.project` does."""
        return self.gate(inputs[..., : self.attention_dim], inputs[..., self.attention_dim :])


@keras.saving.register_keras_serializable(package="kzoo")
class SRUPlusPlus(keras.layers.Layer):
    """SRU++: attention over the sequence, then the simple recurrent unit.

        q_t = W_q x_t;   k_t = W_k q_t;   v_t = W_v q_t
        a_t = sum_s softmax_s(q_t . k_s / sqrt(attention_dim)) v_s
        u_t, u^f_t, u^r_t = W_o norm(q_t + alpha * a_t)
        f_t = sigmoid(u^f_t + b_f);   r_t = sigmoid(u^r_t + b_r)
        c_t = f_t * c_{t-1} + (1 - f_t) * u_t
        h_t = r_t * c_t + (1 - r_t) * x_t

    One head, no positions: the recurrence knows the order. `alpha` is a learned scalar that starts
    at zero, so that training starts from an SRU whose kernel is a product of two. `norm` is layer
    normalization. Where input and output differ in width, `x_t` of the highway is a fourth block of
    `W_o`.

    Padding is neither attended to nor walked over: a right-padded row gives what it gives alone.
    With `causal`, a step attends to itself and to the steps before it. Attention costs time and
    memory that grow with the square of the length. With a `window`, of those steps it attends to
    the last ones only, so that a stream (`kzoo.export.export_streaming`) has to keep no more.

    Source: Lei 2021, "When Attention Meets Fast Recurrence: Training Language Models with Reduced
    Compute" (arXiv 2102.12459), section 3, without the memory of earlier segments; the recurrence
    is the linear form that `SRUCell` has.

    Args:
        units: Positive integer, the width of the state and of the output.
        attention_dim: Positive integer, the width of the attention; the paper takes a quarter of
            `units`.
        causal: Whether a step attends to earlier steps alone.
        window: Number of steps, itself among them, that a step attends to, at least 2; None for
            all. It needs `causal`.
        highway_bias: Initial value of `b_r`; negative values favour the highway.
        return_sequences: Whether to return the outputs of all time steps, or of the last.
        return_state: Whether to return the final state after the output.
        zero_output_for_mask: Whether masked steps output zeros; see `Recurrent`.

    Call arguments:
        sequences: `(batch, time, features)`.
        initial_state: Optional list of one `(batch, units)` tensor, by default zeros.
        mask: Optional boolean `(batch, time)`, True where the step counts.

    Returns:
        `(batch, time, units)` or `(batch, units)`, then the state with `return_state`.

    Example:

    >>> import numpy as np
    >>> layer = SRUPlusPlus(8, attention_dim=2, return_sequences=True)
    >>> tuple(layer(np.ones((2, 5, 3), "float32")).shape)
    (2, 5, 8)
    """

    def __init__(
        self,
        units,
        attention_dim,
        causal=True,
        window=None,
        highway_bias=0.0,
        return_sequences=False,
        return_state=False,
        zero_output_for_mask=False,
        **kwargs,
    ):
        check_sizes(attention_dim=attention_dim)
        if window is not None and not (causal and isinstance(window, int) and window >= 2):
            raise ValueError(
                "`window` must be an integer of at least 2 with `causal`, or None. "
                f"Received: window={window!r}, causal={causal!r}"
            )
        super().__init__(**kwargs)
        self.supports_masking = True
        self.units = units
        self.attention_dim = attention_dim
        self.causal = causal
        self.window = window
        self.highway_bias = highway_bias
        self.return_sequences = return_sequences
        self.return_state = return_state
        self.zero_output_for_mask = zero_output_for_mask
        self.normalization = keras.layers.LayerNormalization(
            epsilon=1e-5, dtype=self.dtype_policy, name="normalization"
        )
        self.recurrent = Recurrent(
            AttendedSRUCell(units, attention_dim, highway_bias, dtype=self.dtype_policy),
            return_sequences,
            return_state,
            zero_output_for_mask=zero_output_for_mask,
            dtype=self.dtype_policy,
            name=self.name,
        )
        self.supports_jit = self.recurrent.supports_jit

    def build(self, sequences_shape, initial_state_shape=None):
        """Creates `query_kernel`, `key_kernel`, `value_kernel` and `alpha`."""
        batch, time, features = sequences_shape
        for name, rows in (("query", features), ("key", None), ("value", None)):
            shape = (rows or self.attention_dim, self.attention_dim)
            setattr(self, f"{name}_kernel", self.add_weight(name=f"{name}_kernel", shape=shape))
        self.alpha = self.add_weight(name="alpha", shape=(), initializer="zeros")
        self.normalization.build((batch, time, self.attention_dim))
        self.recurrent.build((batch, time, self.attention_dim + features))
        self.recurrent.built = True

    def call(self, sequences, initial_state=None, mask=None):
        """Runs the layer; see the class."""
        queries = ops.matmul(sequences, self.query_kernel)
        features = self.attend(sequences, queries, queries, mask)
        return self.recurrent(features, initial_state=initial_state, mask=mask)

    def attend(self, sequences, queries, memory, mask):
        """Returns what the recurrence reads.

        Args:
            sequences: `(batch, time, features)`.
            queries: `q_t` of these steps, `(batch, time, attention_dim)`.
            memory: `q_s` of all that is attended to, `(batch, steps, attention_dim)`; the last ones
                are those of `sequences`.
            mask: Boolean `(batch, steps)`, which of `memory` count; or None.

        Returns:
            `(batch, time, attention_dim + features)`.
        """
        keys, values = ops.matmul(memory, self.key_kernel), ops.matmul(memory, self.value_kernel)
        scores = ops.matmul(queries, ops.transpose(keys, (0, 2, 1))) * self.attention_dim**-0.5
        if self.causal:
            steps = ops.arange(ops.shape(memory)[1])
            ages = ops.expand_dims(steps[-ops.shape(queries)[1] :], 1) - ops.expand_dims(steps, 0)
            scores = ops.where(ages >= 0, scores, LOWEST)
            if self.window is not None:
                scores = ops.where(ages < self.window, scores, LOWEST)
        if mask is not None:
            scores = ops.where(ops.expand_dims(ops.cast(mask, "bool"), 1), scores, LOWEST)
        attended = queries + self.alpha * ops.matmul(ops.softmax(scores), values)
        return ops.concatenate([self.normalization(attended), sequences], axis=-1)

    def compute_mask(self, sequences, mask=None):
        """Returns the mask of the outputs; the state has none."""
        return self.recurrent.compute_mask(sequences, mask)

    def compute_output_shape(self, sequences_shape, initial_state_shape=None):
        """Returns the shapes of what `call` returns."""
        return self.recurrent.compute_output_shape(sequences_shape)

    def get_config(self):
        """Returns the constructor arguments."""
        return {
            **super().get_config(),
            "units": self.units,
            "attention_dim": self.attention_dim,
            "causal": self.causal,
            "window": self.window,
            "highway_bias": self.highway_bias,
            "return_sequences": self.return_sequences,
            "return_state": self.return_state,
            "zero_output_for_mask": self.zero_output_for_mask,
        }
