"""What training needs beyond Keras: batches, losses, checkpoints that survive a kill."""

from kzoo.training.batches import BucketedBatches
from kzoo.training.crf_loss import CRFLoss
from kzoo.training.pairs import PairBatches
from kzoo.training.perplexity import Perplexity
from kzoo.training.resume import Resume
from kzoo.training.scheduled_sampling import ScheduledSampling
from kzoo.training.shuffled_windows import ShuffledWindows
from kzoo.training.smoothed_crossentropy import SmoothedCrossentropy
from kzoo.training.tagged import TaggedBatches
from kzoo.training.truncated import ResetStates, Windows

__all__ = [
    "BucketedBatches",
    "CRFLoss",
    "PairBatches",
    "Perplexity",
    "ResetStates",
    "Resume",
    "ScheduledSampling",
    "ShuffledWindows",
    "SmoothedCrossentropy",
    "TaggedBatches",
    "Windows",
]
