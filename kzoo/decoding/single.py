"""Decoding of one hypothesis a row: what greedy search and sampling share."""

from keras import ops

from kzoo.decoding.log_total import log_total
from kzoo.decoding.loop import unroll
from kzoo.decoding.result import Decoded
from kzoo.decoding.rows import take_per_row


def decode(step, rules, choose, memory=()):
    """Chooses id after id until every row has chosen the end id.

    Args:
        step: `StepFunction`.
        rules: `Rules`.
        choose: Function `(logits, memory) -> (ids, memory)`; logits are -inf where the rules forbid
            an id.
        memory: Tuple of tensors that begin with the batch axis.

    Returns:
        `Decoded`.

    Example:

    >>> from kzoo.decoding.step import Rules, StepFunction
    >>> step = StepFunction(lambda ids, state: (ops.one_hot(ids - 1, 5), state), (), [4, 2])
    >>> first = lambda logits, memory: (ops.top_k(logits, 1)[1][:, 0], memory)
    >>> ops.convert_to_numpy(decode(step, Rules(end_id=1, max_length=4), first).ids).tolist()
    [[3, 2, 1, 0], [1, 0, 0, 0]]
    """
    pad = ops.full_like(step.ids, rules.pad_id)

    def advance(t, carry):
        ids, state, finished, lengths, scores, memory = carry
        logits, state, alignments = step(ids, state)
        chosen, memory = choose(rules.block(logits, t), memory)
        (gain,) = take_per_row([logits], ops.expand_dims(chosen, 1))
        gain = (gain - log_total(logits))[:, 0]
        scores = ops.where(finished, scores, scores + gain)
        lengths = ops.where(finished, lengths, t + 1)
        emitted = [ops.where(finished, pad, chosen), *alignments]
        finished = ops.logical_or(finished, chosen == rules.end_id)
        # The pad id may be outside of the vocabulary, so a finished row goes on with the end id.
        ids = ops.where(finished, rules.end_id, chosen)
        return (ids, state, finished, lengths, scores, memory), emitted

    finished = ops.zeros_like(step.ids, dtype="bool")
    scores = ops.zeros_like(step.ids, dtype="float32")
    carry = (step.ids, step.state, finished, ops.zeros_like(step.ids), scores, memory)
    blank = [pad, *(ops.zeros_like(x) for x in step.source_mask)]
    carry, (ids, *alignments) = unroll(
        advance, carry, rules.max_length, blank, lambda t, carry: ops.logical_not(ops.all(carry[2]))
    )
    lengths, scores = carry[3:5]
    reached = ops.arange(rules.max_length, dtype="int32") < ops.expand_dims(lengths, 1)
    alignments = [
        ops.where(ops.expand_dims(reached, 2), ops.transpose(x, (1, 0, 2)), 0.0) for x in alignments
    ]
    return Decoded(ops.transpose(ids), lengths, scores, *alignments)
