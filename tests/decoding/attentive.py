"""A tiny recurrent decoder with attention, with random weights, as a step function."""

import numpy as np
from keras import ops

UNITS, VOCABULARY = 16, 40
END, START = 1, 2

_random = np.random.default_rng(0)
EMBEDDING = _random.normal(0, 1, (VOCABULARY, UNITS)).astype("float32")
KERNEL, RECURRENT, CONTEXT = _random.normal(0, 0.4, (3, UNITS, UNITS)).astype("float32")
OUTPUT = _random.normal(0, 0.7, (UNITS, VOCABULARY)).astype("float32")


def sources(batch, time):
    """Random source vectors `(batch, time, UNITS)` and the mask of their different lengths."""
    random = np.random.default_rng(batch)
    memory = random.normal(0, 1, (batch, time, UNITS)).astype("float32")
    lengths = random.integers(1, time + 1, (batch, 1))
    return memory, np.arange(time) < lengths


def begin(memory, mask):
    """The first state and the start ids."""
    mask = ops.cast(mask, "float32")
    hidden = ops.sum(memory * ops.expand_dims(mask, -1), axis=1)
    start_ids = ops.cast(ops.sum(mask, axis=1) * 0, "int32") + START
    return {"hidden": hidden, "memory": memory, "mask": mask}, start_ids


def step(ids, state):
    """Returns `(logits, state)`."""
    return attentive_step(ids, state)[:2]


def attentive_step(ids, state):
    """Returns `(logits, state, alignments)`."""
    hidden, memory, mask = state["hidden"], state["memory"], state["mask"]
    scores = ops.sum(memory * ops.expand_dims(hidden, 1), axis=-1) - 1e4 * (1 - mask)
    alignments = ops.softmax(scores, axis=-1)
    context = ops.sum(memory * ops.expand_dims(alignments, -1), axis=1)
    hidden = ops.tanh(
        ops.matmul(ops.take(EMBEDDING, ids, axis=0), KERNEL)
        + ops.matmul(hidden, RECURRENT)
        + ops.matmul(context, CONTEXT)
    )
    logits = ops.matmul(hidden, OUTPUT)
    return logits, {"hidden": hidden, "memory": memory, "mask": mask}, alignments
