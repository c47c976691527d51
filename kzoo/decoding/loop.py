"""The one loop over steps, which collects what the steps emit."""

from keras import ops

# A runtime may copy a carried buffer at every iteration, as LiteRT does. Steps write into a block,
# and whole blocks into the buffer, so that the cost stays linear in the number of steps.
BLOCK = 64


def unroll(step, carry, length, blank, goes_on):
    """Runs `step` for `t = 0, 1, ...` while `t < length` and `goes_on(t, carry)`.

    Args:
        step: Function `(t, carry) -> (carry, emitted)`; the carry keeps its structure and shapes.
        carry: Tree of tensors.
        length: Integer or scalar int32 tensor.
        blank: List of tensors, like what one step emits: stands for the steps that did not run.
        goes_on: Function `(t, carry) -> boolean scalar`.

    Returns:
        `(carry, history)`, history a list of tensors `(length, ...)`.

    Example:

    >>> carry, (history,) = unroll(
    ...     lambda t, x: (x * 2, [x]), ops.ones(()), 5, [ops.zeros(())], lambda t, x: x < 8
    ... )
    >>> float(carry), [float(x) for x in history]
    (8.0, [1.0, 2.0, 4.0, 0.0, 0.0])
    """
    if isinstance(length, int) and length <= BLOCK:
        return _fill_page(step, 0, length, carry, _stack(blank, length), goes_on)

    def run_block(n, carry, history):
        start = n * BLOCK
        count = ops.minimum(length - start, BLOCK)
        carry, page = _fill_page(step, start, count, carry, _stack(blank, BLOCK), goes_on)
        return n + 1, carry, _write(history, n, page)

    pages = (length + BLOCK - 1) // BLOCK
    _, carry, history = ops.while_loop(
        lambda n, carry, history: ops.logical_and(n < pages, goes_on(n * BLOCK, carry)),
        run_block,
        (0, carry, _stack(_stack(blank, BLOCK), pages)),
    )
    return carry, [ops.reshape(x, (-1, *ops.shape(x)[2:]))[:length] for x in history]


def _fill_page(step, start, count, carry, page, goes_on):
    """Runs `count` steps from `start` on; returns the carry, and what they emit."""

    def run_step(t, carry, page):
        carry, emitted = step(start + t, carry)
        return t + 1, carry, _write(page, t, emitted)

    _, carry, page = ops.while_loop(
        lambda t, carry, page: ops.logical_and(t < count, goes_on(start + t, carry)),
        run_step,
        (0, carry, page),
    )
    return carry, page


def _stack(tensors, count):
    return [ops.broadcast_to(ops.expand_dims(x, 0), (count, *ops.shape(x))) for x in tensors]


def _write(buffers, index, values):
    return [
        ops.slice_update(buffer, (index, *[0] * len(value.shape)), ops.expand_dims(value, 0))
        for buffer, value in zip(buffers, values, strict=True)
    ]
