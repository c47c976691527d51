"""Teacher-forced scoring: how probable given ids are."""

from keras import ops

from kzoo.decoding.checks import check_tensor
from kzoo.decoding.log_total import log_total
from kzoo.decoding.loop import unroll
from kzoo.decoding.rows import take_per_row
from kzoo.decoding.step import StepFunction


def score(step, state, start_ids, ids, lengths):
    """Returns the log-probability of given ids, which the step function is fed one after the other.

        score = sum_{t < length} log p(y_t | y_<t)

    Args:
        step: Function `(ids, state) -> (logits, state)`, see `kzoo.decoding`.
        state: The state before the first step.
        start_ids: int32 `(batch,)`, what the first step is given.
        ids: int32 `(batch, time)`, with anything behind the length.
        lengths: int32 `(batch,)`, the number of ids that count, the end id included.

    Returns:
        float32 `(batch,)`.

    Example:

    >>> step = lambda ids, state: (ops.zeros((2, 4)), state)
    >>> scores = score(step, (), [0, 0], ids=[[3, 1, 0], [1, 0, 0]], lengths=[2, 1])
    >>> [round(float(x / ops.log(0.25)), 3) for x in scores]
    [2.0, 1.0]
    """
    step = StepFunction(step, state, start_ids)
    batch = step.ids.shape[0]
    ids, lengths = ops.convert_to_tensor(ids), ops.convert_to_tensor(lengths)
    check_tensor("ids", ids, "int", (batch, "time"))
    check_tensor("lengths", lengths, "int", (batch,))
    lengths = ops.cast(lengths, "int32")
    targets = ops.transpose(ops.cast(ids, "int32"))

    def advance(t, carry):
        ids, state, scores = carry
        logits, state, _ = step(ids, state)
        # Padding may be outside of the vocabulary.
        target = ops.where(t < lengths, targets[t], 0)
        (gain,) = take_per_row([logits], ops.expand_dims(target, 1))
        gain = (gain - log_total(logits))[:, 0]
        return (target, state, ops.where(t < lengths, scores + gain, scores)), []

    scores = ops.zeros_like(step.ids, dtype="float32")
    carry, _ = unroll(
        advance,
        (step.ids, step.state, scores),
        ops.shape(ids)[1],
        [],
        lambda t, carry: ops.any(t < lengths),
    )
    return carry[2]
