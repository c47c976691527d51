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

    Within a block of `SCAN_BLOCK` steps, all blocks at once, pairs `(decay, update)` are combined
    at distances 1, 2, 4, ... (Hillis and Steele 1986); the states at the ends of blocks then follow
    by a loop of `time / SCAN_BLOCK` steps. Arguments and result are those of `linear_scan`.
    """
    time, batch = ops.shape(decay)[0], ops.shape(decay)[1]
    units = decay.shape[2]
    blocks = (time + SCAN_BLOCK - 1) // SCAN_BLOCK
    padding = [[0, blocks * SCAN_BLOCK - time], [0, 0], [0, 0]]
    shape = (-1, SCAN_BLOCK, batch, units)
    decay = ops.reshape(ops.pad(decay, padding), shape)
    update = ops.reshape(ops.pad(update, padding), shape)
    distance = 1
    while distance < SCAN_BLOCK:
        head, tail = decay[:, :distance], decay[:, distance:]
        update = ops.concatenate(
            [update[:, :distance], update[:, distance:] + tail * update[:, :-distance]], axis=1
        )
        decay = ops.concatenate([head, tail * decay[:, :-distance]], axis=1)
        distance *= 2

    def step(carry, inputs):
        # Emits the state before the block, carries the state after it.
        return [carry[1], inputs[0] * carry[1] + inputs[1]]

    starts, _ = loop(step, [initial, initial], (decay[:, -1], update[:, -1]), True)
    states = update + decay * starts[:, None]
    return ops.reshape(states, (-1, batch, units))[:time]
