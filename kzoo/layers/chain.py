"""Linear chains of tags: the sum, the best and the shares of all paths, by dynamic programming.

A chain is given by its potentials, `(batch, time, tags, tags)`: `potentials[b, t, i, j]` is what it
adds to the score of a path to go from tag `i` at step `t - 1` to tag `j` at step `t`. Before the
first step a path is at tag 0. A step that lets every tag only go on to itself, and adds nothing, is
as if it were not there: such are the masked steps of `kzoo.layers.CRF`.

Sources: Rabiner 1989, "A Tutorial on Hidden Markov Models", Eq. 18 to 37, in the space of
logarithms; Lafferty, McCallum and Pereira 2001, "Conditional Random Fields"; Collobert et al. 2011,
"Natural Language Processing (Almost) from Scratch", Eq. 8 to 15.
"""

from keras import ops

from kzoo.layers.backpropagation import differentiable_once
from kzoo.layers.loops import run_steps

LOWEST = -1e4  # The potential of what is forbidden: its share is 0 in float32.


def log_likelihood(potentials, tags):
    """Computes the logarithm of the share that the paths through `tags` have of all paths.

        log p(y) = s(y) - log Z,    s(y) = sum_t potentials[t, y_{t-1}, y_t]

    Where a tag is not known, all tags count: the sum runs over the paths that agree with what is.

    Args:
        potentials: `(batch, time, tags, tags)`.
        tags: int `(batch, time)`; -1 where the tag is not known, as at padding.

    Returns:
        `(batch,)`.

    Example:

    >>> import numpy as np
    >>> chain = np.log(np.full((1, 2, 4, 4), 0.5, "float32"))
    >>> likelihood = log_likelihood(chain, np.array([[3, 1]]))
    >>> round(float(np.exp(likelihood[0])), 4)
    0.0625
    """
    tags = ops.expand_dims(ops.cast(tags, "int32"), -1)
    agrees = ops.logical_or(ops.equal(tags, ops.arange(potentials.shape[-1])), tags < 0)
    known = potentials + ops.expand_dims(ops.where(agrees, 0.0, LOWEST), 2)
    # Both sums in one walk.
    both = log_partition(ops.concatenate([known, potentials]))
    batch = ops.shape(potentials)[0]
    return both[:batch] - both[batch:]


@ops.custom_gradient
def log_partition(potentials):
    """Sums over all paths: `log Z = log sum_y exp s(y)`.

    Its gradient, the share of the paths that take each step from one tag to another, is computed by
    a second walk, backwards, and no tape.

    Args:
        potentials: `(batch, time, tags, tags)`.

    Returns:
        `(batch,)`.

    Example:

    >>> import numpy as np
    >>> round(float(np.exp(log_partition(np.zeros((1, 3, 4, 4), "float32"))[0])), 2)
    64.0
    """
    chain = _time_major(potentials)
    forward, log_sum = _forward(chain, _logsumexp)

    def gradient(d_log_sum):
        pairs = _pair_marginals(chain, forward)
        return differentiable_once(ops.transpose(pairs * d_log_sum[:, None, None], (1, 0, 2, 3)))

    return log_sum, gradient


def marginals(potentials):
    """Computes the share of the paths that are at each tag at each step.

        p(y_t = j) = sum_i exp(alpha_{t-1}[i] + potentials[t, i, j] + beta_t[j]) / Z

    Args:
        potentials: `(batch, time, tags, tags)`.

    Returns:
        `(batch, time, tags)`, which sum to 1 over the tags.

    Example:

    >>> import numpy as np
    >>> np.array(marginals(np.zeros((1, 3, 4, 4), "float32"))[0, 0]).tolist()
    [0.25, 0.25, 0.25, 0.25]
    """
    chain = _time_major(potentials)
    forward, _ = _forward(chain, _logsumexp)
    return ops.transpose(ops.sum(_pair_marginals(chain, forward), axis=2), (1, 0, 2))


