"""Training steps of a Transformer's encoder beside KerasHub's and PyTorch's, in one run.

    python -m benchmarks.encoder_training [--seconds 6]

prints the median milliseconds of a step: forward, backward and Adam's update of a stack of blocks
(post-normalized, GELU, dropout 0.1) with a dense head, on two threads. The Keras models run
through `train_on_batch`, as a graph and compiled by XLA.
"""

from dataclasses import dataclass
from typing import NamedTuple

import keras
import keras_hub
import numpy as np
import torch
import tyro

from benchmarks.race import race
from benchmarks.recurrent_report import table
from kzoo.layers import FeedForward, MultiHeadAttention, TransformerEncoderBlock

DROPOUT = 0.1


class Size(NamedTuple):
    """Sizes of a stack of blocks and of its inputs."""

    num_layers: int
    width: int
    num_heads: int
    hidden_dim: int
    batch: int
    time: int


# BERT-mini's and MiniLM's widths.
SIZES = [
    *(Size(4, 256, 4, 1024, batch, time) for batch, time in ((8, 32), (32, 32), (32, 128))),
    *(Size(6, 384, 12, 1536, batch, time) for batch, time in ((8, 32), (32, 32), (8, 128))),
]


@dataclass
class Knobs:
    """What can be set from the command line."""

    seconds: float = 6.0  # How long the libraries take turns at each size.


def main(knobs):
    """Prints the table."""
    torch.set_num_threads(2)
    rows = []
    for size in SIZES:
        times = race(runners(size), knobs.seconds)
        rows.append(row(size, times))
        print(rows[-1], flush=True)
    print(table(rows))


def row(size, times):
    """Returns a row of the table; the ratios are those of the better way of each library."""
    best = {}
    for name, milliseconds in times.items():
        library = name.split()[0]
        best[library] = min(milliseconds, best.get(library, milliseconds))
    return {
        "size": ",".join(map(str, size[:4])),
        "batch": f"{size.batch} of {size.time}",
        **{name: f"{milliseconds:.1f}" for name, milliseconds in times.items()},
        **{f"to {name}": f"{best[name] / best['kzoo']:.2f}" for name in ("KerasHub", "PyTorch")},
    }


def runners(size):
    """Returns by name the functions that take one training step each."""
    rng = np.random.default_rng(0)
    inputs = rng.normal(size=(size.batch, size.time, size.width)).astype("float32")
    targets = rng.normal(size=(size.batch, size.time, 1)).astype("float32")

    def keras_step(block, jit):
        sequence = keras.Input((None, size.width))
        outputs = sequence
        for _ in range(size.num_layers):
            outputs = block()(outputs)
        model = keras.Model(sequence, keras.layers.Dense(1)(outputs))
        model.compile("adam", "mse", jit_compile=jit)
        return lambda: model.train_on_batch(inputs, targets)

    def kzoo_block():
        attention = MultiHeadAttention(
            size.num_heads, size.width // size.num_heads, dropout=DROPOUT
        )
        feed_forward = FeedForward(size.hidden_dim, "gelu")
        return TransformerEncoderBlock(attention, feed_forward, dropout=DROPOUT)

    def hub_block():
        options = dict(activation="gelu", dropout=DROPOUT)
        return keras_hub.layers.TransformerEncoder(size.hidden_dim, size.num_heads, **options)

    return {
        "kzoo graph": keras_step(kzoo_block, False),
        "kzoo XLA": keras_step(kzoo_block, True),
        "KerasHub graph": keras_step(hub_block, False),
        "KerasHub XLA": keras_step(hub_block, True),
        "PyTorch": torch_step(size, inputs, targets),
    }


def torch_step(size, inputs, targets):
    """Returns a function that takes one training step with Adam in PyTorch."""
    options = dict(dropout=DROPOUT, activation="gelu", batch_first=True)
    block = torch.nn.TransformerEncoderLayer(size.width, size.num_heads, size.hidden_dim, **options)
    model = torch.nn.Sequential(
        torch.nn.TransformerEncoder(block, size.num_layers), torch.nn.Linear(size.width, 1)
    )
    optimizer = torch.optim.Adam(model.parameters())
    inputs, targets = torch.tensor(inputs), torch.tensor(targets)

    def step():
        optimizer.zero_grad()
        torch.nn.functional.mse_loss(model(inputs), targets).backward()
        optimizer.step()

    return step


if __name__ == "__main__":
    main(tyro.cli(Knobs, description=__doc__))
