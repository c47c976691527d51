"""Model factories by task, and the registry of presets."""

from kzoo.models import presets as presets
from kzoo.models.classifier import sequence_classifier, text_classifier
from kzoo.models.ensemble import ensemble
from kzoo.models.registry import create_model, list_models, register_model
from kzoo.models.seq2seq import ATTENTIONS, Seq2SeqSteps, seq2seq

__all__ = [
    "ATTENTIONS",
    "Seq2SeqSteps",
    "create_model",
    "ensemble",
    "list_models",
    "register_model",
    "seq2seq",
    "sequence_classifier",
    "text_classifier",
]
