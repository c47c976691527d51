"""The linear-chain conditional random field, and what is read out of it."""

import keras
import numpy as np
from keras import ops

from kzoo.layers.chain import LOWEST, marginals, viterbi


def bio_constraints(tag_names):
    """Returns which tags may follow each other in the scheme BIO, as arguments of `CRF`.

    The inside of a span, `I-x`, follows its beginning `B-x` or its inside, and nothing else.

    Source: Ramshaw and Marcus 1995, "Text Chunking using Transformation-Based Learning", in the
    form of CoNLL 2002.

    Args:
        tag_names: List of tags such as "O", "B-person", "I-person".

    Example:

    >>> bio_constraints(["O", "B-x", "I-x"])["allowed_transitions"]
    [[True, True, False], [True, True, True], [True, True, True]]
    """

    def follows(before, after):
        return not after.startswith("I-") or (
            before[:2] in ("B-", "I-") and before[2:] == after[2:]
        )

    return {
        "allowed_transitions": [[follows(i, j) for j in tag_names] for i in tag_names],
        "allowed_starts": [follows("O", tag) for tag in tag_names],
    }


@keras.saving.register_keras_serializable(package="kzoo")
class CRF(keras.layers.Layer):
    """Linear-chain conditional random field over the scores of each tag at each step.

        s(y) = start[y_1] + sum_t (scores_t[y_t] + transitions[y_{t-1}, y_t]) + end[y_T]
        p(y) = exp s(y) / sum over all y' of exp s(y')

    The layer gives the potentials of the chain (see `kzoo.layers.chain`), from which everything
    follows: `kzoo.training.CRFLoss` is their loss, `Viterbi` finds the best tags, `Marginals` the
    probability of each. Masked steps are left out of the chain, wherever they are.

    Source: Lafferty, McCallum and Pereira 2001, "Conditional Random Fields"; Collobert et al. 2011,
    "Natural Language Processing (Almost) from Scratch", Eq. 11 to 13.

    Args:
        num_tags: Number of tags, at least 2.
        allowed_transitions: Optional `num_tags` lists of `num_tags` booleans: whether the tag of
            the column may follow that of the row.
        allowed_starts: Optional list of booleans: whether a sequence may begin with the tag.
        allowed_ends: Optional list of booleans: whether a sequence may end with the tag.

    Raises:
        ValueError: `num_tags` is below 2, or what is allowed, or the scores, have another shape.

    Call arguments:
        scores: `(batch, time, num_tags)`.
        mask: Optional boolean `(batch, time)`, True where the step counts.

    Returns:
        `(batch, time, num_tags, num_tags)`.

    Example:

    >>> import numpy as np
    >>> crf = CRF(3, **bio_constraints(["O", "B-x", "I-x"]))
    >>> potentials = crf(np.array([[[1.0, 0.0, 3.0], [0.0, 0.0, 2.0]]], "float32"))
    >>> np.array(Viterbi()(potentials)).tolist()
    [[1, 2]]
    """

    def __init__(
        self,
        num_tags,
        allowed_transitions=None,
        allowed_starts=None,
        allowed_ends=None,
        **kwargs,
    ):
        if isinstance(num_tags, bool) or not isinstance(num_tags, int) or num_tags < 2:
            raise ValueError(f"`num_tags` must be an integer of at least 2. Received: {num_tags!r}")
        super().__init__(**kwargs)
        self.num_tags = num_tags
        self.allowed_transitions = allowed_transitions
        self.allowed_starts = allowed_starts
        self.allowed_ends = allowed_ends
        shapes = {
            "allowed_transitions": (num_tags, num_tags),
            "allowed_starts": (num_tags,),
            "allowed_ends": (num_tags,),
        }
        for name, shape in shapes.items():
            value = getattr(self, name)
            if value is not None and np.shape(value) != shape:
                raise ValueError(f"`{name}` must have shape {shape}. Received: {np.shape(value)}")

    def build(self, scores_shape):
        """Creates `transitions`, `start` and `end`."""
        if len(scores_shape) != 3 or scores_shape[-1] != self.num_tags:
            raise ValueError(
                f"`scores` must have shape (batch, time, {self.num_tags}). "
                f"Received: shape={tuple(scores_shape)}"
            )
        shape = (self.num_tags, self.num_tags)
        self.transitions = self.add_weight(name="transitions", shape=shape, initializer="zeros")
        self.start = self.add_weight(name="start", shape=shape[:1], initializer="zeros")
        self.end = self.add_weight(name="end", shape=shape[:1], initializer="zeros")

    def call(self, scores, mask=None):
        """Returns the potentials; see the class."""
        transitions = _forbid(self.transitions, self.allowed_transitions, self.compute_dtype)
        start = _forbid(self.start, self.allowed_starts, self.compute_dtype)
        end = _forbid(self.end, self.allowed_ends, self.compute_dtype)
        if mask is None:
            mask = ops.ones_like(scores[:, :, 0], dtype="bool")
        mask = ops.cast(mask, "bool")
        count = ops.cumsum(ops.cast(mask, "int32"), axis=1)
        is_first = ops.logical_and(mask, ops.equal(count, 1))
        is_last = ops.logical_and(mask, ops.equal(count, count[:, -1:]))
        scores = scores + ops.where(ops.expand_dims(is_last, -1), end, 0.0)
        # Before the first step stands tag 0, from where `start` leads on.
        before = ops.where(ops.expand_dims(is_first, (-2, -1)), start, transitions)
        nothing = LOWEST * (1 - ops.eye(self.num_tags, dtype=self.compute_dtype))
        potentials = ops.expand_dims(scores, 2) + before
        return ops.where(ops.expand_dims(mask, (-2, -1)), potentials, nothing)

    def compute_mask(self, scores, mask=None):
        """Returns None: the potentials say which steps count."""
        return

    def compute_output_shape(self, scores_shape):
        """Returns the shape of the potentials."""
        return (*scores_shape, self.num_tags)

    def get_config(self):
        """Returns the constructor arguments."""
        return {
            **super().get_config(),
            "num_tags": self.num_tags,
            "allowed_transitions": self.allowed_transitions,
            "allowed_starts": self.allowed_starts,
            "allowed_ends": self.allowed_ends,
        }


