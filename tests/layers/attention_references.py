"""Attentions in NumPy: one row without its padding, one step and one position at a time.

An attention is a function `(weights, query, values, state)`, with its weights by name and its state
None before the first step, that returns the alignments and the new state.
"""

import numpy as np

from tests.layers.references import sigmoid


def softmax(scores):
    exponentials = [np.exp(score - max(scores)) for score in scores]
    return np.array([one / sum(exponentials) for one in exponentials])


def additive_score(weights, query, value, more=0.0):
    vector = weights["score_vector"][:, 0]
    if "gain" in weights:
        vector = weights["gain"] * vector / np.sqrt((vector**2).sum())
    hidden = query @ weights["query_kernel"] + value @ weights["memory_kernel"] + weights["bias"]
    return vector @ np.tanh(hidden + more)


def luong_score(weights, query, value):
    if "score_vector" in weights:
        joined = np.concatenate([query, value])
        kernel = np.concatenate([weights["query_kernel"], weights["memory_kernel"]])
        score = weights["score_vector"][:, 0] @ np.tanh(joined @ kernel)
    elif "memory_kernel" in weights:
        score = query @ (value @ weights["memory_kernel"])
    else:
        score = query @ value
    return weights.get("scale", 1.0) * score


def plain(score):
    """Attention without a state."""

    def align(weights, query, values, state):
        return softmax([score(weights, query, value) for value in values]), state

    return align


def local(half_window, predictive=False):
    """Local attention: scores are gathered within the window, and spread again."""

    def align(weights, query, values, state):
        step, length = state or 0, len(values)
        center = min(step, length - 1)
        if predictive:
            hidden = np.tanh(query @ weights["position_kernel"])
            center = length * sigmoid(hidden @ weights["position_vector"][:, 0])
        low, high = np.ceil(center - half_window), np.floor(center + half_window)
        window = range(int(max(low, 0)), int(min(high, length - 1)) + 1)
        alignments = np.zeros(length)
        shares = softmax([luong_score(weights, query, values[j]) for j in window])
        for j, share in zip(window, shares, strict=True):
            deviation = half_window / 2
            gaussian = np.exp(-((j - center) ** 2) / (2 * deviation**2)) if predictive else 1
            alignments[j] = share * gaussian
        return alignments, step + 1

    return align


def location_sensitive(cumulative):
    """The convolution tap by tap."""

    def align(weights, query, values, state):
        past = np.zeros(len(values)) if state is None else state
        filters = weights["location_filters"][:, 0]
        scores = []
        for j, value in enumerate(values):
            features = np.zeros(filters.shape[1])
            for tap in range(len(filters)):
                k = j + tap - (len(filters) - 1) // 2
                if 0 <= k < len(values):
                    features += past[k] * filters[tap]
            located = features @ weights["location_kernel"]
            scores.append(additive_score(weights, query, value, located))
        alignments = softmax(scores)
        return alignments, past + alignments if cumulative else alignments

    return align


def coverage(weights, query, values, state):
    covered = np.zeros(len(values)) if state is None else state
    vector = weights["coverage_vector"][0]
    scores = [
        additive_score(weights, query, value, covered[j] * vector) for j, value in enumerate(values)
    ]
    alignments = softmax(scores)
    return alignments, covered + alignments


def monotonic(score, hard):
    """A reader from left to right: where it stops, or the probabilities of its stops."""

    def align(weights, query, values, state):
        previous = np.eye(len(values))[0] if state is None else state
        alignments, arrived = np.zeros(len(values)), 0.0
        for j, value in enumerate(values):
            stops = sigmoid(score(weights, query, value) + weights["score_bias"])
            arrived += previous[j]
            if hard:
                stops = float(stops >= 0.5)
            alignments[j] = stops * arrived
            arrived *= 1 - stops
        return alignments, alignments

    return align


def decode(cell_step, align, weights, x, values, state, mask, input_feeding, zero_output):
    """Runs the decoder over one row.

    Args:
        weights: Dict of "cell", a list; "attention", a dict; "output", a matrix or None.
        x: `(time, features)`.
        values: The memory without its padding; it may be empty.
        state: List of the cell's first states.
        mask: `(time,)`.

    Returns:
        `(outputs, cell state)`.
    """
    output_size = state[0].shape[0] + values.shape[1]
    if weights["output"] is not None:
        output_size = weights["output"].shape[1]
    fed, shown, memory_state, outputs = np.zeros(output_size), np.zeros(output_size), None, []
    for x_t, counts in zip(x, mask, strict=True):
        if counts:
            inputs = np.concatenate([x_t, fed]) if input_feeding else x_t
            query, state = cell_step(inputs, weights["cell"], state)
            context = np.zeros(values.shape[1])
            if len(values):
                alignments, memory_state = align(weights["attention"], query, values, memory_state)
                for alignment, value in zip(alignments, values, strict=True):
                    context = context + alignment * value
            fed = np.concatenate([query, context])
            if weights["output"] is not None:
                fed = np.tanh(fed @ weights["output"])
            shown = fed
        elif zero_output:
            outputs.append(np.zeros(output_size))
            continue
        outputs.append(shown)
    return np.array(outputs), state
