"""NumPy references of the cells beyond Keras's: one step of one row, weights by name."""

import numpy as np

from tests.layers.references import sigmoid


def relu(x):
    return x * (x > 0)


def normalize(x):
    """Mean zero and variance one over the last axis."""
    return (x - x.mean()) / np.sqrt(((x - x.mean()) ** 2).mean() + 1e-5)


def columns(matrix, count):
    """Cuts a matrix or a vector into blocks of columns."""
    width = matrix.shape[-1] // count
    return [matrix[..., k * width : (k + 1) * width] for k in range(count)]


def gates(x, hidden, w, count):
    """The sums of the gates, one matrix product each."""
    names = ("kernel", "recurrent_kernel", "bias")
    blocks = zip(*(columns(w[name], count) for name in names), strict=True)
    return [x @ kernel + hidden @ recurrent + bias for kernel, recurrent, bias in blocks]


def lstm(x, w, state):
    hidden, carry = state
    i, f, g, o = gates(x, hidden, w, 4)
    carry = sigmoid(f) * carry + sigmoid(i) * np.tanh(g)
    hidden = sigmoid(o) * np.tanh(carry)
    return hidden, [hidden, carry]


def peephole_lstm(x, w, state):
    hidden, carry = state
    i, f, g, o = gates(x, hidden, w, 4)
    p_i, p_f, p_o = w["peephole"]
    new = sigmoid(f + p_f * carry) * carry + sigmoid(i + p_i * carry) * np.tanh(g)
    hidden = sigmoid(o + p_o * new) * np.tanh(new)
    return hidden, [hidden, new]


def coupled_lstm(x, w, state):
    hidden, carry = state
    f, g, o = gates(x, hidden, w, 3)
    carry = sigmoid(f) * carry + sigmoid(-f) * np.tanh(g)
    hidden = sigmoid(o) * np.tanh(carry)
    return hidden, [hidden, carry]


def projected_lstm(x, w, state):
    output, carry = state
    i, f, g, o = gates(x, output, w, 4)
    carry = sigmoid(f) * carry + sigmoid(i) * np.tanh(g)
    output = (sigmoid(o) * np.tanh(carry)) @ w["projection"]
    return output, [output, carry]


def layer_norm_lstm(x, w, state):
    hidden, carry = state
    total = w["gain"] * normalize(x @ w["kernel"]) + w["bias"]
    total = total + w["recurrent_gain"] * normalize(hidden @ w["recurrent_kernel"])
    i, f, g, o = columns(total, 4)
    carry = sigmoid(f) * carry + sigmoid(i) * np.tanh(g)
    hidden = sigmoid(o) * np.tanh(w["carry_gain"] * normalize(carry) + w["carry_bias"])
    return hidden, [hidden, carry]


def layer_norm_rnn(x, w, state):
    total = normalize(x @ w["kernel"] + state[0] @ w["recurrent_kernel"])
    hidden = np.tanh(w["gain"] * total + w["bias"])
    return hidden, [hidden]


def zoneout_lstm(x, w, state):
    """Rates 0.2 for h and 0.4 for c, in expectation."""
    hidden, carry = state
    i, f, g, o = gates(x, hidden, w, 4)
    new_carry = sigmoid(f) * carry + sigmoid(i) * np.tanh(g)
    new_hidden = sigmoid(o) * np.tanh(new_carry)
    hidden = 0.2 * hidden + 0.8 * new_hidden
    return hidden, [hidden, 0.4 * carry + 0.6 * new_carry]


