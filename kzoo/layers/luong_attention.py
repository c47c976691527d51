"""Multiplicative attention."""

import keras
from keras import ops

from kzoo.layers.attention import Attention

SCORES = ("dot", "general", "concat")


@keras.saving.register_keras_serializable(package="kzoo")
class LuongAttention(Attention):
    """Multiplicative attention.

        dot:      e_j = s . h_j
        general:  e_j = s . (W h_j)
        concat:   e_j = v . tanh(W [s; h_j])

    With `scaled`, the scores are multiplied with a learned scalar that starts at one.

    Source: Luong, Pham and Manning 2015, "Effective Approaches to Attention-based Neural Machine
    Translation", arXiv 1508.04025, Eq. 8.

    Args:
        units: For "dot" and "general" the width of the query, which "dot" asks of the values too;
            for "concat" the width of the hidden layer.
        score: "dot", "general" or "concat".
        scaled: Whether to learn a scale of the scores.

    Example:

    >>> import numpy as np
    >>> attention = LuongAttention(3)
    >>> context, alignments = attention(np.ones((2, 3), "float32"), np.ones((2, 5, 4), "float32"))
    >>> tuple(context.shape), tuple(alignments.shape)
    ((2, 4), (2, 5))
    """

    def __init__(self, units, score="general", scaled=False, **kwargs):
        if score not in SCORES:
            raise ValueError(f"`score` must be one of {SCORES}. Received: score={score!r}")
        super().__init__(units, **kwargs)
        self.score = score
        self.scaled = scaled

    def build(self, query_shape, values_shape):
        """Creates `memory_kernel`, `query_kernel`, `score_vector` and `scale`, where they apply."""
        sizes = {"query": query_shape[-1], "values": values_shape[-1]}
        meeting = {"dot": ("query", "values"), "general": ("query",), "concat": ()}[self.score]
        for name in meeting:
            if sizes[name] != self.units:
                raise ValueError(
                    f"`units` must be the width of the {name}, {sizes[name]}, with score="
                    f"{self.score!r}. Received: units={self.units}"
                )
        if self.score != "dot":
            shape = (sizes["values"], self.units)
            self.memory_kernel = self.add_weight(name="memory_kernel", shape=shape)
        if self.score == "concat":
            shape = (sizes["query"], self.units)
            self.query_kernel = self.add_weight(name="query_kernel", shape=shape)
            self.score_vector = self.add_weight(name="score_vector", shape=(self.units, 1))
        if self.scaled:
            self.scale = self.add_weight(name="scale", shape=(), initializer="ones")

    def project_memory(self, values):
        """Returns `W h_j`, or the values themselves for "dot"."""
        return values if self.score == "dot" else ops.matmul(values, self.memory_kernel)

    def scores(self, query, keys):
        """Returns the scores by the equation of `score`."""
        if self.score == "concat":
            query = ops.expand_dims(ops.matmul(query, self.query_kernel), 1)
            scores = ops.squeeze(ops.matmul(ops.tanh(query + keys), self.score_vector), -1)
        else:
            scores = ops.squeeze(ops.matmul(keys, ops.expand_dims(query, -1)), -1)
        return scores * self.scale if self.scaled else scores

    def get_config(self):
        """Returns the constructor arguments."""
        return {**super().get_config(), "score": self.score, "scaled": self.scaled}
