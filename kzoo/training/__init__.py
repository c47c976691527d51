"""What training needs beyond Keras: batches, checkpoints that survive a kill, long sequences."""

from kzoo.training.batches import BucketedBatches
from kzoo.training.resume import Resume
from kzoo.training.truncated import ResetStates, Windows

__all__ = ["BucketedBatches", "ResetStates", "Resume", "Windows"]
