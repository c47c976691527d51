"""What training needs beyond Keras: batches by length, and checkpoints that survive a kill."""

from kzoo.training.batches import BucketedBatches
from kzoo.training.resume import Resume

__all__ = ["BucketedBatches", "Resume"]
