"""Which lowering of a recurrence is in force: the same numbers, computed in another way.

- `sequential`: `keras.ops.scan`, differentiable, what training uses;
- `loop`: `keras.ops.while_loop` that writes its outputs in blocks, so that the cost stays linear in
  time on runtimes that copy a carried buffer at every iteration, as LiteRT does;
- `scan`: for linear recurrences, a blocked scan whose depth is logarithmic within a block; other
  cells fall back to `loop`;
- `unrolled`: a Python loop; the number of time steps must be static.

Training needs no choice. Export chooses with `lowering_scope`.
"""

import contextlib
import contextvars

LOWERINGS = ("sequential", "loop", "scan", "unrolled")

_lowering = contextvars.ContextVar("lowering", default="sequential")
_take = contextvars.ContextVar("take", default=None)


@contextlib.contextmanager
def lowering_scope(name, take=None):
    """Makes every recurrent layer called inside use the lowering `name`.

    A lowering is a way to compute a recurrence: all give the same numbers, at another cost, see
    `kzoo.layers.lowering`. Training needs no choice.

    Args:
        name: One of `LOWERINGS`; or a function `(layer, sequences, initial_state, mask)` that
            stands in for the call of `Recurrent` in inference, and returns what it returns.
        take: Function `(x, index)` that reads a row of a tensor, in a loop, at an index that is not
            negative; by default `keras.ops.take`, which allows for negative ones at each step.

    Raises:
        ValueError: there is no lowering of that name.

    Example:

    >>> with lowering_scope("loop"):
    ...     current_lowering()
    'loop'
    """
    if name not in LOWERINGS and not callable(name):
        raise ValueError(
            f"`name` must be one of {LOWERINGS} or a function. Received: name={name!r}"
        )
    tokens = _lowering.set(name), _take.set(take)
    try:
        yield
    finally:
        _lowering.reset(tokens[0])
        _take.reset(tokens[1])


def current_lowering():
    """Returns the lowering in force, a name or a function."""
    return _lowering.get()


def current_take():
    """Returns the function in force that reads a row, or None."""
    return _take.get()
