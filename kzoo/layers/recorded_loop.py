"""A loop over time that records what each step wants to keep: what a written gradient runs on."""

import keras
from keras import ops


def is_compiled(tensor):
    """Returns whether XLA compiles what is computed from `tensor`.

    JAX compiles every loop. TensorFlow compiles under `jit_compile=True`, and says so in the graph
    that is being traced, or in one around it.
    """
    if keras.backend.backend() == "jax":
        return True
    graph = getattr(tensor, "graph", None)
    while graph is not None:
        context = graph._get_control_flow_context()
        if context is not None and context.IsXLAContext():
            return True
        graph = getattr(graph, "outer_graph", None)
    return False


def recorded_loop(step, state, widths, time, reverse=False, remember=False, compiled=False):
    """Runs `step` over time, and stacks what it keeps.

    Args:
        step: Function `(t, state, keep)` that returns the new state. It must call `keep(parts)`
            once for each record, in order, with a tuple of tensors of one shape `(batch, size)`
            that stand side by side in the record, and go on with the tensors that `keep` returns.
        state: List of `(batch, size)` tensors.
        widths: The width of each record, the sum of those of its parts.
        time: Number of steps.
        reverse: Whether `t` runs from `time - 1` to 0.
        remember: Whether to return the states of all steps.
        compiled: Whether XLA compiles the loop, see `is_compiled`. It then writes in place; without
            it, such writes would copy the whole record at every step.

    Returns:
        `(state, records)`: the last state or, with `remember`, tensors `(time + 1, batch, size)`
        that begin with the first state; and tensors `(time, batch, width)`.
    """
    run = _run_in_place if compiled else _run_scan
    return run(step, state, widths, time, reverse, remember)


def _run_in_place(step, state, widths, time, reverse, remember):
    batch, dtype = ops.shape(state[0])[0], state[0].dtype
    records = [ops.zeros((time, batch, width), dtype) for width in widths]
    if remember:
        # A state that is read from where it was written needs no copy of its own.
        rest = [ops.zeros((time, batch, s.shape[-1]), dtype) for s in state]
        state = [ops.concatenate([s[None], r]) for s, r in zip(state, rest, strict=True)]

    def body(n, state, records):
        t = time - 1 - n if reverse else n
        written = []

        def keep(parts):
            record = records[len(written)]
            for index, part in enumerate(parts):
                record = ops.slice_update(record, (t, 0, index * part.shape[-1]), part[None])
            written.append(record)
            return ops.split(record[t], len(parts), axis=-1)

        new = step(t, [s[n] for s in state] if remember else state, keep)
        if remember:
            pairs = zip(state, new, strict=True)
            new = [ops.slice_update(s, (n + 1, 0, 0), value[None]) for s, value in pairs]
        return n + 1, new, written

    _, state, records = ops.while_loop(lambda n, *_: n < time, body, (0, state, records))
    return state, records


def _run_scan(step, state, widths, time, reverse, remember):
    def body(carry, t):
        written = []

        def keep(parts):
            written.append(ops.concatenate(parts, axis=-1))
            return parts

        new = step(t, carry[0], keep)
        # On TensorFlow, what a step emits must have the shapes of the carry.
        return [[new, written]] * 2

    batch, dtype = ops.shape(state[0])[0], state[0].dtype
    carry = [state, [ops.zeros((batch, width), dtype) for width in widths]]
    (last, _), (states, records) = ops.scan(body, carry, ops.arange(time), reverse=reverse)
    if not remember:
        return last, records
    return [ops.concatenate([s[None], r]) for s, r in zip(state, states, strict=True)], records
