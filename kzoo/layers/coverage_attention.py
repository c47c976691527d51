"""Additive attention that knows what it has read of the source, and the loss that goes with it."""

import keras
from keras import ops

from kzoo.layers.attention import masked_softmax
from kzoo.layers.bahdanau_attention import BahdanauAttention


@keras.saving.register_keras_serializable(package="kzoo")
class CoverageAttention(BahdanauAttention):
    """Additive attention with a coverage vector, the sum of the alignments before.

        c_t = a_1 + ... + a_{t-1}
        e_j = v . tanh(W s + U h_j + w_c c_tj + b)

    It is the coverage of pointer-generator networks. Tu et al. 2016 (arXiv 1601.04811) have others,
    which this is not.

    Source: See, Liu and Manning 2017, "Get To The Point: Summarization with Pointer-Generator
    Networks", arXiv 1704.04368, Eq. 10 and 11; Eq. 12 is `coverage_loss`.

    Args:
        units: Width of the hidden layer.
        normalize: Whether to give `v` a norm of its own, see `BahdanauAttention`.

    Example:

    >>> import numpy as np
    >>> attention = CoverageAttention(8)
    >>> context, alignments = attention(np.ones((2, 3), "float32"), np.ones((2, 5, 4), "float32"))
    >>> tuple(context.shape), tuple(alignments.shape)
    ((2, 4), (2, 5))
    """

    # The coverage.
    state_size = (None,)

    def build(self, query_shape, values_shape):
        """Creates the additive weights and `coverage_vector` (w_c)."""
        super().build(query_shape, values_shape)
        self.coverage_vector = self.add_weight(name="coverage_vector", shape=(1, self.units))

    def start(self, memory):
        """Returns a coverage of zero."""
        return [ops.zeros_like(memory[2])]

    def align(self, query, memory, state):
        """Returns the alignments, and the coverage with them."""
        _, keys, mask = memory
        covered = ops.expand_dims(state[0], -1) * self.coverage_vector
        alignments = masked_softmax(self.scores(query, keys + covered), mask)
        return alignments, [state[0] + alignments]


def coverage_loss(alignments):
    """Returns how much each step reads again, `covloss_t = sum_j min(a_tj, c_tj)`.

    Source: See, Liu and Manning 2017, arXiv 1704.04368, Eq. 12.

    Args:
        alignments: `(batch, time, source)`, zeros at the padding of the source.

    Returns:
        `(batch, time)`, zero at the first step and never above one.

    Example:

    >>> import numpy as np
    >>> alignments = np.array([[[1, 0], [0.25, 0.75], [0.5, 0.5]]], "float32")
    >>> ops.convert_to_numpy(coverage_loss(alignments)).tolist()
    [[0.0, 0.25, 1.0]]
    """
    covered = ops.cumsum(alignments, axis=1) - alignments
    return ops.sum(ops.minimum(alignments, covered), axis=-1)
