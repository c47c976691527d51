"""Pooling over time that honours the mask: a padded row gives what it gives alone.

A row without a single unmasked step gives zeros.
"""

import keras
from keras import ops

from kzoo.layers.checks import check_sizes

LOWEST = -3e4  # Below any activation or score, and within the range of float16.


class _Pooling(keras.layers.Layer):
    """Base of the poolings: `(batch, time, features)` to `(batch, features)`."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True

    def compute_mask(self, inputs, mask=None):
        """Returns None: the result has no time axis."""
        return

    def compute_output_shape(self, input_shape):
        """Returns `(batch, features)`."""
        return input_shape[0], input_shape[2]


@keras.saving.register_keras_serializable(package="kzoo")
class MeanPooling(_Pooling):
    """Mean over the unmasked time steps.

        y = sum_t m_t x_t / sum_t m_t

    where `m_t` is 1 at a step that counts and 0 at a masked one. A row whose steps are all masked
    gives zeros.

    Call arguments:
        inputs: `(batch, time, features)`.
        mask: Optional boolean `(batch, time)`, False at padding.

    Returns:
        `(batch, features)`, without a mask.

    Example:

    >>> import numpy as np
    >>> x = np.array([[[1.0], [3.0], [8.0]]], "float32")
    >>> float(MeanPooling()(x, mask=np.array([[True, True, False]]))[0, 0])
    2.0
    """

    def call(self, inputs, mask=None):
        """Pools `inputs` over time."""
        if mask is None:
            return ops.mean(inputs, axis=1)
        weights = ops.expand_dims(ops.cast(mask, inputs.dtype), -1)
        return ops.sum(inputs * weights, axis=1) / ops.maximum(ops.sum(weights, axis=1), 1)


@keras.saving.register_keras_serializable(package="kzoo")
class MaxPooling(_Pooling):
    """Maximum over the unmasked time steps, for each feature.

        y = max over t with m_t of x_t

    where `m_t` says whether a step counts. A row whose steps are all masked gives zeros.

    Call arguments:
        inputs: `(batch, time, features)`.
        mask: Optional boolean `(batch, time)`, False at padding.

    Returns:
        `(batch, features)`, without a mask.

    Example:

    >>> import numpy as np
    >>> x = np.array([[[-1.0], [-3.0], [8.0]]], "float32")
    >>> float(MaxPooling()(x, mask=np.array([[True, True, False]]))[0, 0])
    -1.0
    """

    def call(self, inputs, mask=None):
        """Pools `inputs` over time."""
        if mask is None:
            return ops.max(inputs, axis=1)
        mask = ops.expand_dims(ops.cast(mask, "bool"), -1)
        pooled = ops.max(ops.where(mask, inputs, LOWEST), axis=1)
        return ops.where(ops.any(mask, axis=1), pooled, 0.0)


@keras.saving.register_keras_serializable(package="kzoo")
class AttentionPooling(_Pooling):
    """Mean over time, weighted by a learned query.

        u_t = tanh(W h_t + b),   a = softmax(v . u),   y = sum_t a_t h_t

    The softmax is over the unmasked steps. A row whose steps are all masked gives zeros.

    Source: Yang et al. 2016, "Hierarchical Attention Networks for Document Classification",
    Eq. 5 to 7.

    Args:
        units: Positive integer, the width of `u_t`.

    Call arguments:
        inputs: `h`, `(batch, time, features)`.
        mask: Optional boolean `(batch, time)`, False at padding.

    Returns:
        `(batch, features)`, without a mask.

    Raises:
        ValueError: `units` is no positive integer.

    Example:

    >>> import numpy as np
    >>> tuple(AttentionPooling(8)(np.ones((2, 5, 3), "float32")).shape)
    (2, 3)
    """

    def __init__(self, units, **kwargs):
        check_sizes(units=units)
        super().__init__(**kwargs)
        self.units = units

    def build(self, input_shape):
        """Creates `kernel`, `bias` and `query`."""
        self.kernel = self.add_weight(name="kernel", shape=(input_shape[-1], self.units))
        self.bias = self.add_weight(name="bias", shape=(self.units,), initializer="zeros")
        self.query = self.add_weight(name="query", shape=(self.units, 1))

    def call(self, inputs, mask=None):
        """Pools `inputs` over time."""
        keys = ops.tanh(ops.matmul(inputs, self.kernel) + self.bias)
        scores = ops.matmul(keys, self.query)
        if mask is not None:
            mask = ops.expand_dims(ops.cast(mask, "bool"), -1)
            scores = ops.where(mask, scores, LOWEST)
        # The softmax by hand, so that a row without a step gives zeros and not a mean of padding.
        weights = ops.exp(scores - ops.max(scores, axis=1, keepdims=True))
        if mask is not None:
            weights = ops.where(mask, weights, 0.0)
        # The sum is at least one where any step counts: the highest score has weight one.
        return ops.sum(weights * inputs, axis=1) / ops.maximum(ops.sum(weights, axis=1), 1.0)

    def get_config(self):
        """Returns the constructor arguments."""
        return {**super().get_config(), "units": self.units}
