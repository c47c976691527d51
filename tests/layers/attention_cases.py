"""Every attention with its reference, and decoders made of them."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from keras import ops

from kzoo.layers import (
    AttentionCell,
    BahdanauAttention,
    CoverageAttention,
    GRUCell,
    LocationSensitiveAttention,
    LSTMCell,
    LuongAttention,
    LuongLocalMonotonicAttention,
    LuongLocalPredictiveAttention,
    MonotonicBahdanauAttention,
    MonotonicLuongAttention,
    Recurrent,
)
from tests.layers import attention_references as references
from tests.layers.references import STEPS
from tests.weights import randomize

BATCH, TIME, SOURCE, FEATURES, UNITS, VALUE_SIZE, LAYER_SIZE = 4, 6, 7, 3, 5, 4, 6
CELLS = {"gru": GRUCell, "lstm": LSTMCell}

# Right-padded, full, empty, and with a hole in the middle.
MASK = np.arange(TIME)[None] < np.array([TIME, 3, 0, TIME])[:, None]
MASK[3, 2:4] = False
# Empty, full, right-padded, and padded on both sides.
MEMORY_MASK = np.arange(SOURCE)[None] < np.array([0, SOURCE, 4, SOURCE - 1])[:, None]
MEMORY_MASK[3, 0] = False


@dataclass(frozen=True)
class Case:
    """One attention under test.

    Attributes:
        make: Makes it from the width of the query and layer options.
        reference: The same in NumPy.
        training: Whether the driver is called as in training.
    """

    make: Callable
    reference: Callable
    training: bool = False

    def value_size(self, units=UNITS):
        """Width of the memory, which the score "dot" fixes."""
        return units if self is CASES["luong_dot"] else VALUE_SIZE


def case(layer, reference, own_units=False, training=False, **arguments):
    """A case whose attention is as wide as the query, or one wider with `own_units`."""
    return Case(
        lambda units, **options: layer(units + own_units, **arguments, **options),
        reference,
        training,
    )


ADDITIVE = references.plain(references.additive_score)
LUONG = references.plain(references.luong_score)

CASES = {
    "bahdanau": case(BahdanauAttention, ADDITIVE, True),
    "bahdanau_normalized": case(BahdanauAttention, ADDITIVE, True, normalize=True),
    "luong_dot": case(LuongAttention, LUONG, score="dot"),
    "luong_general": case(LuongAttention, LUONG),
    "luong_general_scaled": case(LuongAttention, LUONG, scaled=True),
    "luong_concat": case(LuongAttention, LUONG, True, score="concat", scaled=True),
    "luong_local_monotonic": case(LuongLocalMonotonicAttention, references.local(2), half_window=2),
    "luong_local_predictive": case(
        LuongLocalPredictiveAttention,
        references.local(3, predictive=True),
        True,
        score="concat",
        half_window=3,
    ),
    "location_sensitive": case(
        LocationSensitiveAttention,
        references.location_sensitive(cumulative=False),
        True,
        filters=3,
        kernel_size=5,
    ),
    # An even filter, whose middle lies to the left.
    "location_sensitive_cumulative": case(
        LocationSensitiveAttention,
        references.location_sensitive(cumulative=True),
        True,
        filters=2,
        kernel_size=4,
        cumulative=True,
        normalize=True,
    ),
    "coverage": case(CoverageAttention, references.coverage, True),
    "monotonic_bahdanau": case(
        MonotonicBahdanauAttention,
        references.monotonic(references.additive_score, hard=True),
        True,
    ),
    "monotonic_luong": case(
        MonotonicLuongAttention, references.monotonic(references.luong_score, hard=True)
    ),
    "monotonic_bahdanau_in_training": case(
        MonotonicBahdanauAttention,
        references.monotonic(references.additive_score, hard=False),
        True,
        training=True,
        sigmoid_noise=0.0,
    ),
    "monotonic_luong_in_training": case(
        MonotonicLuongAttention,
        references.monotonic(references.luong_score, hard=False),
        training=True,
        sigmoid_noise=0.0,
    ),
}


def draw(*shape, seed=0):
    """Returns normal floats."""
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def make_cell(name, units=UNITS, cell="gru", layer_size=LAYER_SIZE, feeding=True, **options):
    """Returns an `AttentionCell`; `options` are those of every layer in it."""
    attention = CASES[name].make(units, **options)
    inner = CELLS[cell](units, **options)
    return AttentionCell(inner, attention, layer_size, input_feeding=feeding, **options)


def make_decoder(name, units=UNITS, features=FEATURES, return_state=False, **arguments):
    """Returns a built driver with random weights that gives all outputs."""
    cell = make_cell(name, units, **arguments)
    layer = Recurrent(cell, return_sequences=True, return_state=return_state)
    shape = (None, None, CASES[name].value_size(units))
    layer.build((None, None, features), memory_shape=shape)
    layer.built = True
    return randomize(layer)


def take_weights(cell, arrays=None):
    """Returns the weights of an `AttentionCell` as `references.decode` takes them.

    Args:
        cell: The cell.
        arrays: Dict of other arrays in their place, by weight path.
    """
    arrays = arrays or {w.path: ops.convert_to_numpy(w).astype("float64") for w in cell.weights}
    output = cell.attention_layer_size and arrays[cell.output_kernel.path]
    return {
        "cell": [arrays[w.path] for w in cell.cell.weights],
        "attention": {w.name: arrays[w.path] for w in cell.attention.trainable_weights},
        "output": output,
    }


def run_reference(name, cell, weights, x, memory, state, mask, memory_mask, zero_output=False):
    """Runs the reference of a decoder over a batch; returns outputs and the cell's states."""
    step = STEPS["lstm" if isinstance(cell.cell, LSTMCell) else "gru"]
    rows = [
        references.decode(
            step,
            CASES[name].reference,
            weights,
            x[row],
            memory[row][memory_mask[row]],
            [s[row] for s in state],
            mask[row],
            cell.input_feeding,
            zero_output,
        )
        for row in range(len(x))
    ]
    outputs, states = zip(*rows, strict=True)
    return np.array(outputs), [np.array(s) for s in zip(*states, strict=True)]
