"""Independent NumPy references: plain loops, one row and one time step at a time."""

import numpy as np


def sigmoid(x):
    """The logistic function."""
    return 1 / (1 + np.exp(-x))


def simple_rnn(x, weights, state):
    """One step of Elman's recurrence for one row."""
    kernel, recurrent_kernel, bias = weights
    hidden = np.tanh(x @ kernel + bias + state[0] @ recurrent_kernel)
    return hidden, [hidden]


def lstm(x, weights, state):
    """One step of the LSTM for one row; gates one by one."""
    kernel, recurrent_kernel, bias = weights
    hidden, carry = state
    units = hidden.shape[0]

    def gate(index):
        columns = slice(index * units, (index + 1) * units)
        return x @ kernel[:, columns] + hidden @ recurrent_kernel[:, columns] + bias[columns]

    carry = sigmoid(gate(1)) * carry + sigmoid(gate(0)) * np.tanh(gate(2))
    hidden = sigmoid(gate(3)) * np.tanh(carry)
    return hidden, [hidden, carry]


def gru(x, weights, state):
    """One step of the GRU for one row; the shape of the bias tells the form."""
    kernel, recurrent_kernel, bias = weights
    (hidden,) = state
    units = hidden.shape[0]
    reset_after = bias.ndim == 2
    input_bias, recurrent_bias = bias if reset_after else (bias, np.zeros_like(bias))

    def columns(matrix, index):
        return matrix[..., index * units : (index + 1) * units]

    def inputs(index):
        return x @ columns(kernel, index) + columns(input_bias, index)

    def past(index, hidden):
        return hidden @ columns(recurrent_kernel, index) + columns(recurrent_bias, index)

    update = sigmoid(inputs(0) + past(0, hidden))
    reset = sigmoid(inputs(1) + past(1, hidden))
    if reset_after:
        candidate = np.tanh(inputs(2) + reset * past(2, hidden))
    else:
        candidate = np.tanh(inputs(2) + past(2, reset * hidden))
    hidden = update * hidden + (1 - update) * candidate
    return hidden, [hidden]


def sru(x, weights, state):
    """One step of the SRU for one row, `highway_bias` at its default of zero."""
    kernel, bias = weights
    (carry,) = state
    units = carry.shape[0]
    forget = sigmoid(x @ kernel[:, units : 2 * units] + bias[:units])
    reset = sigmoid(x @ kernel[:, 2 * units : 3 * units] + bias[units:])
    carry = forget * carry + (1 - forget) * (x @ kernel[:, :units])
    highway = x if kernel.shape[1] == 3 * units else x @ kernel[:, 3 * units :]
    hidden = reset * carry + (1 - reset) * highway * np.sqrt(3)
    return hidden, [carry]


STEPS = {"simple_rnn": simple_rnn, "lstm": lstm, "gru": gru, "sru": sru}


def run(name, x, weights, state, mask=None, **options):
    """Runs a cell of `STEPS` over a batch; see `run_step`."""
    return run_step(STEPS[name], x, weights, state, mask, **options)


def run_step(step, x, weights, state, mask=None, go_backwards=False, zero_output_for_mask=False):
    """Runs a step function over a batch row by row.

    Returns:
        `(outputs, state)`: `(batch, time, units)` in the order of the walk, and the final states.
    """
    outputs, finals = [], []
    for row in range(len(x)):
        row_state = [s[row] for s in state]
        output = np.zeros_like(row_state[0])
        row_outputs = []
        times = range(x.shape[1])
        for t in reversed(times) if go_backwards else times:
            if mask is None or mask[row, t]:
                output, row_state = step(x[row, t], weights, row_state)
                row_outputs.append(output)
            else:
                row_outputs.append(np.zeros_like(output) if zero_output_for_mask else output)
        outputs.append(row_outputs)
        finals.append(row_state)
    return np.array(outputs), [np.array(states) for states in zip(*finals, strict=True)]
