"""BERT in NumPy, from the tensors that a folder of Hugging Face holds, and such folders."""

import json
import math

import numpy as np
from safetensors.numpy import save_file

SIZE, HEADS, HIDDEN, LAYERS, VOCABULARY, LENGTH, CLASSES = 8, 2, 12, 2, 30, 16, 3
EPSILON = 1e-3
CONFIG = {
    "architectures": ["BertModel"],
    "model_type": "bert",
    "attention_probs_dropout_prob": 0.1,
    "hidden_act": "gelu",
    "hidden_dropout_prob": 0.2,
    "hidden_size": SIZE,
    "intermediate_size": HIDDEN,
    "layer_norm_eps": EPSILON,
    "max_position_embeddings": LENGTH,
    "num_attention_heads": HEADS,
    "num_hidden_layers": LAYERS,
    "type_vocab_size": 2,
    "vocab_size": VOCABULARY,
}


def random_tensors():
    """Returns the tensors of an encoder with every head, by name; none is symmetric."""
    shapes = {
        "bert.embeddings.word_embeddings.weight": (VOCABULARY, SIZE),
        "bert.embeddings.position_embeddings.weight": (LENGTH, SIZE),
        "bert.embeddings.token_type_embeddings.weight": (2, SIZE),
        "cls.predictions.bias": (VOCABULARY,),
        **_norm("bert.embeddings.LayerNorm"),
        **_dense("bert.pooler.dense", SIZE, SIZE),
        **_dense("cls.predictions.transform.dense", SIZE, SIZE),
        **_norm("cls.predictions.transform.LayerNorm"),
        **_dense("cls.seq_relationship", SIZE, 2),
    }
    for index in range(LAYERS):
        layer = f"bert.encoder.layer.{index}"
        for name in ("self.query", "self.key", "self.value", "output.dense"):
            shapes |= _dense(f"{layer}.attention.{name}", SIZE, SIZE)
        shapes |= _norm(f"{layer}.attention.output.LayerNorm")
        shapes |= _dense(f"{layer}.intermediate.dense", SIZE, HIDDEN)
        shapes |= _dense(f"{layer}.output.dense", HIDDEN, SIZE)
        shapes |= _norm(f"{layer}.output.LayerNorm")
    rng = np.random.default_rng(5)
    return {
        name: rng.normal(0.1, 0.5, size=shape).astype("float32") for name, shape in shapes.items()
    }


def random_head(name, outputs):
    """Returns the tensors of one more dense head."""
    rng = np.random.default_rng(6)
    return {
        key: rng.normal(size=shape).astype("float32")
        for key, shape in _dense(name, SIZE, outputs).items()
    }


def write_folder(folder, tensors, **changes):
    """Writes a folder as Hugging Face does."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps({**CONFIG, **changes}))
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})


def encode(tensors, ids, mask, segment_ids):
    """Returns the sequence and the pooled vector."""
    t = {name.removeprefix("bert."): array.astype("float64") for name, array in tensors.items()}
    x = t["embeddings.word_embeddings.weight"][ids]
    x = x + t["embeddings.position_embeddings.weight"][: ids.shape[1]]
    x = x + t["embeddings.token_type_embeddings.weight"][segment_ids]
    x = normalize(t, "embeddings.LayerNorm", x)
    for index in range(LAYERS):
        layer = f"encoder.layer.{index}"
        attended = dense(
            t, f"{layer}.attention.output.dense", _attend(t, f"{layer}.attention.self", x, mask)
        )
        x = normalize(t, f"{layer}.attention.output.LayerNorm", x + attended)
        fed = dense(t, f"{layer}.output.dense", gelu(dense(t, f"{layer}.intermediate.dense", x)))
        x = normalize(t, f"{layer}.output.LayerNorm", x + fed)
    return x, np.tanh(dense(t, "pooler.dense", x[:, 0]))


def masked_language(tensors, sequence):
    """Returns the scores of the ids at steps of a sequence."""
    transform = "cls.predictions.transform"
    hidden = normalize(
        tensors, f"{transform}.LayerNorm", gelu(dense(tensors, f"{transform}.dense", sequence))
    )
    table = tensors["bert.embeddings.word_embeddings.weight"]
    return hidden @ table.T + tensors["cls.predictions.bias"]


def _attend(t, name, x, mask):
    outputs = np.zeros_like(x)
    queries, keys, values = (dense(t, f"{name}.{part}", x) for part in ("query", "key", "value"))
    for row in range(len(x)):
        seen = np.flatnonzero(mask[row])
        for head in np.split(np.arange(SIZE), HEADS):
            scores = queries[row][:, head] @ keys[row][seen][:, head].T / math.sqrt(len(head))
            weights = np.exp(scores - scores.max(-1, keepdims=True))
            weights /= weights.sum(-1, keepdims=True)
            outputs[row][:, head] = weights @ values[row][seen][:, head]
    return outputs


def dense(t, name, x):
    """Returns a dense layer's output; a matrix is (outputs, inputs)."""
    return x @ t[f"{name}.weight"].T + t[f"{name}.bias"]


def normalize(t, name, x):
    """Returns a layer normalization's output."""
    x = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + EPSILON)
    return x * t[f"{name}.weight"] + t[f"{name}.bias"]


def gelu(x):
    """Returns the exact Gaussian error linear unit."""
    return 0.5 * x * (1 + np.vectorize(math.erf)(x / math.sqrt(2)))


def _dense(name, inputs, outputs):
    return {f"{name}.weight": (outputs, inputs), f"{name}.bias": (outputs,)}


def _norm(name):
    return {f"{name}.weight": (SIZE,), f"{name}.bias": (SIZE,)}
