"""Recurrent cells, the driver over time, attention, and pooling over time."""

from kzoo.layers.attention import Attention
from kzoo.layers.attention_cell import AttentionCell
from kzoo.layers.bahdanau_attention import BahdanauAttention
from kzoo.layers.best_class import BestClass
from kzoo.layers.bidirectional import Bidirectional
from kzoo.layers.cell import Cell, KernelCell, LinearCell
from kzoo.layers.changes import Changes
from kzoo.layers.connection import Highway, Residual
from kzoo.layers.coupled_lstm import CoupledLSTMCell
from kzoo.layers.coverage_attention import CoverageAttention, coverage_loss
from kzoo.layers.crf import CRF, Marginals, Viterbi, bio_constraints
from kzoo.layers.ctc_frames import FrameLogProbabilities, NewSymbols
from kzoo.layers.delay import Delay
from kzoo.layers.echo_state import EchoStateCell
from kzoo.layers.fast_rnn import FastRNNCell
from kzoo.layers.feed_forward import FeedForward
from kzoo.layers.feedback_cell import FeedbackCell
from kzoo.layers.gru import GRUCell
from kzoo.layers.ind_rnn import IndRNNCell, IRNNCell
from kzoo.layers.janet import JANETCell
from kzoo.layers.jordan import JordanCell
from kzoo.layers.keras_cell import KerasCell
from kzoo.layers.layer_norm_rnn import LayerNormLSTMCell, LayerNormRNNCell
from kzoo.layers.learned_positions import LearnedPositions
from kzoo.layers.length_masking import LengthMasking
from kzoo.layers.ligru import LiGRUCell
from kzoo.layers.location_sensitive_attention import LocationSensitiveAttention
from kzoo.layers.log_mel import LogMel
from kzoo.layers.lowering import LOWERINGS, lowering_scope
from kzoo.layers.lstm import LSTMCell
from kzoo.layers.luong_attention import LuongAttention
from kzoo.layers.luong_local_attention import (
    LuongLocalMonotonicAttention,
    LuongLocalPredictiveAttention,
)
from kzoo.layers.mgu import MGUCell
from kzoo.layers.min_gru import MinGRUCell, MinLSTMCell
from kzoo.layers.monotonic_attention import MonotonicBahdanauAttention, MonotonicLuongAttention
from kzoo.layers.multi_head_attention import MultiHeadAttention
from kzoo.layers.nas import NASCell
from kzoo.layers.nearest_rows import NearestRows
from kzoo.layers.ngram_embedding import NGramEmbedding
from kzoo.layers.peephole_lstm import PeepholeLSTMCell
from kzoo.layers.peephole_sru import PeepholeSRUCell
from kzoo.layers.pooling import AttentionPooling, MaxPooling, MeanPooling
from kzoo.layers.projected_lstm import ProjectedLSTMCell
from kzoo.layers.qrnn import QRNNCell, WindowedQRNNCell
from kzoo.layers.quantile_spread import QuantileSpread
from kzoo.layers.recurrent import Recurrent
from kzoo.layers.recurrent_decoder import RecurrentDecoder
from kzoo.layers.rg_lru import RGLRUCell
from kzoo.layers.simple_rnn import SimpleRNNCell
from kzoo.layers.sinusoidal import SinusoidalPositions
from kzoo.layers.sparse_embedding import SparseEmbedding
from kzoo.layers.spec_augment import SpecAugment
from kzoo.layers.sru import SRUCell
from kzoo.layers.sru_plus_plus import SRUPlusPlus
from kzoo.layers.standardization import Standardization
from kzoo.layers.subword_embedding import SubwordEmbedding
from kzoo.layers.take_steps import TakeSteps
from kzoo.layers.time_distributed import TimeDistributed
from kzoo.layers.token_dropout import TokenDropout
from kzoo.layers.transformer_decoder import TransformerDecoder
from kzoo.layers.transformer_decoder_block import TransformerDecoderBlock
from kzoo.layers.transformer_encoder import TransformerEncoder
from kzoo.layers.transformer_encoder_block import TransformerEncoderBlock
from kzoo.layers.trend import TrendCell
from kzoo.layers.zero_masked import ZeroMasked
from kzoo.layers.zoneout import ZoneoutCell

# Cells by name: all that can be made of a width alone.
CELLS = {
    "simple_rnn": SimpleRNNCell,
    "lstm": LSTMCell,
    "gru": GRUCell,
    "sru": SRUCell,
    "layer_norm_lstm": LayerNormLSTMCell,
    "peephole_lstm": PeepholeLSTMCell,
    "projected_lstm": ProjectedLSTMCell,
    "coupled_lstm": CoupledLSTMCell,
    "janet": JANETCell,
    "nas": NASCell,
    "mgu": MGUCell,
    "ligru": LiGRUCell,
    "min_gru": MinGRUCell,
    "min_lstm": MinLSTMCell,
    "rg_lru": RGLRUCell,
    "qrnn": QRNNCell,
    "windowed_qrnn": WindowedQRNNCell,
    "peephole_sru": PeepholeSRUCell,
    "ind_rnn": IndRNNCell,
    "irnn": IRNNCell,
    "layer_norm_rnn": LayerNormRNNCell,
    "fast_rnn": FastRNNCell,
    "jordan": JordanCell,
    "echo_state": EchoStateCell,
}

__all__ = [
    "CELLS",
    "CRF",
    "LOWERINGS",
    "Attention",
    "AttentionCell",
    "AttentionPooling",
    "BahdanauAttention",
    "BestClass",
    "Bidirectional",
    "Cell",
    "Changes",
    "CoupledLSTMCell",
    "CoverageAttention",
    "Delay",
    "EchoStateCell",
    "FastRNNCell",
    "FeedForward",
    "FeedbackCell",
    "FrameLogProbabilities",
    "GRUCell",
    "Highway",
    "IRNNCell",
    "IndRNNCell",
    "JANETCell",
    "JordanCell",
    "KerasCell",
    "KernelCell",
    "LSTMCell",
    "LayerNormLSTMCell",
    "LayerNormRNNCell",
    "LearnedPositions",
    "LengthMasking",
    "LiGRUCell",
    "LinearCell",
    "LocationSensitiveAttention",
    "LogMel",
    "LuongAttention",
    "LuongLocalMonotonicAttention",
    "LuongLocalPredictiveAttention",
    "MGUCell",
    "Marginals",
    "MaxPooling",
    "MeanPooling",
    "MinGRUCell",
    "MinLSTMCell",
    "MonotonicBahdanauAttention",
    "MonotonicLuongAttention",
    "MultiHeadAttention",
    "NASCell",
    "NGramEmbedding",
    "NearestRows",
    "NewSymbols",
    "PeepholeLSTMCell",
    "PeepholeSRUCell",
    "ProjectedLSTMCell",
    "QRNNCell",
    "QuantileSpread",
    "RGLRUCell",
    "Recurrent",
    "RecurrentDecoder",
    "Residual",
    "SRUCell",
    "SRUPlusPlus",
    "SimpleRNNCell",
    "SinusoidalPositions",
    "SparseEmbedding",
    "SpecAugment",
    "Standardization",
    "SubwordEmbedding",
    "TakeSteps",
    "TimeDistributed",
    "TokenDropout",
    "TransformerDecoder",
    "TransformerDecoderBlock",
    "TransformerEncoder",
    "TransformerEncoderBlock",
    "TrendCell",
    "Viterbi",
    "WindowedQRNNCell",
    "ZeroMasked",
    "ZoneoutCell",
    "bio_constraints",
    "coverage_loss",
    "lowering_scope",
]
