"""Backpropagation through time, written out for the cells that most models use.

Automatic differentiation of a loop keeps every intermediate of every step and multiplies one small
matrix a step for the gradient of the recurrent kernel. Here a step keeps its gates alone, and the
gradient of the kernel is one matrix product after the loop.
"""

import functools

import keras
from keras import ops

from kzoo.layers.gru import GRUCell, gru_update
from kzoo.layers.lstm import LSTMCell, lstm_update
from kzoo.layers.simple_rnn import SimpleRNNCell

# The derivative of an activation, from its value.
DERIVATIVES = {
    "linear": ops.ones_like,
    "relu": lambda y: ops.cast(y > 0, y.dtype),
    "sigmoid": lambda y: y * (1 - y),
    "tanh": lambda y: 1 - y * y,
}


def simple_rnn_forward(projected, product, state, activation):
    """Returns `h_t`, and what `simple_rnn_backward` needs; `product` is `U h_{t-1}`."""
    hidden = activation(projected + product)
    return [hidden], [hidden]


def simple_rnn_backward(saved, state, d_state, derivative):
    """Returns the gradients of `projected`, of `product` and of the state, from that of `h_t`.

    da = dh_t * act'
    """
    d_sum = d_state[0] * derivative(saved[0])
    return d_sum, d_sum, [ops.zeros_like(d_sum)]


def lstm_forward(projected, product, state, activation, gate_activation):
    """Returns `[h_t, c_t]`, and what `lstm_backward` needs; the equation is in `lstm_step`."""
    new_state, saved = lstm_update(projected + product, state[1], activation, gate_activation)
    return new_state, saved


def lstm_backward(saved, state, d_state, derivative, gate_derivative):
    """Returns the gradients of `projected`, of `product` and of the state, from `[dh_t, dc_t]`.

    dc = dc_t + dh_t * o * act'(c_t)
    di = dc * g * i',  df = dc * c_{t-1} * f',  dg = dc * i * g',  do = dh_t * act(c_t) * o'
    dc_{t-1} = dc * f
    """
    i, f, g, o, squashed = saved
    d_hidden, d_carry = d_state
    d_carry = d_carry + d_hidden * o * derivative(squashed)
    d_sum = ops.concatenate(
        [
            d_carry * g * gate_derivative(i),
            d_carry * state[1] * gate_derivative(f),
            d_carry * i * derivative(g),
            d_hidden * squashed * gate_derivative(o),
        ],
        axis=-1,
    )
    return d_sum, d_sum, [ops.zeros_like(d_hidden), d_carry * f]


def gru_forward(projected, product, state, activation, gate_activation):
    """Returns `[h_t]`, and what `gru_backward` needs; the equation is in `gru_step`."""
    hidden, saved = gru_update(projected, product, state[0], activation, gate_activation)
    return [hidden], saved


def gru_backward(saved, state, d_state, derivative, gate_derivative):
    """Returns the gradients of `projected`, of `product` and of the state, from `[dh_t]`.

    dn = dh_t * (1 - z) * n',  dz = dh_t * (h_{t-1} - n) * z',  dr = dn * n_h * r'
    dn_h = dn * r,  dh_{t-1} = dh_t * z
    """
    z, r, n, n_h = saved
    d_n = d_state[0] * (1 - z) * derivative(n)
    d_z = d_state[0] * (state[0] - n) * gate_derivative(z)
    d_r = d_n * n_h * gate_derivative(r)
    d_projected = ops.concatenate([d_z, d_r, d_n], axis=-1)
    d_product = ops.concatenate([d_z, d_r, d_n * r], axis=-1)
    return d_projected, d_product, [d_state[0] * z]


