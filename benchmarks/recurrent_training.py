"""Times training steps: forward, backward and Adam's update of one layer and a dense head."""

import keras
import numpy as np

from benchmarks import peers
from benchmarks.race import race
from benchmarks.recurrent_files import KERAS_LAYERS
from kzoo.layers import CELLS, Recurrent

SECONDS = 4.0


def time_training(cell, size, batch):
    """Returns median milliseconds by library, on two threads.

    Args:
        cell: Name of kzoo's cell; beside "sru" run LSTMs.
        size: Inputs, units and time steps.
        batch: Batch size.
    """
    features, units, time_steps = size
    rng = np.random.default_rng(0)
    inputs = rng.normal(size=(batch, time_steps, features)).astype("float32")
    targets = rng.normal(size=(batch, 1)).astype("float32")

    def keras_step(layer, jit):
        sequence = keras.Input((None, features))
        model = keras.Model(sequence, keras.layers.Dense(1)(layer(sequence)))
        model.compile("adam", "mse", jit_compile=jit)
        return lambda: model.train_on_batch(inputs, targets)

    other = "lstm" if cell == "sru" else cell
    runners = {
        "kzoo": keras_step(Recurrent(CELLS[cell](units)), True),
        "Keras graph": keras_step(KERAS_LAYERS[other](units), False),
        "Keras XLA": keras_step(KERAS_LAYERS[other](units), True),
        "PyTorch": peers.torch_step(other, features, units, inputs, targets),
    }
    return race(runners, SECONDS)
