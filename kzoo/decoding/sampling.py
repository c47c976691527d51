"""Sampling: ids drawn from the distribution of the step function."""

import numpy as np
from keras import ops

from kzoo.decoding.checks import check_integer, check_number, is_integer
from kzoo.decoding.log_total import log_total
from kzoo.decoding.random_numbers import next_uniform, seed_rows
from kzoo.decoding.rows import take_per_row
from kzoo.decoding.single import decode
from kzoo.decoding.step import Rules, StepFunction
from kzoo.decoding.wide_top_k import wide_top_k


def sample(
    step,
    state,
    start_ids,
    end_id,
    max_length,
    *,
    seed=0,
    temperature=1.0,
    top_k=None,
    top_p=None,
    repetition_penalty=None,
    pad_id=0,
    min_length=0,
    banned_ids=(),
    source_mask=None,
):
    """Decodes by drawing every id from the distribution that the step function gives.

    In this order: the repetition penalty changes the logits of ids that the row has chosen before,

        l_v <- l_v / penalty if l_v > 0, else l_v * penalty

    (Keskar et al. 2019, "CTRL", section 4.1, with the sign minded); the temperature divides them;
    `top_k` keeps the k highest; and `top_p` keeps, of the distribution so far, the fewest ids, from
    the most probable on, whose probabilities add up to p or more (Holtzman et al. 2020, "The
    Curious Case of Neural Text Degeneration", section 3.1). Of equals, the lowest id is kept.

    The random numbers depend on the seed, the row and the number of the step only, and are equal on
    every backend. Alone, `top_p` sorts the whole vocabulary; with `top_k` it costs little.

    Args:
        step: Function `(ids, state) -> (logits, state)`, see `kzoo.decoding`.
        state: The state before the first step.
        start_ids: int32 `(batch,)`, what the first step is given.
        end_id: Id that ends a row; None for rows of `max_length` ids.
        max_length: Number of ids after which a row ends anyway, as in `greedy`.
        seed: Integer from 0, or scalar int32 tensor; or int32 `(batch,)`, one seed a row, with
            which a row gives in a batch what it gives alone.
        temperature: Positive number, or scalar tensor.
        top_k: Optional number of ids to draw from; more than the vocabulary keeps all. Or a scalar
            int32 tensor, with which the whole vocabulary is sorted.
        top_p: Optional probability in (0, 1], or scalar tensor.
        repetition_penalty: Optional positive number, or scalar tensor; above 1 it discourages.
        pad_id: Id that fills a row after its end.
        min_length: Least number of ids in a row, the end id included.
        banned_ids: Ids that are never chosen.
        source_mask: As in `greedy`.

    Returns:
        `Decoded`.

    Example, of a step function with equal probabilities:

    >>> step = lambda ids, state: (ops.zeros((2, 6)), state)
    >>> decoded = sample(step, (), [0, 0], end_id=1, max_length=4, banned_ids=[0], seed=3)
    >>> ops.convert_to_numpy(decoded.ids).tolist()
    [[4, 4, 5, 5], [5, 2, 3, 2]]
    """
    check_number("temperature", temperature, "above 0", lambda x: x > 0)
    if top_k is not None:
        check_integer("top_k", top_k, 1)
    if top_p is not None:
        check_number("top_p", top_p, "in (0, 1]", lambda x: 0 < x <= 1)
    rules = Rules(end_id, max_length, pad_id, min_length, banned_ids)
    step = StepFunction(step, state, start_ids, source_mask)
    memory = (seed_rows(seed, ops.shape(step.ids)[0]),)
    if repetition_penalty is not None:
        check_number("repetition_penalty", repetition_penalty, "above 0", lambda x: x > 0)
        shape = ops.shape(step.ids)[0], step.vocabulary_size
        memory += (ops.zeros(shape, "float32"),)

    def choose(logits, memory):
        u, generator = next_uniform(memory[0])
        if repetition_penalty is not None:
            logits = penalize_repetition(logits, memory[1], repetition_penalty)
        ids = draw(logits / temperature, u, top_k, top_p)
        return ids, (generator, *(mark_chosen(chosen, ids) for chosen in memory[1:]))

    return decode(step, rules, choose, memory)