def zoneout_sru(x, w, state):
    """Rate 0.3, in expectation; the output is read from the state before it is held."""
    (carry,) = state
    parts = columns(x @ w["kernel"], w["kernel"].shape[1] // len(carry))
    b_f, b_r = columns(w["bias"], 2)
    forget, reset = sigmoid(parts[1] + b_f), sigmoid(parts[2] + b_r)
    new = forget * carry + (1 - forget) * parts[0]
    highway = parts[3] if len(parts) == 4 else x
    return reset * new + (1 - reset) * np.sqrt(3) * highway, [0.3 * carry + 0.7 * new]


def mgu(x, w, state):
    (hidden,) = state
    forget = sigmoid(gates(x, hidden, w, 2)[0])
    candidate = np.tanh(gates(x, forget * hidden, w, 2)[1])
    hidden = (1 - forget) * hidden + forget * candidate
    return hidden, [hidden]


def ligru(x, w, state):
    (hidden,) = state
    spread = np.sqrt(w["moving_variance"] + 1e-3)
    inputs = w["gamma"] * (x @ w["kernel"] - w["moving_mean"]) / spread + w["beta"]
    z, n = columns(inputs + hidden @ w["recurrent_kernel"], 2)
    hidden = sigmoid(z) * hidden + (1 - sigmoid(z)) * relu(n)
    return hidden, [hidden]


def janet(x, w, state):
    """Beta is 0.7."""
    (hidden,) = state
    s, g = gates(x, hidden, w, 2)
    hidden = sigmoid(s) * hidden + (1 - sigmoid(s - 0.7)) * np.tanh(g)
    return hidden, [hidden]


def nas(x, w, state):
    hidden, carry = state
    inputs = columns(x @ w["kernel"] + w["bias"], 8)
    past = columns(hidden @ w["recurrent_kernel"], 8)
    first = [a + b for a, b in zip(inputs, past, strict=True)]
    first[3] = inputs[3] * past[3]
    kinds = (sigmoid, relu, sigmoid, relu, np.tanh, sigmoid, np.tanh, sigmoid)
    first = [kind(total) for kind, total in zip(kinds, first, strict=True)]
    second = [
        np.tanh(first[0] * first[1]),
        np.tanh(first[2] + first[3]),
        np.tanh(first[4] * first[5]),
        sigmoid(first[6] + first[7]),
    ]
    carry = np.tanh(second[0] + carry) * second[1]
    hidden = np.tanh(carry * np.tanh(second[2] + second[3]))
    return hidden, [hidden, carry]


def min_gru(x, w, state):
    z, n = columns(x @ w["kernel"] + w["bias"], 2)
    hidden = (1 - sigmoid(z)) * state[0] + sigmoid(z) * n
    return hidden, [hidden]


def min_lstm(x, w, state):
    f, i, n = columns(x @ w["kernel"] + w["bias"], 3)
    total = sigmoid(f) + sigmoid(i)
    hidden = sigmoid(f) / total * state[0] + sigmoid(i) / total * n
    return hidden, [hidden]


def rg_lru(x, w, state):
    units = len(state[0])
    parts = columns(x @ w["kernel"], w["kernel"].shape[1] // units)
    b_a, b_x = columns(w["bias"], 2)
    decay = sigmoid(w["decay_logit"]) ** (8 * sigmoid(parts[0] + b_a))
    values = parts[2] if len(parts) == 3 else x
    update = np.sqrt(1 - decay**2) * sigmoid(parts[1] + b_x) * values
    hidden = decay * state[0] + update
    return hidden, [hidden]


def _pool(parts, carry, pooling):
    z, f = np.tanh(parts[0]), sigmoid(parts[1])
    i = sigmoid(parts[3]) if pooling == "ifo" else 1 - f
    carry = f * carry + i * z
    return (carry if pooling == "f" else sigmoid(parts[2]) * carry), carry


def qrnn(pooling):
    def step(x, w, state):
        blocks = {"f": 2, "fo": 3, "ifo": 4}[pooling]
        output, carry = _pool(columns(x @ w["kernel"] + w["bias"], blocks), state[0], pooling)
        return output, [carry]

    return step


def windowed_qrnn_ifo(x, w, state):
    """Window 3: the state holds what past inputs add to this step and to the next."""
    carry, sums = state
    soon, later = columns(sums, 2)
    output, carry = _pool(columns(x @ w["kernel"][0] + w["bias"] + soon, 4), carry, "ifo")
    sums = np.concatenate([later + x @ w["kernel"][1], x @ w["kernel"][2]])
    return output, [carry, sums]


def peephole_sru(x, w, state):
    """Highway bias zero."""
    (carry,) = state
    parts = columns(x @ w["kernel"], w["kernel"].shape[1] // len(carry))
    b_f, b_r = columns(w["bias"], 2)
    v_f, v_r = w["peephole"]
    forget = sigmoid(parts[1] + b_f + v_f * carry)
    reset = sigmoid(parts[2] + b_r + v_r * carry)
    carry = forget * carry + (1 - forget) * parts[0]
    highway = parts[3] if len(parts) == 4 else x
    return reset * carry + (1 - reset) * np.sqrt(3) * highway, [carry]


def ind_rnn(x, w, state):
    hidden = relu(x @ w["kernel"] + w["bias"] + np.diag(w["recurrent_kernel"]) @ state[0])
    return hidden, [hidden]


def irnn(x, w, state):
    hidden = relu(gates(x, state[0], w, 1)[0])
    return hidden, [hidden]


def fast_rnn(x, w, state):
    new = np.tanh(gates(x, state[0], w, 1)[0])
    hidden = sigmoid(w["beta"]) * state[0] + sigmoid(w["alpha"]) * new
    return hidden, [hidden]


def jordan(x, w, state):
    hidden = np.tanh(gates(x, state[0], w, 1)[0])
    output = np.tanh(hidden @ w["output_kernel"] + w["output_bias"])
    return output, [output]


def echo_state(x, w, state):
    """Leak 0.3."""
    hidden = 0.7 * state[0] + 0.3 * np.tanh(gates(x, state[0], w, 1)[0])
    return hidden, [hidden]
