"""Recurrent cells, the driver over time, and pooling over time."""

from kzoo.layers.bidirectional import Bidirectional
from kzoo.layers.cell import Cell, KernelCell, LinearCell
from kzoo.layers.gru import GRUCell
from kzoo.layers.lstm import LSTMCell
from kzoo.layers.ngram_embedding import NGramEmbedding
from kzoo.layers.pooling import AttentionPooling, MaxPooling, MeanPooling
from kzoo.layers.recurrent import Recurrent
from kzoo.layers.simple_rnn import SimpleRNNCell
from kzoo.layers.sru import SRUCell
from kzoo.layers.walk import LOWERINGS, lowering_scope

CELLS = {"simple_rnn": SimpleRNNCell, "lstm": LSTMCell, "gru": GRUCell, "sru": SRUCell}

__all__ = [
    "CELLS",
    "LOWERINGS",
    "AttentionPooling",
    "Bidirectional",
    "Cell",
    "GRUCell",
    "KernelCell",
    "LSTMCell",
    "LinearCell",
    "MaxPooling",
    "MeanPooling",
    "NGramEmbedding",
    "Recurrent",
    "SRUCell",
    "SimpleRNNCell",
    "lowering_scope",
]
