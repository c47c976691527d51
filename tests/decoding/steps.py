"""Fake step functions and references for the tests of decoding."""

import itertools

import numpy as np
from keras import ops

LETTERS = ".abcdefghijklmnopqrstuvwxyz"
END = 0
PERIOD = 10


def speller(words, sharpness=50.0):
    """A step function that spells one word a row, whatever it is fed, and its state.

    The state is a dict of the letters of each row `(batch, time)` and of its place `(batch,)`.
    """
    longest = max(map(len, words)) + 1
    letters = [[LETTERS.index(c) for c in word.ljust(longest, ".")] for word in words]
    state = {
        "letters": np.array(letters, "int32"),
        "place": np.zeros(len(words), "int32"),
    }

    def step(ids, state):
        here = np.arange(longest) == state["place"][:, None]
        letter = ops.sum(ops.where(here, state["letters"], 0), axis=1)
        logits = ops.cast(letter[:, None] == np.arange(len(LETTERS)), "float32") * sharpness
        return logits, {"letters": state["letters"], "place": state["place"] + 1}

    return step, state, np.zeros(len(words), "int32")


def read(decoded):
    """The words that were spelled, up to the end id."""
    return [
        "".join(LETTERS[i] for i in row[:length]).rstrip(".")
        for row, length in zip(numpy(decoded.ids), numpy(decoded.lengths), strict=True)
    ]


def markov(rows, vocabulary, seed, spread=1.5, source=None):
    """Random tables, a step function that reads them, its state and start ids.

    `tables[row, time % PERIOD, id before last, last id]` are the logits; without the time, two
    orders of the same transitions would tie. The state is a tuple of the place in the first two
    axes and the id before the last. With `source`, alignments depend on the last id.
    """
    random = np.random.default_rng(seed)
    shape = (rows, PERIOD, vocabulary, vocabulary, vocabulary)
    tables = random.normal(0, spread, shape).astype("float32")
    step = table_step(tables)
    state = (np.arange(rows, dtype="int32") * PERIOD, np.zeros(rows, "int32"))
    start = random.integers(0, vocabulary, rows).astype("int32")
    if source is None:
        return tables, step, state, start
    alignments = random.dirichlet(np.ones(source) / 2, (rows, vocabulary)).astype("float32")

    def attentive(ids, state):
        row = state[0] // PERIOD * vocabulary + ids
        logits, state = step(ids, state)
        return logits, state, ops.take(np.reshape(alignments, (-1, source)), row, axis=0)

    return tables, alignments, attentive, state, start


def table_step(tables):
    vocabulary = tables.shape[-1]
    flat = np.reshape(tables, (-1, vocabulary))

    def step(ids, state):
        time, previous = state
        place = (time * vocabulary + previous) * vocabulary + ids
        time = time - time % PERIOD + (time + 1) % PERIOD
        return ops.take(flat, place, axis=0), (time, ids)

    return step


def log_softmax(logits):
    logits = logits.astype("float64")
    shifted = logits - logits.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


def walk(table, start, ids):
    """Log-probabilities of the ids of one row under its table, one by one."""
    logs = log_softmax(table)
    path = [0, start, *ids]
    return [logs[i % PERIOD, path[i], path[i + 1], path[i + 2]] for i in range(len(ids))]


def hypotheses(vocabulary, max_length, end=END):
    """Everything that can be decoded: with the end id at the end, or of the maximum length."""
    others = [i for i in range(vocabulary) if i != end]
    for length in range(1, max_length + 1):
        for head in itertools.product(others, repeat=length - 1):
            yield (*head, end)
            if length == max_length:
                yield from ((*head, last) for last in others)


def exhaustive(table, start, max_length, penalty=lambda n: 1.0, bonus=lambda ids: 0.0):
    """All (score, ids) of one row, best first."""
    found = [
        (sum(walk(table, start, ids)) / penalty(len(ids)) + bonus(ids), ids)
        for ids in hypotheses(table.shape[-1], max_length)
    ]
    return sorted(found, key=lambda pair: -pair[0])


def plain_beam_search(
    table, start, max_length, num_beams, penalty=lambda n: 1.0, min_length=0, banned=(), eager=False
):
    """Beam search on one row as a list of hypotheses, without an early finish unless `eager`."""
    logs = log_softmax(table)
    live, finished = [(0.0, ())], []
    for length in range(1, max_length + 1):
        continuations = []
        for place, (score, ids) in enumerate(live):
            path = [0, start, *ids]
            for new in range(table.shape[-1]):
                if new in banned or (new == END and length < min_length):
                    continue
                total = score + logs[length - 1, path[-2], path[-1], new]
                continuations.append((-total, place, new, (*ids, new)))
        continuations.sort()
        for minus, _, new, ids in continuations[:num_beams]:
            if new == END or length == max_length:
                finished.append((-minus / penalty(length), ids))
        finished.sort(key=lambda pair: -pair[0])
        live = [(-minus, ids) for minus, _, new, ids in continuations if new != END][:num_beams]
        if eager and len(finished) >= num_beams:
            break
    return finished[:num_beams]


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


def rows_of(decoded):
    """Per row the list of (score, ids) of a beam search, without the empty places."""
    ids, lengths, scores = map(numpy, decoded[:3])
    return [
        [
            (float(scores[b, k]), tuple(ids[b, k, : lengths[b, k]].tolist()))
            for k in range(ids.shape[1])
            if lengths[b, k]
        ]
        for b in range(ids.shape[0])
    ]
