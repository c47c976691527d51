"""Additive attention that sees where it looked before."""

import keras
from keras import ops

from kzoo.layers.attention import masked_softmax
from kzoo.layers.bahdanau_attention import BahdanauAttention
from kzoo.layers.checks import check_sizes


@keras.saving.register_keras_serializable(package="kzoo")
class LocationSensitiveAttention(BahdanauAttention):
    """Additive attention with features of the alignments before, for speech.

        f = F * a_{t-1}
        e_j = v . tanh(W s + V h_j + U f_j + b)

    `F *` is a convolution over the source, a cross-correlation as everywhere in Keras, with zeros
    beyond both ends. Before the first step `a_0` is zero. With `cumulative`, the sum of all
    alignments so far takes the place of `a_{t-1}`.

    Source: Chorowski, Bahdanau, Serdyuk, Cho and Bengio 2015, "Attention-Based Models for Speech
    Recognition", arXiv 1506.07503, Eq. 8 and 9; the sum: Shen et al. 2018, "Natural TTS Synthesis
    by Conditioning WaveNet on Mel Spectrogram Predictions", arXiv 1712.05884, section 2.2, whose
    32 filters of length 31 are the defaults.

    Args:
        units: Width of the hidden layer.
        filters: Number of features of each position.
        kernel_size: Length of the filters.
        cumulative: Whether to convolve the sum of the alignments so far.
        normalize: Whether to give `v` a norm of its own, see `BahdanauAttention`.

    Example:

    >>> import numpy as np
    >>> attention = LocationSensitiveAttention(8, filters=4, kernel_size=3)
    >>> context, alignments = attention(np.ones((2, 3), "float32"), np.ones((2, 5, 4), "float32"))
    >>> tuple(context.shape), tuple(alignments.shape)
    ((2, 4), (2, 5))
    """

    # The alignments before, or their sum.
    state_size = (None,)

    def __init__(
        self, units, filters=32, kernel_size=31, cumulative=False, normalize=False, **kwargs
    ):
        check_sizes(filters=filters, kernel_size=kernel_size)
        super().__init__(units, normalize, **kwargs)
        self.filters = filters
        self.kernel_size = kernel_size
        self.cumulative = cumulative

    def build(self, query_shape, values_shape):
        """Creates the additive weights (V is `memory_kernel`), `location_filters` (F) and `U`."""
        super().build(query_shape, values_shape)
        self.location_filters = self.add_weight(
            name="location_filters", shape=(self.kernel_size, 1, self.filters)
        )
        self.location_kernel = self.add_weight(
            name="location_kernel", shape=(self.filters, self.units)
        )

    def start(self, memory):
        """Returns alignments of zero."""
        return [ops.zeros_like(memory[2])]

    def align(self, query, memory, state):
        """Returns the alignments, and what the next step convolves."""
        _, keys, mask = memory
        features = ops.conv(ops.expand_dims(state[0], -1), self.location_filters, padding="same")
        located = keys + ops.matmul(features, self.location_kernel)
        alignments = masked_softmax(self.scores(query, located), mask)
        return alignments, [state[0] + alignments if self.cumulative else alignments]

    def get_config(self):
        """Returns the constructor arguments."""
        return {
            **super().get_config(),
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "cumulative": self.cumulative,
        }
