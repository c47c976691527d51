"""Export: SavedModel folders and verified `.tflite` files, and running them again.

Names are loaded on first use: `Predictor` runs a file with LiteRT and NumPy, needs no Keras model,
and with KERAS_BACKEND=jax TensorFlow is never loaded.
"""

from importlib import import_module

_MODULE_OF = {
    "Bundle": "bundle",
    "CaptionPredictor": "caption",
    "Export": "tflite",
    "ExportError": "errors",
    "FaultPredictor": "alarms",
    "ForecastPredictor": "series",
    "Judgement": "alarms",
    "LanguageModelWriter": "write",
    "LanguagePredictor": "write",
    "NeighbourFinder": "neighbours",
    "PRECISIONS": "written",
    "Predictor": "predict",
    "RecognitionPredictor": "recognition",
    "Sensitivity": "sensitivity",
    "Seq2SeqPredictor": "translate",
    "SequencePredictor": "sequence",
    "StreamingPredictor": "stream",
    "Verification": "verification",
    "VerificationError": "errors",
    "export_language_model": "language",
    "export_language_saved_model": "language_saved_model",
    "export_many": "tflite",
    "export_saved_model": "saved_model",
    "export_seq2seq": "seq2seq",
    "export_seq2seq_saved_model": "seq2seq_saved_model",
    "export_streaming": "streaming_export",
    "export_tflite": "tflite",
    "most_sensitive": "sensitivity",
    "prepare": "preparation",
    "read_bundle": "bundle",
    "streaming_exports": "streaming_export",
    "streaming_model": "streaming",
    "verify": "verification",
    "zero_state": "streaming",
}

__all__ = sorted(_MODULE_OF)


def __getattr__(name):
    if name not in _MODULE_OF:
        raise AttributeError(f"module 'kzoo.export' has no attribute {name!r}")
    return getattr(import_module(f"kzoo.export.{_MODULE_OF[name]}"), name)
