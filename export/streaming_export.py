"""Write a causal Keras model as a verified `.tflite` step model."""

from kzoo.export.replace import replace_layers
from kzoo.export.signature import input_tensors
from kzoo.export.streaming import step_model
from kzoo.export.tflite import Export, export_many
from kzoo.export.verification import whole_chunks

# Up to here, a chunk's steps are written out one after the other, which takes no loop.
UNROLLED_STEPS = 16
LENGTHS = (3, 40)


def export_streaming(
    model,
    path,
    chunk_size=1,
    precision="float32",
    *,
    inputs=None,
    labels=None,
    tolerance=None,
    lengths=LENGTHS,
    lowering="auto",
    details=None,
):
    """Write a causal Keras model as a `.tflite` file that takes a sequence chunk by chunk.

    The file holds the model of `streaming_model`: the states are named inputs and outputs, zeroed
    by the caller, and nothing is hidden in the file. Its manifest lists them under `streaming`.
    It is verified by streaming whole sequences through it, against the model's offline result;
    so does `verify` later, and `StreamingPredictor` runs it.

    Args:
        model: functional or Sequential keras.Model. Keras's own recurrent layers are replaced.
        path: file to write; its folder must exist.
        chunk_size: time steps of a chunk; None for chunks of any size.
        precision: see `export_tflite`.
        inputs: real sequences to verify with.
        labels: class names in the order of the last axis of the first output.
        tolerance: largest allowed difference, see `verify`.
        lengths: sequence lengths to verify with, rounded up to whole chunks.
        lowering: see `export_tflite`; "auto" unrolls short chunks.
        details: dict of what a client of the file must know, ready for JSON, for its manifest.

    Returns:
        `Verification`; its latency is that of one chunk.

    Raises:
        ExportError: a layer cannot be streamed, or converted; the message names it.
        VerificationError: the file does not compute what the model computes.

    Example:

    >>> import keras
    >>> from kzoo.export import ExportError, export_streaming
    >>> pooling = keras.layers.GlobalMaxPooling1D(name="pool")
    >>> try:
    ...     export_streaming(keras.Sequential([keras.Input((None, 4)), pooling]), "model.tflite")
    ... except ExportError as error:
    ...     print(error)
    model: cannot be streamed: layer 'pool' (GlobalMaxPooling1D) mixes time steps
    """
    exports = streaming_exports(
        model,
        {precision: path},
        chunk_size,
        inputs=inputs,
        labels=labels,
        tolerance=tolerance,
        lengths=lengths,
        lowering=lowering,
        details=details,
    )
    return export_many(exports)[0]


def streaming_exports(
    model,
    paths,
    chunk_size=1,
    *,
    lengths=LENGTHS,
    lowering="auto",
    **options,
):
    """Describe the files of a causal Keras model in several precisions, for `export_many`.

    The model is traced once for all of them.

    Args:
        model: functional or Sequential keras.Model.
        paths: dict from precisions to the files to write.
        chunk_size: see `export_streaming`.
        lengths: see `export_streaming`.
        lowering: see `export_streaming`.
        **options: its `inputs`, `labels`, `tolerance` and `details`.

    Returns:
        List of `Export`, in the order of `paths`.

    Raises:
        ExportError: a layer cannot be streamed; the message names it.

    Example:

    >>> import keras
    >>> from kzoo.export import streaming_exports
    >>> gru = keras.layers.GRU(8, return_sequences=True)
    >>> model = keras.Sequential([keras.Input((None, 4)), gru])
    >>> exports = streaming_exports(model, {"float32": "step.tflite", "dynamic": "int8.tflite"})
    >>> [(export.path, export.precision) for export in exports]
    [('step.tflite', 'float32'), ('int8.tflite', 'dynamic')]
    """
    input_tensors(model)
    step = step_model(replace_layers(model), chunk_size)
    if lowering == "auto" and chunk_size and chunk_size <= UNROLLED_STEPS:
        lowering = "unrolled"
    return [
        Export(
            step.model,
            path,
            precision,
            lengths=whole_chunks(lengths, chunk_size),
            lowering=lowering,
            step=step,
            offline=model,
            **options,
        )
        for precision, path in paths.items()
    ]
