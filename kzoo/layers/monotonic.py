"""The mathematics of monotonic attention: alignments expected, alignments taken, and noise."""

import math

from keras import ops

from kzoo.layers.attention import LOWEST


def expected_alignments(scores, mask, previous):
    """Returns the alignments to expect of a reader that stops at a position with probability `p`.

        p_j = sigmoid(e_j)
        a_j = p_j sum_{k <= j} a'_k (1 - p_k) (1 - p_{k+1}) ... (1 - p_{j-1})

    Each product is the exponential of a difference of two sums of `log(1 - p)`, which is never
    above one. This is the paper's recursion over positions, exact for any `p` and without a loop;
    its parallel form divides by products that vanish in a long memory, and loses what stands behind
    them. The price is one number for each pair of positions, which is no more than additive scores
    take as long as the source is no longer than the attention is wide.

    Source: Raffel, Luong, Liu, Weiss and Eck 2017, arXiv 1704.00784, section 2.3.

    Args:
        scores: `(batch, source)`.
        mask: `(batch, source)` of zeros and ones; the reader passes where it is zero.
        previous: `a'`, the alignments of the step before, `(batch, source)`.

    Returns:
        `(batch, source)`; sums to less than one where the reader may pass the end.

    Example:

    >>> import numpy as np
    >>> scores, mask = np.zeros((1, 3), "float32"), np.ones((1, 3), "float32")
    >>> first = np.array([[1, 0, 0]], "float32")
    >>> ops.convert_to_numpy(expected_alignments(scores, mask, first)).round(4).tolist()
    [[0.5, 0.25, 0.125]]
    """
    # Half floats are too coarse for differences of long sums.
    wide = ops.where(mask > 0, ops.cast(scores, "float32"), LOWEST)
    # Beyond 20 nobody passes; larger numbers would only make the sums coarse.
    passed = ops.log_sigmoid(-ops.minimum(wide, 20.0))
    before = ops.cumsum(passed, axis=1) - passed
    differences = ops.expand_dims(before, 2) - ops.expand_dims(before, 1)
    position = ops.arange(ops.shape(scores)[1])
    earlier = ops.expand_dims(position, 1) >= ops.expand_dims(position, 0)
    # Taken before the exponential, which would overflow, and its gradient with it.
    reach = ops.exp(ops.where(earlier, ops.minimum(differences, 0.0), LOWEST))
    arrived = ops.matmul(reach, ops.expand_dims(ops.cast(previous, "float32"), 2))
    return ops.cast(ops.sigmoid(wide) * ops.squeeze(arrived, 2), scores.dtype)


def hard_alignments(scores, mask, previous):
    """Returns the alignments of a reader that stops where `p >= 1 / 2`: one at a position, or none.

    It goes on from the position of the step before. One that passes the end reads nothing, then and
    after, as in expectation.

    Source: Raffel et al. 2017, arXiv 1704.00784, section 2.2.

    Args:
        scores: `(batch, source)`.
        mask: `(batch, source)` of zeros and ones; the reader passes where it is zero.
        previous: One where the step before stopped, `(batch, source)`.

    Example:

    >>> import numpy as np
    >>> scores, mask = np.array([[1, -1, 1, 1]], "float32"), np.ones((1, 4), "float32")
    >>> second = np.array([[0, 1, 0, 0]], "float32")
    >>> ops.convert_to_numpy(hard_alignments(scores, mask, second)).tolist()
    [[0.0, 0.0, 1.0, 0.0]]
    """
    stops = ops.cast(scores >= 0, mask.dtype) * mask * ops.cumsum(previous, axis=1)
    return stops * ops.cast(ops.cumsum(stops, axis=1) <= 1, mask.dtype)


def step_noise(phases, step):
    """Returns normal noise for one step, from numbers drawn before the first.

        u_t = (u + t v) mod 1,   noise_t = sqrt(-2 log(1 - u_t)) cos(2 pi u'_t)

    With `u` and `v` uniform, `u_t` is uniform, and independent of that at any other step: all
    that is random is drawn outside of the walk, and a step stays a pure function. The second
    line is that of Box and Muller 1958.

    Args:
        phases: `u`, `u'`, `v` and `v'`, uniform in [0, 1), `(batch, source, 4)`.
        step: `t`, `(batch, 1)`.

    Returns:
        `(batch, source)`.

    Example:

    >>> import numpy as np
    >>> phases, step = np.full((1, 2, 4), 0.5, "float32"), np.zeros((1, 1), "float32")
    >>> [round(float(noise), 4) for noise in step_noise(phases, step)[0]]
    [-1.1774, -1.1774]
    """
    turned = phases[:, :, :2] + ops.expand_dims(step, 2) * phases[:, :, 2:]
    turned = turned - ops.floor(turned)
    radius = ops.sqrt(-2 * ops.log(1 - turned[:, :, 0]))
    return radius * ops.cos(2 * math.pi * turned[:, :, 1])
