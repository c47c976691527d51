"""Backpropagation through time, written out for the cells that most models use.

Automatic differentiation of a loop keeps every intermediate of every step and multiplies one small
matrix a step for the gradient of the recurrent kernel. Here a step keeps its gates alone, and the
gradient of the kernel is one matrix product after the loop.
"""

from typing import Any, NamedTuple

import keras
from keras import ops

from kzoo.layers.gru import GRUCell, gru_update
from kzoo.layers.lstm import LSTMCell, lstm_update
from kzoo.layers.recorded_loop import Chain, is_compiled, join, recorded_loop, row
from kzoo.layers.simple_rnn import SimpleRNNCell

# The derivative of an activation, from its value.
DERIVATIVES = {
    "linear": ops.ones_like,
    "relu": lambda y: ops.cast(y > 0, y.dtype),
    "sigmoid": lambda y: y * (1 - y),
    "tanh": lambda y: 1 - y * y,
}


def simple_rnn_forward(projected, product, state, keep, activation):
    """Returns `[h_t]`; `product` is `U h_{t-1}`."""
    return list(keep((activation(projected + product),)))


def simple_rnn_backward(kept, state, d_state, activation, derivative):
    """Returns the gradients of `projected`, of `product` and of the state, from that of `h_t`.

    da = dh_t * act'
    """
    d_sum = (d_state[0] * derivative(kept[0]),)
    return d_sum, d_sum, [ops.zeros_like(kept[0])]


def lstm_forward(projected, product, state, keep, activation, gate_activation):
    """Returns `[h_t, c_t]`; the equation is in `LSTMCell`."""
    return list(lstm_update(projected + product, state[1], activation, gate_activation, keep))


def lstm_backward(kept, state, d_state, activation, derivative, gate_derivative):
    """Returns the gradients of `projected`, of `product` and of the state, from `[dh_t, dc_t]`.

    dc = dc_t + dh_t * o * act'(c_t)
    di = dc * g * i',  df = dc * c_{t-1} * f',  dg = dc * i * g',  do = dh_t * act(c_t) * o'
    dc_{t-1} = dc * f
    """
    i, f, g, o, carry = kept
    d_hidden, d_carry = d_state
    squashed = activation(carry)
    d_carry = d_carry + d_hidden * o * derivative(squashed)
    d_sum = (
        d_carry * g * gate_derivative(i),
        d_carry * state[1] * gate_derivative(f),
        d_carry * i * derivative(g),
        d_hidden * squashed * gate_derivative(o),
    )
    return d_sum, d_sum, [ops.zeros_like(d_hidden), d_carry * f]


def gru_forward(projected, product, state, keep, activation, gate_activation):
    """Returns `[h_t]`; the equation is in `GRUCell`."""
    return [gru_update(projected, product, state[0], activation, gate_activation, keep)]


def gru_backward(kept, state, d_state, activation, derivative, gate_derivative):
    """Returns the gradients of `projected`, of `product` and of the state, from `[dh_t]`.

    dn = dh_t * (1 - z) * n',  dz = dh_t * (h_{t-1} - n) * z',  dr = dn * n_h * r'
    dn_h = dn * r,  dh_{t-1} = dh_t * z
    """
    z, r, n, n_h = kept
    d_n = d_state[0] * (1 - z) * derivative(n)
    d_z = d_state[0] * (state[0] - n) * gate_derivative(z)
    d_r = d_n * n_h * gate_derivative(r)
    return (d_z, d_r, d_n), (d_z, d_r, d_n * r), [d_state[0] * z]


# By the very class, for a subclass has other equations: the forward and the backward step, and how
# many values of width `units` a step keeps at a time for the way back.
RULES = {
    SimpleRNNCell: (simple_rnn_forward, simple_rnn_backward, (1,)),
    LSTMCell: (lstm_forward, lstm_backward, (4, 1)),
    GRUCell: (gru_forward, gru_backward, (4,)),
}


def find_rule(cell):
    """Returns the entry of `RULES` with the cell's activations in it, or None where none fits."""
    if type(cell) not in RULES or not getattr(cell, "reset_after", True):
        return None
    activations = [cell.activation]
    if hasattr(cell, "recurrent_activation"):
        activations.append(cell.recurrent_activation)
    names = [keras.activations.serialize(activation) for activation in activations]
    if not all(isinstance(name, str) and name in DERIVATIVES for name in names):
        return None
    forward, backward, kept = RULES[type(cell)]
    derivatives = [DERIVATIVES[name] for name in names]
    return (
        lambda *values: forward(*values, *activations),
        lambda *values: backward(*values, cell.activation, *derivatives),
        kept,
    )


@ops.custom_gradient
def differentiable_once(x):
    """Returns `x`, the result of a written gradient, which must not be differentiated again."""

    def gradient(*upstream):
        raise NotImplementedError(
            "The gradient of a recurrent layer cannot be differentiated a second time. "
            "Use `kzoo.layers.lowering_scope('unrolled')` for gradients of gradients."
        )

    return x, gradient


class Part(NamedTuple):
    """Some of the rows of a batch.

    Attributes:
        projected: `(time, batch, size)`.
        state: List of `(batch, units)`.
        mask: Optional boolean `(time, batch, 1)`; False steps leave the state as it is.
        recurrent_mask: Optional dropout mask `(batch, units)` of the hidden state.
    """

    projected: Any
    state: list
    mask: Any = None
    recurrent_mask: Any = None