# By the very class, for a subclass has other equations: the forward and the backward step, and how
# many values of width `units` a step keeps.
RULES = {
    SimpleRNNCell: (simple_rnn_forward, simple_rnn_backward, 1),
    LSTMCell: (lstm_forward, lstm_backward, 5),
    GRUCell: (gru_forward, gru_backward, 4),
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
    forward, backward, saved_size = RULES[type(cell)]
    derivatives = [DERIVATIVES[name] for name in names]
    return (
        lambda projected, product, state: forward(projected, product, state, *activations),
        lambda saved, state, d_state: backward(saved, state, d_state, *derivatives),
        saved_size,
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


def walk_backpropagated(cell, projected, state, mask, recurrent_mask):
    """Runs a cell that has a rule over time, with its written gradient.

    Args:
        cell: A cell for which `find_rule` returns a rule.
        projected: `(time, batch, size)`.
        state: List of `(batch, units)`.
        mask: Optional boolean `(time, batch, 1)`; False steps leave the state as it is.
        recurrent_mask: Optional dropout mask `(batch, units)` of the hidden state.

    Returns:
        The states of all steps, `(time, batch, units)` for each entry of the state.
    """
    dtype = projected.dtype
    gated = mask is not None
    arguments = [
        projected,
        ops.concatenate(state, axis=-1),
        ops.cast(cell.recurrent_kernel, dtype),
        ops.cast(_recurrent_bias(cell), dtype),
        ops.ones_like(state[0]) if recurrent_mask is None else recurrent_mask,
        ops.cast(mask, dtype) if gated else ops.ones_like(projected[..., :1]),
    ]
    run = _make_run(cell, find_rule(cell), len(state), gated, recurrent_mask is not None)
    return ops.split(run(*arguments), len(state), axis=-1)


def _recurrent_bias(cell):
    """Returns the bias of the recurrent product: GRU's second, else zeros."""
    if isinstance(cell, GRUCell) and cell.use_bias:
        return cell.bias[1]
    return ops.zeros_like(cell.recurrent_kernel[0])


def _zeros(like, width):
    return ops.zeros((ops.shape(like)[0], width), like.dtype)


def _make_run(cell, rule, num_states, gated, dropped):
    forward, backward, saved_size = rule
    units, shared = cell.units, not isinstance(cell, GRUCell)
    split = functools.partial(ops.split, indices_or_sections=num_states, axis=-1)

    def multiply(state, kernel, bias, dropout):
        hidden = state[..., :units]
        product = ops.matmul(hidden * dropout if dropped else hidden, kernel)
        return product + bias if isinstance(cell, GRUCell) else product

    @ops.custom_gradient
    def run(projected, initial, kernel, bias, dropout, mask):
        width = projected.shape[-1]
        times = ops.arange(ops.shape(projected)[0])

        def step(carry, t):
            old = carry[0]
            product = multiply(old, kernel, bias, dropout)
            new, saved = forward(projected[t], product, split(old))
            new = ops.concatenate(new, axis=-1)
            if gated:
                new = ops.where(mask[t] > 0, new, old)
            # On TensorFlow, what a step emits must have the shapes of the carry.
            return [[new, ops.concatenate(saved, axis=-1)]] * 2

        carry = [initial, _zeros(initial, saved_size * units)]
        states, saved = ops.scan(step, carry, times)[1]

        def gradient(d_states, upstream=None):
            previous = ops.concatenate([initial[None], states[:-1]])
            transposed = ops.transpose(kernel)

            def step_back(carry, t):
                passing = arriving = carry[0] + d_states[t]
                if gated:
                    passing = ops.where(mask[t] > 0, arriving, 0.0)
                kept = ops.split(saved[t], saved_size, axis=-1)
                d_projected, d_product, d_old = backward(kept, split(previous[t]), split(passing))
                d_hidden = ops.matmul(d_product, transposed)
                d_old[0] = d_old[0] + (d_hidden * dropout if dropped else d_hidden)
                d_old = ops.concatenate(d_old, axis=-1)
                if gated:
                    d_old = ops.where(mask[t] > 0, d_old, arriving)
                d_both = ops.concatenate([d_projected, d_product], axis=-1)
                return [[d_old, d_product if shared else d_both]] * 2

            carry = [ops.zeros_like(initial), _zeros(initial, width if shared else 2 * width)]
            (d_initial, _), (_, d_both) = ops.scan(step_back, carry, times, reverse=True)
            d_projected, d_product = d_both[..., :width], d_both[..., -width:]
            hidden = previous[..., :units] * dropout if dropped else previous[..., :units]
            hidden = ops.reshape(hidden, (-1, units))
            d_kernel = ops.matmul(ops.transpose(hidden), ops.reshape(d_product, (-1, width)))
            gradients = d_projected, d_initial, d_kernel, ops.sum(d_product, axis=(0, 1))
            return (
                *map(differentiable_once, gradients),
                ops.zeros_like(dropout),
                ops.zeros_like(mask),
            )

        return states, gradient

    return run
