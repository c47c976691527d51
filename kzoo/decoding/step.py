"""The caller's step function with its contract checked, and the rules on what it may choose."""

import operator

import keras
import numpy as np
from keras import ops

from kzoo.decoding.checks import check_ids, check_integer, check_tensor, is_integer


class StepFunction:
    """Wraps `step(ids, state) -> (logits, state)`; the state travels as a list of tensors.

    The tensors that `step` hands back untouched, as encoder outputs that it attends to, are no
    state but the memory: it stays outside of the loop, so no step copies or reorders it. They are
    found by calling `step` once; the rest of that call is dead code in a graph.

    Args:
        step: The step function. With a `source_mask` it returns alignments as a third value,
            `(batch, source)`: how much each source position was attended to.
        state: Tree of tensors that begin with the batch axis, may be empty as `()`.
        start_ids: int32 `(batch,)`.
        source_mask: Optional boolean `(batch, source)`, True where the source is no padding.

    Attributes:
        ids: `start_ids` as a tensor.
        state: The initial state without the memory, as a list of tensors.
        memory: The memory, as a list of tensors.
        vocabulary_size: Number of logits of a row.
        source_mask: List of the source mask as float32, or an empty list.

    Example:

    >>> import numpy as np
    >>> count = lambda ids, state: (ops.ones((2, 4)), (state[0] + 1, state[1]))
    >>> step = StepFunction(count, (np.zeros(2), np.ones((2, 9))), [7, 7])
    >>> logits, state, alignments = step(step.ids, step.state)
    >>> np.asarray(state[0]).tolist(), alignments, [tuple(x.shape) for x in step.memory]
    ([1.0, 1.0], [], [(2, 9)])
    """

    def __init__(self, step, state, start_ids, source_mask=None):
        if not callable(step):
            raise ValueError(f"`step` must be a function. Received: step={step!r}")
        start_ids = ops.convert_to_tensor(start_ids)
        check_tensor("start_ids", start_ids, "int", ("batch",))
        self.step = step
        self.ids = ops.cast(start_ids, "int32")
        self.structure = state
        batch = self.ids.shape[0]
        tensors = [ops.convert_to_tensor(x) for x in keras.tree.flatten(state)]
        for x in tensors:
            if not len(x.shape) or (None not in (x.shape[0], batch) and x.shape[0] != batch):
                raise ValueError(
                    f"`state` must hold tensors that begin with the batch axis, {batch} as in "
                    f"`start_ids`. Received: a tensor of shape {tuple(x.shape)}"
                )
        self.source_mask = []
        if source_mask is not None:
            mask = ops.convert_to_tensor(source_mask)
            check_tensor("source_mask", mask, "bool", (batch, "source"))
            self.source_mask.append(ops.cast(mask, "float32"))
        logits, after, _ = self._run(self.ids, tensors)
        self.vocabulary_size = logits.shape[1]
        self.is_memory = [x is y for x, y in zip(tensors, after, strict=True)]
        self.state, self.memory = self._split(tensors)

    def __call__(self, ids, state, memory=None):
        """Runs one step.

        Args:
            ids: int32 `(rows,)`.
            state: List of tensors, without the memory.
            memory: List of tensors, where there are other rows than at the start.

        Returns:
            Float32 logits, the state as a list, and a list of the alignments, if any.
        """
        memory = self.memory if memory is None else memory
        sources = {True: iter(memory), False: iter(state)}
        tensors = [next(sources[is_memory]) for is_memory in self.is_memory]
        logits, after, alignments = self._run(ids, tensors)
        state, after = self._split(after)
        if any(x is not y for x, y in zip(memory, after, strict=True)):
            raise ValueError(
                "`step` must always hand back untouched the tensors of the state that it once "
                "handed back untouched."
            )
        return logits, state, alignments

    def _split(self, tensors):
        pairs = list(zip(tensors, self.is_memory, strict=True))
        return [x for x, is_memory in pairs if not is_memory], [x for x, y in pairs if y]

    def _run(self, ids, state):
        returned = self.step(ids, keras.tree.pack_sequence_as(self.structure, state))
        expected = ("logits", "state", "alignments")[: 2 + len(self.source_mask)]
        if not isinstance(returned, tuple) or len(returned) != len(expected):
            got = len(returned) if isinstance(returned, tuple) else type(returned).__name__
            raise ValueError(
                f"`step` must return the tuple ({', '.join(expected)}), with alignments where a "
                f"`source_mask` is given and only there. Received: {got}"
            )
        logits, new_state, *alignments = returned
        logits = ops.convert_to_tensor(logits)
        new_state = [ops.convert_to_tensor(x) for x in keras.tree.flatten(new_state)]
        self._check(logits, state, new_state)
        return ops.cast(logits, "float32"), new_state, [ops.cast(x, "float32") for x in alignments]

    def _check(self, logits, state, new_state):
        if len(logits.shape) != 2 or logits.shape[1] is None or logits.shape[1] < 2:
            raise ValueError(
                "`step` must return logits (batch, vocabulary) with a static vocabulary of two ids "
                f"or more. Received: shape={tuple(logits.shape)}"
            )
        given, got = ([(len(x.shape), x.dtype) for x in s] for s in (state, new_state))
        if given != got:
            raise ValueError(
                "`step` must return a state like the one it was given: as many tensors, of the "
                f"same ranks and types. Received: (rank, dtype) {got} for {given}"
            )