def walk_backpropagated(cell, parts, return_sequences):
    """Runs a cell that has a rule over time, with its written gradient.

    Args:
        cell: A cell for which `find_rule` returns a rule.
        parts: List of `Part`.
        return_sequences: Whether to return the hidden states of all steps.

    Returns:
        For each part `(hidden, state)`: `(time, batch, units)` or None, and the list of the last
        states.
    """
    dtype = parts[0].projected.dtype
    kernel = ops.cast(cell.recurrent_kernel, dtype)
    bias = ops.cast(_recurrent_bias(cell), dtype)
    arguments = []
    for projected, state, mask, recurrent_mask in parts:
        dropout = ops.ones_like(state[0]) if recurrent_mask is None else recurrent_mask
        mask = ops.ones_like(projected[..., :1]) if mask is None else ops.cast(mask, dtype)
        arguments += [projected, dropout, mask, *state]
    given = parts[0].mask is not None, parts[0].recurrent_mask is not None
    results = _make_run(cell, *given, return_sequences)(kernel, bias, *arguments)
    walked = []
    for part in _split(results, len(parts)):
        hidden = part.pop(0) if return_sequences else None
        walked.append((hidden, part))
    return walked


def _split(flat, number):
    """Returns a flat sequence as that many lists."""
    size = len(flat) // number
    return [list(flat[index * size : (index + 1) * size]) for index in range(number)]


def _recurrent_bias(cell):
    """Returns the bias of the recurrent product: GRU's second, else zeros."""
    if isinstance(cell, GRUCell) and cell.use_bias:
        return cell.bias[1]
    return ops.zeros_like(cell.recurrent_kernel[0])


def select(condition, new, old):
    """Returns, for each pair of a list, `new` where the condition holds and `old` elsewhere."""
    return [ops.where(condition, n, o) for n, o in zip(new, old, strict=True)]


def _make_run(cell, gated, dropped, return_sequences):
    forward, backward, num_kept = find_rule(cell)
    units, num_states, has_two_sums = cell.units, len(cell.state_size), isinstance(cell, GRUCell)
    width = cell.kernel_width()

    def drop(hidden, dropout):
        return hidden * dropout if dropped else hidden

    def masks(mask, t):
        return [row(mask, t)] if gated else []

    def forward_chain(kernel, bias, projected, dropout, mask, *initial):
        def step(read, old, keep):
            product = ops.matmul(drop(old[0], dropout), kernel)
            product = product + bias if has_two_sums else product
            new = forward(read[0], product, old, keep)
            return select(read[1] > 0, new, old) if gated else new

        widths = [number * units for number in num_kept]
        return Chain(lambda t: [row(projected, t), *masks(mask, t)], step, list(initial), widths)

    def backward_chain(transposed, part, walked, upstream):
        projected, dropout, mask = part[:3]
        states, records = walked
        d_hidden, d_last = upstream[:-num_states], upstream[-num_states:]

        def read(t):
            return [row(x, t) for x in [*d_hidden, *records, *states]] + masks(mask, t)

        def step_back(read, d_state, keep):
            read = list(read)
            given = read.pop() > 0 if gated else None
            if return_sequences:
                d_state = [d_state[0] + read.pop(0), *d_state[1:]]
            arriving = d_state
            if gated:
                d_state = [ops.where(given, d, 0.0) for d in d_state]
            kept = []
            for number in num_kept:
                kept += ops.split(read.pop(0), number, axis=-1)
            d_projected, d_product, d_old = backward(kept, read, d_state)
            (d_product,) = keep((join(d_product),))
            if has_two_sums:
                keep(d_projected)
            d_old[0] = d_old[0] + drop(ops.matmul(d_product, transposed), dropout)
            return select(given, d_old, arriving) if gated else d_old

        # The way there is the last to read `projected`.
        return Chain(read, step_back, d_last, [projected] + [width] * has_two_sums)

    @ops.custom_gradient
    def run(kernel, bias, *arguments):
        parts = _split(arguments, len(arguments) // (3 + num_states))
        time = ops.shape(arguments[0])[0]
        compiled = is_compiled(arguments[0])
        chains = [forward_chain(kernel, bias, *part) for part in parts]
        walked = recorded_loop(chains, time, remember=True, compiled=compiled)

        def gradient(*upstream):
            upstream = _split(keras.tree.flatten(upstream), len(parts))
            transposed = ops.transpose(kernel)
            chains = [
                backward_chain(transposed, *rest)
                for rest in zip(parts, walked, upstream, strict=True)
            ]
            d_walked = recorded_loop(chains, time, reverse=True, compiled=compiled)
            d_kernel, d_bias, d_parts = 0.0, 0.0, []
            for part, (states, _), (d_initial, sums) in zip(parts, walked, d_walked, strict=True):
                d_product, d_projected = sums[0], sums[-1]
                hidden = ops.reshape(drop(states[0][:-1], part[1]), (-1, units))
                d_flat = ops.reshape(d_product, (-1, width))
                d_kernel += ops.matmul(ops.transpose(hidden), d_flat)
                d_bias += ops.sum(d_product, axis=(0, 1))
                d_parts += [differentiable_once(d_projected), *map(ops.zeros_like, part[1:3])]
                d_parts += map(differentiable_once, d_initial)
            return differentiable_once(d_kernel), differentiable_once(d_bias), *d_parts

        results = []
        for states, _ in walked:
            results += [states[0][1:]] if return_sequences else []
            results += [s[-1] for s in states]
        return results, gradient

    return run