def viterbi(potentials):
    """Finds the path with the highest score.

        delta_t[j] = max_i delta_{t-1}[i] + potentials[t, i, j]
        y_T = argmax_j delta_T[j];    y_{t-1} = argmax_i delta_{t-1}[i] + potentials[t, i, y_t]

    No table of back pointers is kept: the walk back finds each maximum again.

    Args:
        potentials: `(batch, time, tags, tags)`.

    Returns:
        int32 tags, `(batch, time)`; of equal paths, the one with the lowest last tags.

    Example:

    >>> import numpy as np
    >>> chain = np.zeros((1, 2, 3, 3), "float32")
    >>> chain[0, 1, 2, 1] = 1.0
    >>> np.array(viterbi(chain)).tolist()
    [[2, 1]]
    """
    chain = _time_major(potentials)
    num_tags = chain.shape[-1]
    best, _ = _forward(chain, ops.max)
    previous = ops.concatenate([_begin(chain), best[:-1]])

    def step(carry, inputs):
        # Emits the tag of this step, carries that of the step before.
        tag, (previous_t, chain_t) = carry[1], inputs
        chain_t = ops.reshape(chain_t, (-1, num_tags, num_tags))
        scores = previous_t + ops.sum(chain_t * ops.expand_dims(tag, 1), axis=2)
        return [tag, _one_hot_best(scores)]

    last = _one_hot_best(best[-1])
    inputs = ops.flip(previous, 0), _flat(ops.flip(chain, 0))
    tags, _ = run_steps(step, [last, last], inputs, True)
    numbers = ops.arange(num_tags, dtype="int32")
    return ops.transpose(ops.sum(ops.cast(ops.flip(tags, 0), "int32") * numbers, axis=-1))


def _one_hot_best(scores):
    """Returns 1 at the highest score of `(batch, tags)`, the first of equals, and 0 elsewhere."""
    # Keras's argmax of floats does not convert to built-in operators.
    best = ops.top_k(scores, 1)[1][:, 0]
    return ops.one_hot(best, scores.shape[-1], dtype=scores.dtype)


def _time_major(potentials):
    return ops.transpose(potentials, (1, 0, 2, 3))


def _flat(chain):
    time, batch, num_tags, _ = ops.shape(chain)
    return ops.reshape(chain, (time, batch, num_tags * num_tags))


def _begin(chain):
    """The scores before the first step, `(1, batch, tags)`: every path is at tag 0."""
    elsewhere = ops.one_hot(0, chain.shape[-1], dtype=chain.dtype) - 1
    return ops.zeros_like(chain[:1, :, 0]) - LOWEST * elsewhere


def _logsumexp(x, axis):
    return ops.logsumexp(x, axis=axis)


def _forward(chain, reduce):
    """Returns the scores of what leads to each tag at each step, and of all paths.

    Scores of a step are less their highest, so that long chains cost no precision.
    """
    num_tags = chain.shape[-1]

    def step(carry, chain_t):
        chain_t = ops.reshape(chain_t, (-1, num_tags, num_tags))
        scores = reduce(ops.expand_dims(carry[0], 2) + chain_t, axis=1)
        highest = ops.max(scores, axis=-1, keepdims=True)
        return [scores - highest, carry[1] + highest]

    begin = _begin(chain)[0]
    scores, (last, total) = run_steps(step, [begin, begin[:, :1]], _flat(chain), True)
    return scores, total[:, 0] + reduce(last, axis=-1)


def _backward(chain):
    """Returns the scores of what follows each tag at each step, `(time, batch, tags)`."""
    num_tags = chain.shape[-1]

    def step(carry, chain_t):
        # Emits the scores of this step, carries those of the step before.
        chain_t = ops.reshape(chain_t, (-1, num_tags, num_tags))
        scores = _logsumexp(chain_t + ops.expand_dims(carry[1], 1), axis=2)
        return [carry[1], scores - ops.max(scores, axis=-1, keepdims=True)]

    end = ops.zeros_like(chain[0, :, 0])
    return ops.flip(run_steps(step, [end, end], _flat(ops.flip(chain, 0)), True)[0], 0)


def _pair_marginals(chain, forward):
    """Returns the share of the paths on each pair of tags at each step."""
    previous = ops.concatenate([_begin(chain), forward[:-1]])
    scores = ops.expand_dims(previous, 3) + chain + ops.expand_dims(_backward(chain), 2)
    # Whatever the step, these sum to Z, less the constants that were taken out.
    return ops.reshape(ops.softmax(_flat(scores), axis=-1), ops.shape(chain))
