"""The contract every attention keeps: project the memory once, then align one query at a time."""

import keras
from keras import ops

from kzoo.layers.checks import check_sizes

LOWEST = -3e4  # Below any score, and within the range of float16.


class Attention(keras.layers.Layer):
    """Base of all attentions of a recurrent decoder to a memory, as an encoder's outputs.

    At every step of the decoder, from the query `s` (the output of its cell):

        e_j = score(s, h_j),   a = softmax(e),   context = sum_j a_j h_j

    What does not need the query lives in `project_memory` and is computed once. Padding of the
    memory gets alignments of exactly zero; a row that is all padding gives a context of zeros.

    Subclasses create weights in `build(query_shape, values_shape)` and implement `project_memory`
    and `scores`. One whose alignments depend on those before sets `state_size`, where None is the
    length of the source, and overrides `start` and `align`.

    Args:
        units: Positive integer, the width in which queries and keys meet.

    Call arguments:
        query: `(batch, query size)`.
        values: `(batch, source, value size)`.
        values_mask: Optional boolean `(batch, source)`, False at padding.

    Returns:
        `(context, alignments)` of a first step: `(batch, value size)` and `(batch, source)`.

    Raises:
        ValueError: `units` is no positive integer.

    Source: Bahdanau, Cho and Bengio 2015, arXiv 1409.0473, section 3.1, Eq. 5 and 6.

    Example, whose scores are scalar products:

    >>> import numpy as np
    >>> class ProductAttention(Attention):
    ...     def project_memory(self, values):
    ...         return values
    ...
    ...     def scores(self, query, keys):
    ...         return ops.sum(ops.expand_dims(query, 1) * keys, axis=-1)
    >>> query, values = np.ones((2, 4), "float32"), np.ones((2, 5, 4), "float32")
    >>> context, alignments = ProductAttention(4)(query, values)
    >>> tuple(context.shape), tuple(alignments.shape)
    ((2, 4), (2, 5))
    """

    state_size = ()

    def __init__(self, units, **kwargs):
        check_sizes(units=units)
        super().__init__(**kwargs)
        self.units = units

    def project_memory(self, values):
        """Returns the keys `(batch, source, units)`, all that scores need of the values."""
        raise NotImplementedError(f"{type(self).__name__} must implement `project_memory`.")

    def scores(self, query, keys):
        """Returns the scores `(batch, source)` of a query `(batch, query size)`."""
        raise NotImplementedError(f"{type(self).__name__} must implement `scores`.")

    def remember(self, values, values_mask=None):
        """Returns the memory, what every step reads: the list `[values, keys, mask]`.

        The mask is `(batch, source)`, one where the source counts, in the type of the values.
        """
        values = ops.convert_to_tensor(values)
        if values_mask is None:
            mask = ops.ones(ops.shape(values)[:2], values.dtype)
        else:
            mask = ops.cast(values_mask, values.dtype)
        return [values, self.project_memory(values), mask]

    def start(self, memory):
        """Returns the state before the first step, a list of tensors; most attentions have none."""
        return []

    def align(self, query, memory, state):
        """Returns the alignments `(batch, source)` of a query, and the new state."""
        _, keys, mask = memory
        return masked_softmax(self.scores(query, keys), mask), state

    def call(self, query, values, values_mask=None):
        """Attends once; see the class."""
        memory = self.remember(values, values_mask)
        alignments, _ = self.align(query, memory, self.start(memory))
        return read(alignments, memory), alignments

    def compute_output_shape(self, query_shape, values_shape):
        """Returns the shapes of the context and of the alignments."""
        return (values_shape[0], values_shape[2]), tuple(values_shape[:2])

    def get_config(self):
        """Returns the constructor arguments."""
        return {**super().get_config(), "units": self.units}


def masked_softmax(scores, mask):
    """Returns the softmax of the scores where the mask is one, and zeros elsewhere.

    Args:
        scores: `(batch, source)`.
        mask: `(batch, source)` of zeros and ones.

    Example:

    >>> import numpy as np
    >>> scores, mask = np.zeros((2, 3), "float32"), np.array([[1, 1, 0], [0, 0, 0]], "float32")
    >>> ops.convert_to_numpy(masked_softmax(scores, mask)).tolist()
    [[0.5, 0.5, 0.0], [0.0, 0.0, 0.0]]
    """
    return ops.softmax(ops.where(mask > 0, scores, LOWEST), axis=-1) * mask


def read(alignments, memory):
    """Returns the context `sum_j a_j h_j`, `(batch, value size)`."""
    return ops.squeeze(ops.matmul(ops.expand_dims(alignments, 1), memory[0]), 1)