class Rules:
    """What may be chosen when, and where it ends.

    Example:

    >>> Rules(end_id=1, max_length=5, min_length=6)
    Traceback (most recent call last):
    ValueError: `min_length` must be an integer from 0 to 5. Received: min_length=6
    """

    def __init__(self, end_id, max_length, pad_id=0, min_length=0, banned_ids=()):
        check_integer("max_length", max_length, 1)
        if end_id is not None:
            check_integer("end_id", end_id, 0)
        check_integer("pad_id", pad_id, -(2**31))
        longest = max_length if is_integer(max_length) else 2**31 - 1
        check_integer("min_length", min_length, 0, longest)
        check_ids("banned_ids", banned_ids)
        if end_id in banned_ids:
            raise ValueError(
                f"`banned_ids` must not hold the end id {end_id}; use `min_length`. "
                f"Received: banned_ids={banned_ids!r}"
            )
        # No id is -1, so that without an end id nothing ends before the maximum length.
        self.end_id = -1 if end_id is None else end_id
        # Other integers, as NumPy's, would bring their own type into the loop.
        self.max_length = operator.index(max_length) if is_integer(max_length) else max_length
        self.pad_id = pad_id
        self.min_length = min_length
        self.banned_ids = list(banned_ids)

    def block(self, logits, t):
        """Puts -inf where an id may not be chosen as number `t`, counted from 0."""
        vocabulary = logits.shape[-1]
        if self.end_id >= vocabulary:
            raise ValueError(
                f"`end_id` must be in the vocabulary of {vocabulary} ids. "
                f"Received: end_id={self.end_id}"
            )
        if len(self.banned_ids) > vocabulary - 2 or max(self.banned_ids, default=0) >= vocabulary:
            raise ValueError(
                f"`banned_ids` must be in the vocabulary of {vocabulary} ids and leave one beside "
                f"the end id. Received: banned_ids={self.banned_ids}"
            )
        # Sums, because LiteRT takes three times as long to choose from a row and a batch of rows.
        if self.banned_ids:
            logits = logits + _cost(np.isin(np.arange(vocabulary), self.banned_ids))
        if not is_integer(self.min_length) or self.min_length > 1:
            cost = _cost(np.arange(vocabulary) == self.end_id)
            logits = logits + ops.where(t + 1 < self.min_length, cost, 0.0)
        return logits


def _cost(is_blocked):
    return np.where(is_blocked, -np.inf, 0.0).astype("float32")