def penalize_repetition(logits, chosen, penalty):
    """Changes the logits of ids that a row has chosen before; see `sample`.

    Args:
        logits: float32 `(batch, vocabulary)`.
        chosen: float32 of the same shape, 1 where the row has chosen the id, else 0.
        penalty: Positive number, or scalar tensor.

    Returns:
        float32 `(batch, vocabulary)`.

    Example:

    >>> logits, chosen = ops.array([[2.0, -1.0, 2.0]]), ops.array([[1.0, 1.0, 0.0]])
    >>> ops.convert_to_numpy(penalize_repetition(logits, chosen, 4.0)).tolist()
    [[0.5, -4.0, 2.0]]
    """
    # Sums and products, because LiteRT takes longer to choose. The other sum, 1 + chosen *
    # (penalty - 1), would lose a small penalty to rounding.
    penalties = chosen * penalty + (1.0 - chosen)
    return ops.maximum(logits, 0.0) / penalties + ops.minimum(logits, 0.0) * penalties


def mark_chosen(chosen, ids):
    """Returns `chosen` of `penalize_repetition` with one more id a row, int32 `(batch,)`.

    Example:

    >>> ops.convert_to_numpy(mark_chosen(ops.array([[1.0, 0.0, 0.0]]), ops.array([2]))).tolist()
    [[1.0, 0.0, 1.0]]
    """
    return ops.maximum(chosen, ops.one_hot(ids, chosen.shape[1], dtype="float32"))


def draw(logits, u, top_k=None, top_p=None):
    """Draws one id a row by inverting the cumulative distribution at `u`.

    Args:
        logits: float32 `(batch, vocabulary)`, -inf where an id must not be drawn.
        u: float32 `(batch,)` in `[0, 1)`.
        top_k: See `sample`.
        top_p: See `sample`.

    Returns:
        int32 `(batch,)`.

    Example:

    >>> logits = ops.log([[0.1, 0.6, 0.3], [0.1, 0.6, 0.3], [0.1, 0.6, 0.3]])
    >>> u = ops.convert_to_tensor([0.05, 0.65, 0.75])
    >>> ops.convert_to_numpy(draw(logits, u)).tolist()
    [0, 1, 2]
    >>> ops.convert_to_numpy(draw(logits, u, top_p=0.6)).tolist()
    [1, 1, 1]
    """
    vocabulary = logits.shape[1]
    ids = None
    if top_k is not None or top_p is not None:
        is_fixed = top_k is None or is_integer(top_k)
        kept = min(top_k or vocabulary, vocabulary) if is_fixed else vocabulary
        logits, ids = wide_top_k(logits, kept)
        if not is_fixed:
            logits = ops.where(np.arange(vocabulary) < top_k, logits, -np.inf)
    # Keras's softmax would warn where only one id is left.
    probabilities = ops.exp(logits - log_total(logits))
    if top_p is not None:
        before = ops.cumsum(probabilities, axis=-1) - probabilities
        first = np.arange(logits.shape[1]) == 0
        probabilities = ops.where(ops.logical_or(first, before < top_p), probabilities, 0.0)
    cumulative = ops.cumsum(probabilities, axis=-1)
    hit = ops.logical_and(
        cumulative > ops.expand_dims(u, 1) * cumulative[:, -1:], probabilities > 0
    )
    # The first hit; should rounding leave none, the most probable.
    chosen = ops.top_k(ops.where(hit, 2.0, probabilities), 1)[1]
    chosen = ops.cast(chosen, "int32")
    if ids is not None:
        (chosen,) = take_per_row([ids], chosen)
    return chosen[:, 0]
