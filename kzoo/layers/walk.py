"""The one place that walks time: picks how a cell runs over a sequence.

Every lowering of a recurrence computes the same numbers; they are listed in `kzoo.layers.lowering`.
"""

import keras
from keras import ops

from kzoo.layers.backpropagation import Part, find_rule, walk_backpropagated
from kzoo.layers.cell import LinearCell
from kzoo.layers.linear_scan import blocked_linear_scan, last_linear_state, linear_scan
from kzoo.layers.loops import run_steps
from kzoo.layers.lowering import current_lowering
from kzoo.layers.recorded_loop import is_compiled

# Rows from which two loops side by side are faster than one, measured at 64 to 128 units.
SHARED_BATCH = 4


def walk(cell, inputs, state, mask=None, recurrent_mask=None, memory=None, **outputs):
    """Runs a cell over time.

    Args:
        cell: A `kzoo.layers.Cell`.
        inputs: `(time, batch, features)`.
        state: List of `(batch, size)` tensors.
        mask: Optional boolean `(time, batch, 1)`; False steps leave the state as it is.
        recurrent_mask: Optional dropout mask, see `Cell.step`.
        memory: What an `AttentionCell` attends to.
        **outputs: `return_sequences` and `zero_output_for_mask`, as in `keras.layers.RNN`.

    Returns:
        `(outputs, state)`: outputs are `(time, batch, size)`, or `(batch, size)` of the last step.
    """
    if find_rule(cell) and current_lowering() == "sequential":
        return _walk_backpropagated(cell, inputs, state, mask, recurrent_mask, **outputs)
    if isinstance(cell, LinearCell) and current_lowering() in ("sequential", "scan"):
        return _walk_linear(cell, inputs, state, mask, **outputs)
    projected = cell.project(inputs)
    step = cell.step if memory is None else lambda *past: cell.step(*past, memory)
    return _walk_steps(cell, step, projected, state, mask, recurrent_mask, **outputs)


def _walk_backpropagated(
    cell, inputs, state, mask, recurrent_mask, return_sequences, zero_output_for_mask
):
    """Runs a cell whose gradient is written out; its first state is its output."""
    parts = [
        Part(cell.project(sequences), *rest)
        for sequences, *rest in _halves(inputs, state, mask, recurrent_mask)
    ]
    walked = walk_backpropagated(cell, parts, return_sequences)
    states = [state for _, state in walked]
    state = [ops.concatenate(halves) for halves in zip(*states, strict=True)]
    outputs = state[0]
    if return_sequences:
        outputs = ops.concatenate([hidden for hidden, _ in walked], axis=1)
    return _begin_with_zeros(outputs, mask, return_sequences, zero_output_for_mask), state


def _begin_with_zeros(outputs, mask, return_sequences, zero_output_for_mask):
    """Sets outputs to zero where there is none.

    Before the first step that is not masked there is no previous output to repeat.
    """
    if mask is None:
        return outputs
    if not return_sequences:
        given = mask[-1] if zero_output_for_mask else ops.any(mask, axis=0)
    else:
        given = mask if zero_output_for_mask else ops.cumsum(ops.cast(mask, "int32"), axis=0) > 0
    return ops.where(given, outputs, 0.0)


def _halves(inputs, state, mask, recurrent_mask):
    """Returns the arguments for the rows of each chain of `recorded_loop`, two where that pays."""
    batch = inputs.shape[1]
    if not is_compiled(inputs) or (batch is not None and batch < SHARED_BATCH) or _accelerated():
        return [(inputs, state, mask, recurrent_mask)]
    half = ops.shape(inputs)[1] // 2

    def take(rows):
        return (
            inputs[:, rows],
            [s[rows] for s in state],
            None if mask is None else mask[:, rows],
            None if recurrent_mask is None else recurrent_mask[rows],
        )

    return [take(slice(None, half)), take(slice(half, None))]


def _accelerated():
    return any(not device.startswith("cpu") for device in keras.distribution.list_devices())


def _walk_steps(
    cell, cell_step, projected, state, mask, recurrent_mask, return_sequences, zero_output_for_mask
):
    """Runs any cell step by step; carries the output as well, unless it is the first state."""
    is_state = bool(find_rule(cell))

    def step(carry, inputs):
        projected_t, mask_t = inputs if mask is not None else (inputs, None)
        output, new = cell_step(projected_t, carry if is_state else carry[1:], recurrent_mask)
        new = new if is_state else [output, *new]
        if mask is None:
            return new
        if zero_output_for_mask and not is_state:
            carry = [ops.zeros_like(output), *carry[1:]]
        return [ops.where(mask_t, x, old) for x, old in zip(new, carry, strict=True)]

    inputs = projected if mask is None else (projected, mask)
    if is_state:
        outputs, state = run_steps(step, state, inputs, return_sequences)
        outputs = outputs if return_sequences else state[0]
        return _begin_with_zeros(outputs, mask, return_sequences, zero_output_for_mask), state
    carry = [ops.zeros((ops.shape(state[0])[0], cell.output_size), state[0].dtype), *state]
    outputs, carry = run_steps(step, carry, inputs, return_sequences)
    return (outputs if return_sequences else carry[0]), carry[1:]


def _walk_linear(cell, inputs, state, mask, return_sequences, zero_output_for_mask):
    """Runs a linear cell: its states by one scan, its outputs for all time steps at once."""
    trains = current_lowering() == "sequential"
    projected = cell.project(inputs)
    decay, update = cell.recurrence(projected)
    if mask is not None:
        decay, update = ops.where(mask, decay, 1.0), ops.where(mask, update, 0.0)
    if not trains and not return_sequences:
        state = last_linear_state(decay, update, state[0])
        return _read_last(cell, inputs, state, mask, zero_output_for_mask), [state]
    scan = linear_scan if trains else blocked_linear_scan
    states = scan(decay, update, state[0])
    if mask is None and not return_sequences:
        # XLA computes no other output, nor the gates of them.
        projected = keras.tree.map_structure(lambda x: x[-1], projected)
        return cell.readout(projected, states[-1]), [states[-1]]
    outputs = cell.readout(projected, states)
    if mask is not None:
        outputs = ops.where(mask, outputs, 0.0)
        if not zero_output_for_mask:
            # Repeating the previous output is a linear recurrence too.
            held = ops.broadcast_to(ops.cast(~mask, outputs.dtype), ops.shape(outputs))
            outputs = scan(held, outputs, ops.zeros_like(outputs[0]))
    return (outputs if return_sequences else outputs[-1]), [states[-1]]


def _read_last(cell, inputs, state, mask, zero_output_for_mask):
    """Returns the output at the last step, or at the last one that counts.

    In a file, nothing else of the outputs is computed then.
    """
    if mask is None:
        return cell.readout(cell.project(inputs[-1]), state)
    steps = ops.reshape(ops.arange(1, ops.shape(inputs)[0] + 1), (-1, 1, 1))
    steps = ops.where(mask, steps, 0)
    is_last = mask & (steps == ops.max(steps, axis=0, keepdims=True))
    last = ops.sum(ops.where(is_last, inputs, 0.0), axis=0)
    output = cell.readout(cell.project(last), state)
    return _begin_with_zeros(output, mask, False, zero_output_for_mask)
