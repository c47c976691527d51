"""What the layer tests share: the cells under test and inputs that no symmetry can hide behind."""

import keras
import numpy as np

from kzoo.layers import CELLS, Recurrent
from tests.weights import randomize

BATCH, TIME, FEATURES, UNITS = 4, 21, 3, 5

CELL_CASES = {
    "simple_rnn": ("simple_rnn", {}),
    "lstm": ("lstm", {}),
    "gru_reset_after": ("gru", {"reset_after": True}),
    "gru_reset_before": ("gru", {"reset_after": False}),
    "sru": ("sru", {}),
}

# Right-padded, full, empty, and with a hole in the middle.
MASK = np.arange(TIME)[None] < np.array([TIME, 13, 0, TIME])[:, None]
MASK[3, 5:9] = False


def inputs(features=FEATURES, seed=0):
    """Returns `(BATCH, TIME, features)` normal floats."""
    return np.random.default_rng(seed).normal(size=(BATCH, TIME, features)).astype("float32")


def predict(layer, x):
    """Returns what a layer gives as a program; eager loops of many steps take long."""
    model = keras.Sequential([keras.Input(x.shape[1:]), layer])
    model.jit_compile = keras.backend.backend() == "jax"
    return model.predict_on_batch(x)


def make(case, units=UNITS, features=FEATURES, **options):
    """Returns a built `Recurrent` of a case with random weights."""
    name, arguments = CELL_CASES[case]
    layer = Recurrent(CELLS[name](units, **arguments), **options)
    layer.build((None, None, features))
    layer.built = True
    return randomize(layer)