def _forbid(weights, allowed, dtype):
    weights = ops.cast(weights, dtype)
    if allowed is None:
        return weights
    return ops.where(np.array(allowed, "bool"), weights, LOWEST)


@keras.saving.register_keras_serializable(package="kzoo")
class Viterbi(keras.layers.Layer):
    """The best tags of a chain, by Viterbi's algorithm.

        y = argmax over all y' of s(y'),    s(y) = sum_t potentials_t[y_{t-1}, y_t]

    where `y_0 = 0` stands before the first step. The cost is linear in time: the best path to each
    tag goes on from the best paths of the step before, see `kzoo.layers.chain.viterbi`. Steps that
    the `CRF` masked repeat the tag before them, or are 0 where there is none.

    Source: Viterbi 1967, "Error bounds for convolutional codes and an asymptotically optimum
    decoding algorithm"; for chains of tags Collobert et al. 2011, "Natural Language Processing
    (Almost) from Scratch".

    Call arguments:
        potentials: `(batch, time, num_tags, num_tags)`, of a `CRF`.

    Returns:
        int32 `(batch, time)`.

    Example:

    >>> import numpy as np
    >>> tuple(Viterbi()(np.zeros((2, 5, 3, 3), "float32")).shape)
    (2, 5)
    """

    def call(self, potentials):
        """Finds the tags."""
        return viterbi(potentials)

    def compute_output_spec(self, potentials):
        """Returns shape and type of the tags."""
        return keras.KerasTensor(potentials.shape[:2], dtype="int32")


@keras.saving.register_keras_serializable(package="kzoo")
class Marginals(keras.layers.Layer):
    """The probability of each tag at each step of a chain, by the forward-backward algorithm.

        p(y_t = j) = sum over all y with y_t = j of exp s(y) / sum over all y' of exp s(y')

    where `s(y)` is the score of `Viterbi`. The cost is linear in time, see
    `kzoo.layers.chain.marginals`. Steps that the `CRF` masked repeat those of the step before.

    Source: Lafferty, McCallum and Pereira 2001, "Conditional Random Fields"; the algorithm: Rabiner
    1989, "A Tutorial on Hidden Markov Models".

    Call arguments:
        potentials: `(batch, time, num_tags, num_tags)`, of a `CRF`.

    Returns:
        `(batch, time, num_tags)`, which sum to 1 over the tags.

    Example:

    >>> import numpy as np
    >>> tuple(Marginals()(np.zeros((2, 5, 3, 3), "float32")).shape)
    (2, 5, 3)
    """

    def call(self, potentials):
        """Computes the probabilities."""
        return marginals(potentials)

    def compute_output_shape(self, potentials_shape):
        """Returns the shape of the probabilities."""
        return potentials_shape[:3]
