"""Additive attention."""

import keras
from keras import ops

from kzoo.layers.attention import Attention


@keras.saving.register_keras_serializable(package="kzoo")
class BahdanauAttention(Attention):
    """Additive attention, a small network that compares query and value.

        e_j = v . tanh(W s + U h_j + b)

    With `normalize`, `v` is `g v / |v|` with a learned scalar `g` that starts at `1 / sqrt(units)`.

    Source: Bahdanau, Cho and Bengio 2015, "Neural Machine Translation by Jointly Learning to Align
    and Translate", arXiv 1409.0473, section 3.1 and appendix A.1.2 (which has no `b`); the norm:
    Salimans and Kingma 2016, "Weight Normalization", arXiv 1602.07868, Eq. 2.

    Args:
        units: Width of the hidden layer.
        normalize: Whether to give `v` a norm of its own.

    Example:

    >>> import numpy as np
    >>> attention = BahdanauAttention(8)
    >>> context, alignments = attention(np.ones((2, 3), "float32"), np.ones((2, 5, 4), "float32"))
    >>> tuple(context.shape), tuple(alignments.shape)
    ((2, 4), (2, 5))
    """

    def __init__(self, units, normalize=False, **kwargs):
        super().__init__(units, **kwargs)
        self.normalize = normalize

    def build(self, query_shape, values_shape):
        """Creates `query_kernel` (W), `memory_kernel` (U), `bias`, `score_vector` and `gain`."""
        units = self.units
        self.query_kernel = self.add_weight(name="query_kernel", shape=(query_shape[-1], units))
        self.memory_kernel = self.add_weight(name="memory_kernel", shape=(values_shape[-1], units))
        self.bias = self.add_weight(name="bias", shape=(units,), initializer="zeros")
        self.score_vector = self.add_weight(name="score_vector", shape=(units, 1))
        if self.normalize:
            start = keras.initializers.Constant(units**-0.5)
            self.gain = self.add_weight(name="gain", shape=(), initializer=start)

    def project_memory(self, values):
        """Returns `U h_j + b`."""
        return ops.matmul(values, self.memory_kernel) + self.bias

    def scores(self, query, keys):
        """Returns `v . tanh(W s + keys)`."""
        vector = self.score_vector
        if self.normalize:
            vector = self.gain * vector * ops.rsqrt(ops.sum(ops.square(vector)))
        query = ops.expand_dims(ops.matmul(query, self.query_kernel), 1)
        return ops.squeeze(ops.matmul(ops.tanh(query + keys), vector), -1)

    def get_config(self):
        """Returns the constructor arguments."""
        return {**super().get_config(), "normalize": self.normalize}
