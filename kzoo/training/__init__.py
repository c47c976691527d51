"""What training needs beyond Keras: batches, losses, checkpoints that survive a kill."""

from kzoo.training.adversarial import AdversarialAdamW, AdversarialTraining
from kzoo.training.batches import BucketedBatches
from kzoo.training.bert_batches import BertBatches
from kzoo.training.bert_tagged import BertTaggedBatches
from kzoo.training.cooccurrences import Cooccurrences, GloVeLoss
from kzoo.training.crf_loss import CRFLoss
from kzoo.training.forecast_loss import ForecastLoss
from kzoo.training.guess_accuracy import GuessAccuracy
from kzoo.training.layerwise_adamw import LayerwiseAdamW
from kzoo.training.linear_start import start_at_ridge
from kzoo.training.linear_warmup import LinearWarmup
from kzoo.training.masked import MaskedBatches
from kzoo.training.negative_sampling import NegativeSamplingLoss
from kzoo.training.next_words import NextWords
from kzoo.training.pairs import PairBatches
from kzoo.training.perplexity import Perplexity
from kzoo.training.resume import Resume
from kzoo.training.scheduled_sampling import ScheduledSampling
from kzoo.training.series_batches import SeriesBatches
from kzoo.training.shuffled_windows import ShuffledWindows
from kzoo.training.smoothed_crossentropy import SmoothedCrossentropy
from kzoo.training.sparse_adagrad import SparseAdagrad
from kzoo.training.string_batches import StringBatches, pad_strings
from kzoo.training.tagged import TaggedBatches
from kzoo.training.text_rows import SentencePair, filled_rows, sentence_pairs, single_lines
from kzoo.training.truncated import ResetStates, Windows
from kzoo.training.word_windows import WordWindows

__all__ = [
    "AdversarialAdamW",
    "AdversarialTraining",
    "BertBatches",
    "BertTaggedBatches",
    "BucketedBatches",
    "CRFLoss",
    "Cooccurrences",
    "ForecastLoss",
    "GloVeLoss",
    "GuessAccuracy",
    "LayerwiseAdamW",
    "LinearWarmup",
    "MaskedBatches",
    "NegativeSamplingLoss",
    "NextWords",
    "PairBatches",
    "Perplexity",
    "ResetStates",
    "Resume",
    "ScheduledSampling",
    "SentencePair",
    "SeriesBatches",
    "ShuffledWindows",
    "SmoothedCrossentropy",
    "SparseAdagrad",
    "StringBatches",
    "TaggedBatches",
    "Windows",
    "WordWindows",
    "filled_rows",
    "pad_strings",
    "sentence_pairs",
    "single_lines",
    "start_at_ridge",
]
