"""kzoo: sequence models on Keras 3, trained by one command, running as `.tflite`."""

from kzoo import data, decoding, layers, models, text, training
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
