"""Trace a Keras model for export and write it as a SavedModel."""

import keras

from kzoo.export.bundle import SIGNATURE
from kzoo.export.errors import ExportError
from kzoo.export.signature import call_by_name, input_tensors
from kzoo.layers import lowering_scope


def require_tensorflow_backend():
    """Fail early where Keras runs on another backend: its graphs cannot be converted."""
    backend = keras.backend.backend()
    if backend != "tensorflow":
        raise ExportError(
            f"export needs Keras on TensorFlow, but this process runs it on {backend}: save the "
            "model with model.save('model.keras') and run "
            "`KERAS_BACKEND=tensorflow kzoo export model.keras model.tflite`"
        )


def trace(model):
    """Return a `keras.export.ExportArchive` with the model's signature, and its `tf.function`.

    Every None dimension of the model's inputs stays dynamic, batch and time alike. (Keras's own
    input signature is not used: it fixes what should be dynamic.)
    """
    require_tensorflow_backend()
    import tensorflow as tf

    inputs = input_tensors(model)

    def serve(*tensors):
        # Linear recurrences become scans, all others loops.
        with lowering_scope("scan"):
            outputs = call_by_name(model, dict(zip(inputs, tensors, strict=True)))
        # LiteRT's CompiledModel cannot write an output that comes straight out of a loop. A
        # slice of all rows stays in the graph; the converter would take an identity away.
        return {name: x[: tf.shape(x)[0]] for name, x in outputs.items()}

    # The archive finds the variables by itself. Tracking the model would trace every layer once
    # more, outside the lowering scope.
    archive = keras.export.ExportArchive()
    function = archive.add_endpoint(
        SIGNATURE,
        serve,
        [tf.TensorSpec(t.shape, t.dtype, name=name) for name, t in inputs.items()],
    )
    return archive, function
