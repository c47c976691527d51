"""Linear recurrences over time, `s_t = decay_t * s_{t-1} + update_t`."""

from keras import ops

from kzoo.layers.backpropagation import differentiable_once
from kzoo.layers.loops import loop
from kzoo.layers.recorded_loop import Chain, is_compiled, recorded_loop, row

SCAN_BLOCK = 16


@ops.custom_gradient
def linear_scan(decay, update, initial):
    """Computes `s_t = decay_t * s_{t-1} + update_t` in time order.

    With `g_t = ds_t + decay_{t+1} * g_{t+1}`, the gradient that reaches `s_t` from everywhere, the
    gradients are `g_t` for `update_t`, `g_t * s_{t-1}` for `decay_t` and `decay_1 * g_1` for
    `initial`: one more scan, backwards, and no tape.

    Args:
        decay: `(time, batch, units)`.
        update: `(time, batch, units)`.
        initial: `s_0`, `(batch, units)`.

    Returns:
        The states `s_1 .. s_time`, `(time, batch, units)`.

    Example:

    >>> import numpy as np
    >>> ones = np.ones((3, 1, 1), "float32")
    >>> [float(s) for s in np.ravel(linear_scan(ones / 2, ones, ones[0]))]
    [1.5, 1.75, 1.875]
    """
    time, compiled = ops.shape(decay)[0], is_compiled(decay)

    def step(read, state, keep):
        return [read[0] * state[0] + read[1]]

    chain = Chain(lambda t: [row(decay, t), row(update, t)], step, [initial], [])
    ((history,), _) = recorded_loop([chain], time, remember=True, compiled=compiled, ahead=False)[0]

    def gradient(d_states):
        def step_back(read, arriving, keep):
            (g,) = keep((read[0] + arriving[0],))
            return [read[1] * g]

        def read(t):
            return [row(d_states, t), row(decay, t)]

        chain = Chain(read, step_back, [ops.zeros_like(initial)], [initial.shape[-1]])
        ((d_initial,), (g,)) = recorded_loop(
            [chain], time, reverse=True, compiled=compiled, ahead=False
        )[0]
        return tuple(map(differentiable_once, (g * history[:-1], g, d_initial)))

    return history[1:], gradient


def blocked_linear_scan(decay, update, initial):
    """Computes what `linear_scan` does, in blocks: for export, where time may be dynamic.

    Within a block of `SCAN_BLOCK` steps, all blocks at once, neighbours are combined into pairs,
    pairs into fours, and so on. The states before each block follow by a loop of
    `time / SCAN_BLOCK` steps, and on the way back the states before each four, pair and step.
    Arguments and result are those of `linear_scan`.

    Source: Blelloch 1990, "Prefix sums and their applications", section 1.3.
    """
    pairs, blocks = _combine(decay, update, initial)

    def step(carry, block):
        # Emits the state before the block, carries the state after it.
        return [carry[1], _advance(block, carry[1])]

    before, _ = loop(step, [initial, initial], blocks, True)
    before = ops.reshape(before, (-1, 1, _width(initial)))
    for early, _ in pairs[:0:-1]:
        before = _interleave(before, _advance(early, before))
    early, late = pairs[0]
    middle = _advance(early, before)
    states = ops.reshape(_interleave(middle, _advance(late, middle)), (-1, *ops.shape(initial)))
    return states[: ops.shape(decay)[0]]


def last_linear_state(decay, update, initial):
    """Computes the last state of `blocked_linear_scan` alone, with no way back."""
    _, blocks = _combine(decay, update, initial)
    _, (state,) = loop(lambda carry, block: [_advance(block, carry[0])], [initial], blocks, False)
    return state


def _combine(decay, update, initial):
    """Combines the steps of each block of `SCAN_BLOCK` steps.

    Returns:
        The `(early, late)` of all pairs, of pairs of pairs, and so on, each a `(decay, update)` of
        shape `(pairs, 1, batch * units)`; and that of all blocks, `(blocks, batch, units)`.
    """
    # Steps that change nothing.
    padding = [[0, -ops.shape(decay)[0] % SCAN_BLOCK], [0, 0], [0, 0]]
    whole = ops.pad(decay, padding, constant_values=1.0), ops.pad(update, padding)
    shape = -1, 2, _width(initial)
    pairs = []
    for _ in range(SCAN_BLOCK.bit_length() - 1):
        halves = (ops.split(ops.reshape(x, shape), 2, axis=1) for x in whole)
        early, late = zip(*halves, strict=True)
        pairs.append((early, late))
        whole = late[0] * early[0], _advance(late, early[1])
    return pairs, tuple(ops.reshape(x, (-1, *ops.shape(initial))) for x in whole)


def _width(state):
    return ops.shape(state)[0] * state.shape[1]


def _advance(step, state):
    """Returns the state after a step, or after what was combined into one."""
    decay, update = step
    return decay * state + update


def _interleave(early, late):
    """Returns `(2 * pairs, 1, batch * units)` of the two of each pair."""
    both = ops.concatenate([early, late], axis=1)
    return ops.reshape(both, (-1, 1, ops.shape(both)[2]))
