"""The loops over time: each runs a step function over the leading axis of a tree of tensors."""

import functools
import itertools
import operator

import keras
from keras import ops

from kzoo.layers.lowering import current_lowering, current_take

# A loop copies what it carries: one buffer of all outputs would cost with the square of time. So
# blocks of 16 steps go into blocks of 256, and those into the whole. Measured on LiteRT,
# microseconds a step of an LSTM of 128 units, at T = 100, 1,000 and 4,000: 6.7, 7.2 and 7.5; with
# four levels of 8 steps 7.1, 7.6 and 7.8; with two of 32 steps 6.6, 7.7 and 9.7.
LOOP_BLOCK, LOOP_LEVELS = 16, 3


def run_steps(step, carry, inputs, return_sequences):
    """Runs `step` over time by the lowering in force.

    Args:
        step: Function `(carry, inputs_t)` that returns the new carry.
        carry: List of `(batch, size)` tensors.
        inputs: Tree of tensors `(time, batch, size)`.
        return_sequences: Whether to stack the first tensor of the carry of every step.

    Returns:
        `(outputs, carry)`: `(time, batch, size)` or None, and the last carry.
    """
    run = {"sequential": sequential, "unrolled": unrolled}.get(current_lowering(), loop)
    return run(step, carry, inputs, return_sequences)


def sequential(step, carry, inputs, return_sequences):
    """Runs `step` under `keras.ops.scan`.

    The inputs travel as one tensor: on TensorFlow, scan takes several only where time is static.
    """
    flat = keras.tree.flatten(inputs)
    starts = list(itertools.accumulate(x.shape[-1] for x in flat[:-1]))
    dtype = carry[0].dtype

    def body(carry, packed_t):
        parts = ops.split(packed_t, starts, axis=-1) if starts else [packed_t]
        parts = [ops.cast(part, x.dtype) for part, x in zip(parts, flat, strict=True)]
        carry = step(carry, keras.tree.pack_sequence_as(inputs, parts))
        # On TensorFlow, what a step emits must have the structure of the carry.
        return carry, carry if return_sequences else None

    packed = ops.concatenate([ops.cast(x, dtype) for x in flat], axis=-1)
    carry, history = ops.scan(body, carry, packed)
    return (history[0] if return_sequences else None), carry


def unrolled(step, carry, inputs, return_sequences):
    """Runs `step` in a Python loop over a static number of time steps."""
    time = keras.tree.flatten(inputs)[0].shape[0]
    if time is None:
        raise ValueError("The lowering 'unrolled' needs a static number of time steps.")
    outputs = []
    for t in range(time):
        carry = step(carry, _at(inputs, t))
        outputs.append(carry[0])
    return (ops.stack(outputs) if return_sequences else None), carry


def loop(step, carry, inputs, return_sequences):
    """Runs `step` in `while_loop`s; time and batch may be dynamic."""
    time = ops.shape(keras.tree.flatten(inputs)[0])[0]
    if not return_sequences:
        _, *carry = ops.while_loop(
            lambda t, *carry: t < time,
            lambda t, *carry: (t + 1, *step(list(carry), _at(inputs, t))),
            (0, *carry),
        )
        return None, carry

    batch, size = ops.shape(carry[0])[0], carry[0].shape[1]
    dtype = carry[0].dtype
    least = min if isinstance(time, int) else ops.minimum
    # A block of a level has so many places for blocks of the level below it, each of `rows` rows.
    spans = [LOOP_BLOCK**level for level in range(LOOP_LEVELS)]
    places = [(time + span - 1) // span for span in spans]
    places = [*(least(count, LOOP_BLOCK) for count in places[:-1]), places[-1]]
    rows = list(itertools.accumulate(places, operator.mul, initial=1))

    def run_block(level, start, carry):
        def run_place(n, block, *carry):
            if level:
                inner, carry = run_block(level - 1, start + n * spans[level], list(carry))
            else:
                carry = step(list(carry), _at(inputs, start + n))
                inner = ops.expand_dims(carry[0], 0)
            return (n + 1, ops.slice_update(block, (n * rows[level], 0, 0), inner), *carry)

        left = (time - start + spans[level] - 1) // spans[level]
        count = ops.minimum(left, places[level])
        block = ops.zeros((rows[level + 1], batch, size), dtype)
        _, block, *carry = ops.while_loop(lambda n, *_: n < count, run_place, (0, block, *carry))
        return block, carry

    outputs, carry = run_block(LOOP_LEVELS - 1, 0, carry)
    return outputs[:time], carry


def _at(inputs, t):
    # On device, GATHER takes 0.3 us where the STRIDED_SLICE of `x[t]` takes 2.
    take = current_take() or functools.partial(ops.take, axis=0)
    return keras.tree.map_structure(lambda x: take(x, t), inputs)
