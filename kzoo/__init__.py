"""kzoo: sequence models on Keras 3, trained by one command, running as `.tflite`."""

from importlib import import_module

from kzoo import decoding, layers, models, training
from kzoo.models import create_model, list_models

__version__ = "0.1.0"

__all__ = [
    "__version__",
    "create_model",
    "data",
    "decoding",
    "layers",
    "list_models",
    "models",
    "text",
    "training",
]


def __getattr__(name):
    """Imports what no saved model needs on first use."""
    if name in ("data", "text"):
        return import_module(f"kzoo.{name}")
    raise AttributeError(f"module 'kzoo' has no attribute {name!r}")
