"""The cells beyond Keras's, each with its arguments, its reference and what it owns."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from keras import layers, ops

from kzoo.layers import CELLS, KerasCell, LSTMCell, Recurrent, SRUCell, ZoneoutCell
from tests.layers import cell_references as references
from tests.layers.grid import FEATURES, UNITS
from tests.weights import randomize


def zoneout_lstm(units, **options):
    return ZoneoutCell(LSTMCell(units, **options), rate=[0.2, 0.4], **options)


def zoneout_sru(units, **options):
    return ZoneoutCell(SRUCell(units, **options), rate=0.3, **options)


def keras_lstm(units, **options):
    return KerasCell(layers.LSTMCell(units, dropout=0.5, **options), **options)


@dataclass(frozen=True)
class Case:
    """One cell under test.

    Attributes:
        cell: Makes the cell from its width and its layer options.
        reference: One step of it in NumPy.
        weights: Number of its trainable weights.
        arguments: Further arguments of the cell.
        fixed: Number of its other weights.
        seeds: Number of its seed generators.
    """

    cell: Callable
    reference: Callable
    weights: int
    arguments: dict = field(default_factory=dict)
    fixed: int = 0
    seeds: int = 0

    def make(self, units=UNITS, **options):
        return self.cell(units, **self.arguments, **options)


CASES = {
    "layer_norm_lstm": Case(CELLS["layer_norm_lstm"], references.layer_norm_lstm, 7),
    "peephole_lstm": Case(CELLS["peephole_lstm"], references.peephole_lstm, 4),
    "projected_lstm": Case(
        CELLS["projected_lstm"], references.projected_lstm, 4, {"hidden_dim": 7}
    ),
    "coupled_lstm": Case(CELLS["coupled_lstm"], references.coupled_lstm, 3),
    "zoneout_lstm": Case(zoneout_lstm, references.zoneout_lstm, 3, seeds=2),
    "zoneout_sru": Case(zoneout_sru, references.zoneout_sru, 2, seeds=1),
    # Its seed generator is the cell's own, for the dropout that it leaves out.
    "keras_lstm": Case(keras_lstm, references.lstm, 3, seeds=1),
    "janet": Case(CELLS["janet"], references.janet, 3, {"beta": 0.7}),
    "nas": Case(CELLS["nas"], references.nas, 3),
    "mgu": Case(CELLS["mgu"], references.mgu, 3),
    "ligru": Case(CELLS["ligru"], references.ligru, 4, fixed=2),
    "min_gru": Case(CELLS["min_gru"], references.min_gru, 2),
    "min_lstm": Case(CELLS["min_lstm"], references.min_lstm, 2),
    "rg_lru": Case(CELLS["rg_lru"], references.rg_lru, 3),
    "qrnn_f": Case(CELLS["qrnn"], references.qrnn("f"), 2, {"pooling": "f"}),
    "qrnn_fo": Case(CELLS["qrnn"], references.qrnn("fo"), 2),
    "qrnn_ifo": Case(CELLS["qrnn"], references.qrnn("ifo"), 2, {"pooling": "ifo"}),
    "windowed_qrnn": Case(
        CELLS["windowed_qrnn"],
        references.windowed_qrnn_ifo,
        2,
        {"window": 3, "pooling": "ifo"},
    ),
    "peephole_sru": Case(CELLS["peephole_sru"], references.peephole_sru, 3),
    "ind_rnn": Case(CELLS["ind_rnn"], references.ind_rnn, 3),
    "irnn": Case(CELLS["irnn"], references.irnn, 3),
    "layer_norm_rnn": Case(CELLS["layer_norm_rnn"], references.layer_norm_rnn, 4),
    "fast_rnn": Case(CELLS["fast_rnn"], references.fast_rnn, 5),
    "jordan": Case(CELLS["jordan"], references.jordan, 5, {"hidden_dim": 7}),
    "echo_state": Case(
        CELLS["echo_state"],
        references.echo_state,
        0,
        {"leak": 0.3, "connectivity": 0.5},
        fixed=3,
    ),
}
# Rectified states grow with the recurrent kernel; the test would measure the growth of rounding.
RECTIFIED = ("ind_rnn", "irnn", "ligru")


def make(name, features=FEATURES, **options):
    """Returns a built `Recurrent` of a case with random weights."""
    layer = Recurrent(CASES[name].make(), **options)
    layer.build((None, None, features))
    layer.built = True
    randomize(layer)
    rng = np.random.default_rng(2)
    for weight in layer.weights:
        if weight.name == "recurrent_kernel" and name in RECTIFIED:
            weight.assign(weight / 3)
        elif weight.name == "moving_mean":
            weight.assign(rng.normal(size=weight.shape))
        elif weight.name == "moving_variance":
            weight.assign(rng.uniform(0.5, 2.0, size=weight.shape))
    return layer


def weights_by_name(layer):
    """Returns all weights of a layer, by their own names."""
    return {weight.name: ops.convert_to_numpy(weight) for weight in layer.weights}
