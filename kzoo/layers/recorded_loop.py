"""A loop over time that records what each step wants to keep: what a written gradient runs on."""

import itertools
from collections.abc import Callable
from typing import Any, NamedTuple

import keras
from keras import ops


class Chain(NamedTuple):
    """What `recorded_loop` runs over time, for some of the rows of a batch.

    Attributes:
        read: Function of `t` that returns the list of what `step` needs of that step, each
            `(batch, size)`.
        step: Function `(read, state, keep)` that returns the new state. It must call `keep(parts)`,
            which returns the parts, once for each record, in order, with a tuple of tensors of one
            shape `(batch, size)` that stand side by side in the record.
        state: List of `(batch, size)` tensors, the first state.
        records: For each record its width, the sum of those of its parts; or a tensor
            `(time, batch, width)` that is not needed any more, to write the record over.
    """

    read: Callable[[Any], list]
    step: Callable[[list, list, Callable[[tuple], tuple]], list]
    state: list
    records: list


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


def row(x, t):
    """Returns `x[t]` for a tensor `(time, batch, size)` and an index that is not negative."""
    shape = ops.shape(x)
    return ops.reshape(ops.slice(x, (t, 0, 0), (1, *shape[1:])), shape[1:])


def join(parts):
    """Returns the parts side by side."""
    return ops.concatenate(parts, axis=-1) if len(parts) > 1 else parts[0]


def recorded_loop(chains, time, reverse=False, remember=False, compiled=False, ahead=True):
    """Runs chains over time, and stacks what their steps keep.

    Args:
        chains: List of `Chain`. They do not know of each other, and XLA runs their steps side by
            side on the cores of a CPU, where it runs every other operation of a loop on one.
        time: Number of steps.
        reverse: Whether `t` runs from `time - 1` to 0.
        remember: Whether to return the states of all steps.
        compiled: Whether XLA compiles the loop, see `is_compiled`. It then writes in place; without
            it, such writes would copy the whole record at every step.
        ahead: Whether a compiled loop reads what a step needs one step before. XLA gives that copy
            a kernel of its own, and so the arithmetic one without a moving index, which it can
            vectorize; where the arithmetic is less than the copy, read it in place.

    Returns:
        For each chain `(state, records)`: the last state or, with `remember`, tensors
        `(time + 1, batch, size)` that begin with the first state; and tensors
        `(time, batch, width)`.
    """
    if compiled:
        return _run_in_place(chains, time, reverse, remember, ahead)
    return [_run_scan(chain, time, reverse, remember) for chain in chains]


def _run_in_place(chains, time, reverse, remember, ahead):
    def index(n):
        return time - 1 - n if reverse else n

    def run_step(n, chain, carry):
        read, state, history, records = carry
        kept = _Kept()
        state = chain.step(read or chain.read(index(n)), state, kept)
        if remember:
            history = [_put(h, n + 1, s) for h, s in zip(history, state, strict=True)]
        records = [_put(r, index(n), k) for r, k in zip(records, kept.records, strict=True)]
        read = chain.read(index(ops.minimum(n + 1, time - 1))) if ahead else []
        return read, state, history, records

    def body(n, carries):
        return n + 1, [run_step(n, *pair) for pair in zip(chains, carries, strict=True)]

    # Equal constants would be made once, and then copied for all but one.
    numbers = itertools.count()

    def new(chain, width):
        first = chain.state[0]
        return ops.full((time, ops.shape(first)[0], width), next(numbers), first.dtype)

    def start(chain):
        history = []
        if remember:
            history = [ops.concatenate([s[None], new(chain, s.shape[-1])]) for s in chain.state]
        records = [new(chain, r) if isinstance(r, int) else r for r in chain.records]
        return chain.read(index(0)) if ahead else [], list(chain.state), history, records

    _, carries = ops.while_loop(lambda n, _: n < time, body, (0, [start(c) for c in chains]))
    return [(history if remember else state, records) for _, state, history, records in carries]


class _Kept:
    def __init__(self):
        self.records = []

    def __call__(self, parts):
        self.records.append(join(parts))
        return parts


def _put(x, t, value):
    return ops.slice_update(x, (t, 0, 0), value[None])


def _run_scan(chain, time, reverse, remember):
    def body(carry, t):
        kept = _Kept()
        new = chain.step(chain.read(t), carry[0], kept)
        # On TensorFlow, what a step emits must have the shapes of the carry.
        return [[new, kept.records]] * 2

    state = chain.state
    batch, dtype = ops.shape(state[0])[0], state[0].dtype
    widths = [r if isinstance(r, int) else r.shape[-1] for r in chain.records]
    carry = [state, [ops.zeros((batch, width), dtype) for width in widths]]
    (last, _), (states, records) = ops.scan(body, carry, ops.arange(time), reverse=reverse)
    if not remember:
        return last, records
    return [ops.concatenate([s[None], r]) for s, r in zip(state, states, strict=True)], records
