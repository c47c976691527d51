"""Model factories by task, and the registry of presets."""

from kzoo.models import presets as presets
from kzoo.models.classifier import sequence_classifier, text_classifier
from kzoo.models.ensemble import ensemble
from kzoo.models.registry import create_model, list_models, register_model

__all__ = [
    "create_model",
    "ensemble",
    "list_models",
    "register_model",
    "sequence_classifier",
    "text_classifier",
]
