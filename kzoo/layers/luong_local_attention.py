"""Local attention: a window on the memory, at the step's own position or at one predicted."""

import keras
from keras import ops

from kzoo.layers.attention import masked_softmax
from kzoo.layers.checks import check_sizes
from kzoo.layers.luong_attention import LuongAttention


class LuongLocalAttention(LuongAttention):
    """Base of the attentions that look at a window of `2 D + 1` positions around a centre `p`.

        a_j = softmax(e_j) over the j with |j - p| <= D

    Positions count from zero and leave padding out, wherever it stands. Scores are computed for the
    whole memory, those outside of the window are dropped: at the lengths of sentences that costs
    less than to gather the window of each row.

    Args:
        units: See `LuongAttention`.
        score: "dot", "general" or "concat".
        scaled: Whether to learn a scale of the scores.
        half_window: `D`, how many positions the window reaches to each side.
    """

    def __init__(self, units, score="general", scaled=False, half_window=10, **kwargs):
        check_sizes(half_window=half_window)
        super().__init__(units, score, scaled, **kwargs)
        self.half_window = half_window

    def remember(self, values, values_mask=None):
        """Returns `[values, keys, mask, positions]`; positions are floats `(batch, source)`."""
        values, keys, mask = super().remember(values, values_mask)
        # Half floats cannot count far.
        positions = ops.cumsum(ops.cast(mask, "float32"), axis=1) - 1
        return [values, keys, mask, positions]

    def look(self, query, memory, center):
        """Returns the softmax within the window around `center`, `(batch, 1)`."""
        _, keys, mask, positions = memory
        near = ops.abs(positions - center) <= self.half_window
        return masked_softmax(self.scores(query, keys), mask * ops.cast(near, mask.dtype))

    def get_config(self):
        """Returns the constructor arguments."""
        return {**super().get_config(), "half_window": self.half_window}


@keras.saving.register_keras_serializable(package="kzoo")
class LuongLocalMonotonicAttention(LuongLocalAttention):
    """Local attention that takes source and target to run at the same pace, local-m.

        p_t = min(t, S - 1),   a_j = softmax(e_j) over the j with |j - p_t| <= D

    `t` counts the steps from zero, `S` is the length of the row without padding. The minimum is
    ours: the paper does not say what to read once the target is longer than the source.

    Source: Luong, Pham and Manning 2015, arXiv 1508.04025, section 3.2, with the scores of Eq. 8.

    Args:
        units: See `LuongAttention`.
        score: "dot", "general" or "concat".
        scaled: Whether to learn a scale of the scores.
        half_window: `D`, how many positions the window reaches to each side.

    Example:

    >>> import numpy as np
    >>> attention = LuongLocalMonotonicAttention(3, half_window=1)
    >>> _, alignments = attention(np.ones((1, 3), "float32"), np.ones((1, 4, 4), "float32"))
    >>> ops.convert_to_numpy(alignments).tolist()
    [[0.5, 0.5, 0.0, 0.0]]
    """

    # The number of the step.
    state_size = (1,)

    def start(self, memory):
        """Returns step zero, `(batch, 1)`."""
        return [ops.zeros_like(memory[3][:, :1])]

    def align(self, query, memory, state):
        """Returns the alignments of the window, and the next step."""
        last = ops.max(memory[3], axis=1, keepdims=True)
        center = ops.minimum(ops.cast(state[0], last.dtype), last)
        return self.look(query, memory, center), [state[0] + 1]


@keras.saving.register_keras_serializable(package="kzoo")
class LuongLocalPredictiveAttention(LuongLocalAttention):
    """Local attention that predicts from the query where to look, local-p.

        p = S sigmoid(v_p . tanh(W_p s))
        a_j = softmax(e_j) exp(-(j - p)^2 / (2 (D / 2)^2)),   softmax over the j with |j - p| <= D

    `S` is the length of the row without padding. The alignments favour positions near `p`, and sum
    to less than one; gradients reach `p` through the Gaussian.

    Source: Luong, Pham and Manning 2015, arXiv 1508.04025, Eq. 9 and 10, with the scores of Eq. 8.

    Args:
        units: See `LuongAttention`; the width of `W_p s` too.
        score: "dot", "general" or "concat".
        scaled: Whether to learn a scale of the scores.
        half_window: `D`, how many positions the window reaches to each side.

    Example:

    >>> import numpy as np
    >>> attention = LuongLocalPredictiveAttention(3, half_window=2)
    >>> context, alignments = attention(np.ones((2, 3), "float32"), np.ones((2, 9, 4), "float32"))
    >>> tuple(context.shape), tuple(alignments.shape)
    ((2, 4), (2, 9))
    """

    def build(self, query_shape, values_shape):
        """Creates the weights of the scores, `position_kernel` (W_p) and `position_vector`."""
        super().build(query_shape, values_shape)
        shape = (query_shape[-1], self.units)
        self.position_kernel = self.add_weight(name="position_kernel", shape=shape)
        self.position_vector = self.add_weight(name="position_vector", shape=(self.units, 1))

    def align(self, query, memory, state):
        """Returns the alignments of the window, and no state."""
        positions = memory[3]
        hidden = ops.tanh(ops.matmul(query, self.position_kernel))
        share = ops.sigmoid(ops.matmul(hidden, self.position_vector))
        length = ops.max(positions, axis=1, keepdims=True) + 1
        center = length * ops.cast(share, positions.dtype)
        gaussian = ops.exp(-2 * ops.square((positions - center) / self.half_window))
        alignments = self.look(query, memory, center)
        return alignments * ops.cast(gaussian, alignments.dtype), state
