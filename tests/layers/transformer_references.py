"""Transformer layers in NumPy: one row at a time, without its padding, head by head."""

import math

import numpy as np
from keras import ops


def softmax(scores):
    """Softmax of a vector."""
    weights = np.exp(scores - scores.max())
    return weights / weights.sum()


def turn(x, position):
    """Rotary embedding of one vector: pairs as complex numbers, from Eq. 13 of Su et al. 2021."""
    half = len(x) // 2
    angles = position / 10000 ** (np.arange(half) / half)
    turned = (x[:half] + 1j * x[half:]) * np.exp(1j * angles)
    return np.concatenate([turned.real, turned.imag])


SLOPES = {4: [1 / 4, 1 / 16, 1 / 64, 1 / 256], 6: [1 / 4, 1 / 16, 1 / 64, 1 / 256, 1 / 2, 1 / 8]}


def attention(weights, config, x, memory=None):
    """Attention of `(time, features)` to itself or to a memory `(source, size)`."""
    memory = x if memory is None else memory
    heads, groups, size = (config[n] for n in ("num_heads", "num_key_value_heads", "head_dim"))
    queries, keys, values = (
        (rows @ weights[f"{name}/kernel"] + weights.get(f"{name}/bias", 0)).reshape(-1, count, size)
        for name, rows, count in (
            ("query", x, heads),
            ("key", memory, groups),
            ("value", memory, groups),
        )
    )
    context = np.zeros((len(x), heads, size))
    for t in range(len(x)):
        seen = range(t + 1) if config["causal"] else range(len(memory))
        for head in range(heads):
            shared = head * groups // heads
            query, scores = queries[t, head], []
            for s in seen:
                key, distance = keys[s, shared], 0
                if config["positions"] == "rotary":
                    key, query = turn(keys[s, shared], s), turn(queries[t, head], t)
                if config["positions"] == "alibi":
                    distance = SLOPES[heads][head] * abs(t - s)
                scores.append(query @ key / math.sqrt(size) - distance)
            if scores:
                context[t, head] = softmax(np.array(scores)) @ values[list(seen), shared]
    context = context.reshape(len(x), heads * size)
    return context @ weights["output/kernel"] + weights.get("output/bias", 0)


ACTIVATIONS = {
    "relu": lambda x: np.maximum(x, 0),
    "gelu": np.vectorize(lambda x: 0.5 * x * (1 + math.erf(x / math.sqrt(2))), otypes=[float]),
    "gelu_tanh": lambda x: 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))),
    "swiglu": lambda x: x / (1 + np.exp(-x)),
}


def feed_forward(weights, activation, x):
    """The feed-forward network of `(time, features)`."""
    hidden = ACTIVATIONS[activation](x @ weights["hidden/kernel"] + weights.get("hidden/bias", 0))
    if activation == "swiglu":
        hidden = hidden * (x @ weights["gate/kernel"] + weights.get("gate/bias", 0))
    return hidden @ weights["output/kernel"] + weights.get("output/bias", 0)


def normalize(weights, kind, x, epsilon=1e-5):
    """Normalization of `(time, features)`."""
    if kind == "layer_norm":
        x = x - x.mean(axis=1, keepdims=True)
    x = x / np.sqrt((x**2).mean(axis=1, keepdims=True) + epsilon)
    return x * weights.get("gamma", weights.get("scale")) + weights.get("beta", 0)


def arrays(layer):
    """The weights of a layer by the last two names of their paths, in float64."""
    return {
        "/".join(weight.path.split("/")[-2:]): ops.convert_to_numpy(weight).astype("float64")
        for weight in layer.weights
    }


def named(layer):
    """The weights of a layer without inner layers by their names, in float64."""
    return {weight.name: ops.convert_to_numpy(weight).astype("float64") for weight in layer.weights}


def block(layer, x, memory=None):
    """A block on `(time, features)` and an optional memory."""
    kind, first = layer.normalization, layer.normalize_first

    def around(x, norm, sublayer):
        norm = named(norm)
        if first:
            return x + sublayer(normalize(norm, kind, x))
        return normalize(norm, kind, x + sublayer(x))

    def attend(inner, *memory):
        return lambda x: attention(arrays(inner), inner.get_config(), x, *memory)

    x = around(x, layer.attention_normalization, attend(layer.attention))
    if memory is not None:
        x = around(x, layer.cross_normalization, attend(layer.cross_attention, memory))
    inner = layer.feed_forward
    return around(
        x,
        layer.feed_forward_normalization,
        lambda x: feed_forward(arrays(inner), inner.activation, x),
    )


def sinusoid(position, size):
    """One sinusoidal encoding, channel by channel."""
    return np.array(
        [
            (math.cos if i % 2 else math.sin)(position / 10000 ** ((i - i % 2) / size))
            for i in range(size)
        ]
    )


def draw(*shape, seed=0):
    """Returns normal floats."""
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


SOURCE = 7
# Empty, full, right-padded, and padded on both sides.
MEMORY_MASK = np.arange(SOURCE)[None] < np.array([0, SOURCE, 4, SOURCE - 1])[:, None]
MEMORY_MASK[3, 0] = False
