"""Write Keras models as SavedModel folders for TensorFlow Serving, with the tokenizer inside."""

import keras

from kzoo.export.atomic import atomic_folder
from kzoo.export.bundle import SIGNATURE
from kzoo.export.cases import LENGTHS, make_cases, run_model
from kzoo.export.checks import check_tokenizer
from kzoo.export.reference import ModelReference
from kzoo.export.signature import input_tensors
from kzoo.export.trace import trace
from kzoo.export.verification import TOLERANCE, cap, compare

TEXT_SIGNATURE = "serving_text"
# Every script and odd string goes both ways through a tokenizer; these are for the comparison.
SAMPLE_TEXTS = ("", "A good film!", "정말 재미있는 영화였어요", "naïve café 🎬 100%", "x" * 300)


def export_saved_model(model, path, tokenizer=None, max_length=None):
    """Write a Keras model as a SavedModel folder that was loaded and compared with the model.

    The signature `serving_default` takes what the model takes, by the names of its input layers,
    with every None dimension dynamic. With a tokenizer, `serving_text` takes strings `(batch,)`
    named `text`, and gives what the model gives for their ids. `path` holds the whole verified
    folder in the end, or is left as it was.

    Args:
        model: functional or Sequential keras.Model, on the TensorFlow backend.
        path: folder to write; an older SavedModel there is replaced, anything else is refused.
        tokenizer: a `kzoo.text.Tokenizer`, for a model whose only input is token ids, or a
            `kzoo.text.BertTokenizer`, for one that reads ids, mask and segment ids.
        max_length: where `serving_text` cuts longer sequences; None keeps them whole, or as long as
            the tokenizer does.

    Returns:
        Largest absolute difference from the Keras model over all batches that were compared.

    Raises:
        ExportError: the folder cannot be written, or the model cannot be traced.
        VerificationError: the folder does not compute what the model computes.

    Example:

    >>> import tempfile, keras
    >>> from kzoo.export import export_saved_model
    >>> model = keras.Sequential([keras.Input((None, 4)), keras.layers.Dense(2)])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     difference = export_saved_model(model, folder)
    >>> difference < 1e-5
    True
    """
    check_tokenizer(tokenizer, input_tensors(model), "call_graph")
    if max_length is None:
        max_length = getattr(tokenizer, "max_length", None)
    with atomic_folder(path, lambda folder: (folder / "saved_model.pb").is_file()) as partial:
        function, _ = trace(model)
        # The archive finds the variables by itself. Tracking the model would trace every layer
        # once more, outside the lowering scope.
        archive = keras.export.ExportArchive()
        archive.add_endpoint(SIGNATURE, function)
        if tokenizer is not None:
            _add_text_signature(archive, function, model, tokenizer, max_length)
        archive.write_out(str(partial), verbose=False)
        return _compare(partial, model, tokenizer, max_length)


def _add_text_signature(archive, function, model, tokenizer, max_length):
    import tensorflow as tf

    tensors = input_tensors(model)

    def serve_text(text):
        made = _by_name(tokenizer.call_graph(text, max_length), tensors)
        return function(*(tf.cast(made[name], tensor.dtype) for name, tensor in tensors.items()))

    archive.track(tokenizer.graph_module)
    archive.add_endpoint(
        TEXT_SIGNATURE, serve_text, [tf.TensorSpec((None,), "string", name="text")]
    )


def _by_name(made, tensors):
    """What a tokenizer makes, by the name of the model's input."""
    return made if isinstance(made, dict) else dict.fromkeys(tensors, made)


def _compare(folder, model, tokenizer, max_length):
    import tensorflow as tf

    signatures = tf.saved_model.load(str(folder)).signatures
    runs = []
    for case in make_cases(model, lengths=cap(LENGTHS, max_length)):
        tensors = {name: tf.constant(array) for name, array in case.inputs.items()}
        runs.append((SIGNATURE, case, tensors))
    if tokenizer is not None:
        made = tokenizer(SAMPLE_TEXTS, max_length=max_length)
        case = run_model(ModelReference(model), _by_name(made, input_tensors(model)))
        runs.append((TEXT_SIGNATURE, case, {"text": tf.constant(SAMPLE_TEXTS)}))
    largest = 0.0
    for signature, case, tensors in runs:
        outputs = {
            name: output.numpy() for name, output in signatures[signature](**tensors).items()
        }
        where = f"{folder} in {signature}, {case.shapes}"
        largest = max(largest, compare(where, case, outputs, TOLERANCE["float32"]))
    return largest
