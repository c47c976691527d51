"""Monotonic attention: soft where it learns, hard where it is used."""

import keras
from keras import ops

from kzoo.layers.attention import Attention
from kzoo.layers.bahdanau_attention import BahdanauAttention
from kzoo.layers.luong_attention import LuongAttention
from kzoo.layers.monotonic import expected_alignments, hard_alignments, step_noise


class MonotonicAttention(Attention):
    """Base of the attentions that read the memory from left to right and never go back.

        p_j = sigmoid(e_j + r + noise_j)

    A reader goes on from the position of the step before and stops at position `j` with
    probability `p_j`. In training the alignments are those to expect of it, with normal noise that
    teaches `p` to be zero or one; otherwise it stops where `p_j >= 1 / 2`, which is one position or
    none, see `kzoo.layers.monotonic`.

    Whether it trains is settled in `remember`, outside of the walk: the memory of a training pass
    holds what the noise of all steps is made of, and `align` is a pure function of the memory.

    Source: Raffel, Luong, Liu, Weiss and Eck 2017, "Online and Linear-Time Attention by Enforcing
    Monotonic Alignments", arXiv 1704.00784, sections 2.2 to 2.5.

    Args:
        units: As in the attention whose scores it has.
        sigmoid_noise: Standard deviation of the noise.
        initial_score_bias: First value of `r`, learned. The more negative, the farther the first
            alignments reach.
    """

    # The alignments before, and the number of the step.
    state_size = (None, 1)

    def __init__(self, units, sigmoid_noise=1.0, initial_score_bias=-1.0, **kwargs):
        if sigmoid_noise < 0:
            raise ValueError(
                f"`sigmoid_noise` must not be negative. Received: sigmoid_noise={sigmoid_noise}"
            )
        super().__init__(units, **kwargs)
        self.sigmoid_noise = sigmoid_noise
        self.initial_score_bias = initial_score_bias
        self.phases = NoisePhases(dtype=self.dtype_policy)

    def build(self, query_shape, values_shape):
        """Creates the weights of the scores and `score_bias` (r)."""
        super().build(query_shape, values_shape)
        start = keras.initializers.Constant(self.initial_score_bias)
        self.score_bias = self.add_weight(name="score_bias", shape=(), initializer=start)

    def remember(self, values, values_mask=None):
        """Returns `[values, keys, mask]`, in training with the phases of the noise."""
        memory = super().remember(values, values_mask)
        return [*memory, *self.phases(memory[2])]

    def start(self, memory):
        """Returns one at the first position, and step zero."""
        mask = memory[2]
        first = ops.cast(ops.arange(ops.shape(mask)[1]) < 1, mask.dtype)
        return [ops.zeros_like(mask) + first, ops.zeros((ops.shape(mask)[0], 1), "float32")]

    def align(self, query, memory, state):
        """Returns the alignments, expected ones if the memory is that of a training pass."""
        _, keys, mask, *phases = memory
        previous, step = state
        scores = self.scores(query, keys) + self.score_bias
        if phases:
            noise = self.sigmoid_noise * step_noise(phases[0], step)
            scores = scores + ops.cast(noise, scores.dtype)
        align = expected_alignments if phases else hard_alignments
        alignments = align(scores, mask, previous)
        return alignments, [alignments, step + 1]

    def call(self, query, values, values_mask=None, training=False):
        """Attends once; see `Attention`."""
        return super().call(query, values, values_mask)

    def get_config(self):
        """Returns the constructor arguments."""
        return {
            **super().get_config(),
            "sigmoid_noise": self.sigmoid_noise,
            "initial_score_bias": self.initial_score_bias,
        }


class NoisePhases(keras.layers.Layer):
    """Draws what `step_noise` needs, in training; a layer, for Keras tells layers who trains."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.seed_generator = keras.random.SeedGenerator()

    def call(self, mask, training=False):
        """Returns `[phases]`, `(batch, source, 4)`, or an empty list outside of training."""
        if not training:
            return []
        shape = (*ops.shape(mask), 4)
        return [keras.random.uniform(shape, dtype="float32", seed=self.seed_generator)]


@keras.saving.register_keras_serializable(package="kzoo")
class MonotonicBahdanauAttention(MonotonicAttention, BahdanauAttention):
    """Monotonic attention with additive scores.

        e_j = g v / |v| . tanh(W s + U h_j + b),    p_j = sigmoid(e_j + r + noise_j)
        training:   a_j = p_j sum_{k <= j} a'_k (1 - p_k) (1 - p_{k+1}) ... (1 - p_{j-1})
        otherwise:  a_j = 1 at the first j with p_j >= 1 / 2 from where a' stood on, 0 elsewhere

    where `a'` are the alignments of the step before: a reader that never goes back stops at
    position `j` with probability `p_j`. The noise of training teaches `p` to be zero or one.

    Source: Raffel et al. 2017, arXiv 1704.00784, sections 2.2 and 2.3; section 2.4 has the norm,
    section 2.5 the noise.

    Args:
        units: Width of the hidden layer.
        normalize: Whether to give `v` a norm of its own.
        sigmoid_noise: Standard deviation of the noise in training.
        initial_score_bias: First value of the bias of the scores, which is learned.

    Example:

    >>> import numpy as np
    >>> attention = MonotonicBahdanauAttention(8, initial_score_bias=4.0)
    >>> _, alignments = attention(np.ones((1, 3), "float32"), np.ones((1, 5, 4), "float32"))
    >>> ops.convert_to_numpy(alignments).tolist()
    [[1.0, 0.0, 0.0, 0.0, 0.0]]
    """

    def __init__(self, units, normalize=True, sigmoid_noise=1.0, initial_score_bias=-1.0, **kwargs):
        super().__init__(units, sigmoid_noise, initial_score_bias, normalize=normalize, **kwargs)


@keras.saving.register_keras_serializable(package="kzoo")
class MonotonicLuongAttention(MonotonicAttention, LuongAttention):
    """Monotonic attention with multiplicative scores.

        e_j = g s . (W h_j),   or another score of `LuongAttention` with a scale `g`

    and then as `MonotonicBahdanauAttention` has it.

    Source: Raffel et al. 2017, arXiv 1704.00784, sections 2.4 and 2.5; the scores: Luong et al.
    2015, arXiv 1508.04025, Eq. 8.

    Args:
        units: See `LuongAttention`.
        score: "dot", "general" or "concat".
        scaled: Whether to learn a scale of the scores.
        sigmoid_noise: Standard deviation of the noise in training.
        initial_score_bias: First value of the bias of the scores, which is learned.

    Example:

    >>> import numpy as np
    >>> attention = MonotonicLuongAttention(3, initial_score_bias=-90.0)
    >>> _, alignments = attention(np.ones((1, 3), "float32"), np.ones((1, 5, 4), "float32"))
    >>> ops.convert_to_numpy(alignments).tolist()
    [[0.0, 0.0, 0.0, 0.0, 0.0]]
    """

    def __init__(
        self,
        units,
        score="general",
        scaled=True,
        sigmoid_noise=1.0,
        initial_score_bias=-1.0,
        **kwargs,
    ):
        super().__init__(
            units, sigmoid_noise, initial_score_bias, score=score, scaled=scaled, **kwargs
        )
