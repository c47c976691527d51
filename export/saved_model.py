"""Write Keras models as SavedModel folders for TensorFlow Serving, with the tokenizer inside."""

import keras

from kzoo.export.atomic import atomic_folder
from kzoo.export.bundle import SIGNATURE
from kzoo.export.cases import LENGTHS, make_cases, run_model
from kzoo.export.checks import check_labels, check_tokenizer
from kzoo.export.errors import VerificationError
from kzoo.export.reference import ModelReference
from kzoo.export.signature import input_tensors, output_tensors
from kzoo.export.trace import trace
from kzoo.export.verification import TOLERANCE, cap, compare

TEXT_SIGNATURE = "serving_text"
# What the signature of a tagger gives beside what the model gives.
WORDS, TAG_NAMES = "words", "tag_names"
# Every script and odd string goes both ways through a tokenizer; these are for the comparison.
SAMPLE_TEXTS = ("", "Isn't it good?", "정말 재미있는 영화였어요", "naïve café 🎬 100%", "x" * 300)


def export_saved_model(model, path, tokenizer=None, max_length=None, labels=None, inputs=None):
    """Write a Keras model as a SavedModel folder that was loaded and compared with the model.

    The signature `serving_default` takes what the model takes, by the names of its input layers,
    with every None dimension dynamic. With a tokenizer, `serving_text` takes strings `(batch,)`
    named `text`, and gives what the model gives for their ids. With a tokenizer of a tagger it
    gives strings `(batch, time)` too, with "" at padding: `words`, what the tokenizer makes of each
    text, and with labels `tag_names`, the best tag of each. `path` holds the whole verified folder
    in the end, or is left as it was.

    Args:
        model: functional or Sequential keras.Model, on the TensorFlow backend.
        path: folder to write; an older SavedModel there is replaced, anything else is refused.
        tokenizer: a `kzoo.text.Tokenizer`, for a model whose only input is token ids; a
            `kzoo.text.BertTokenizer`, for one that reads ids, mask and segment ids; a
            `kzoo.text.TaggingTokenizer` or `kzoo.text.BertTaggingTokenizer`, for a tagger.
        max_length: where `serving_text` cuts longer sequences; None keeps them whole, or as long as
            the tokenizer does.
        labels: list of str, the tags of a model of `kzoo.models.tag_decoder` with such a tokenizer.
        inputs: real inputs to compare on, as in `export_tflite`; random ones by default.

    Returns:
        Largest absolute difference from the Keras model over all batches that were compared.

    Raises:
        ExportError: the folder cannot be written, or the model cannot be traced.
        VerificationError: the folder does not compute what the model computes.
        ValueError: the tokenizer, or the labels, do not fit the model.

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
    _check_words(model, tokenizer, labels)
    if max_length is None:
        max_length = getattr(tokenizer, "max_length", None)
    with atomic_folder(path, lambda folder: (folder / "saved_model.pb").is_file()) as partial:
        function, _ = trace(model)
        # The archive finds the variables by itself. Tracking the model would trace every layer
        # once more, outside the lowering scope.
        archive = keras.export.ExportArchive()
        archive.add_endpoint(SIGNATURE, function)
        if tokenizer is not None:
            _add_text_signature(archive, function, model, tokenizer, max_length, labels)
        archive.write_out(str(partial), verbose=False)
        return _compare(partial, model, tokenizer, max_length, labels, inputs)


def _splits(tokenizer):
    """Whether a tokenizer makes words of a text, each of which the model says something about."""
    return hasattr(tokenizer, "split_graph")


def _check_words(model, tokenizer, labels):
    """Raise ValueError where the words and tags of a tagger have no place, or no meaning."""
    outputs = output_tensors(model)
    if _splits(tokenizer) and {WORDS, TAG_NAMES} & set(outputs):
        raise ValueError(
            f"model: expected outputs of other names than {WORDS!r} and {TAG_NAMES!r}, which "
            f"{TEXT_SIGNATURE!r} adds, got {list(outputs)}"
        )
    if labels is None:
        return
    if not _splits(tokenizer) or not {"tags", "probabilities"} <= set(outputs):
        raise ValueError(
            "labels: expected the tokenizer of a tagger and a model of kzoo.models.tag_decoder, "
            f"got {type(tokenizer).__name__} and a model with the outputs {list(outputs)}"
        )
    shape = outputs["probabilities"].shape
    check_labels(labels, shape[-1], f"output 'probabilities' of shape {shape}")


def _add_text_signature(archive, function, model, tokenizer, max_length, labels):
    import tensorflow as tf

    tensors = input_tensors(model)

    def serve_text(text):
        words = tokenizer.split_graph(text) if _splits(tokenizer) else None
        made = tokenizer.call_graph(text if words is None else words, max_length)
        made = _by_name(made, tensors)
        inputs = [tf.cast(made[name], tensor.dtype) for name, tensor in tensors.items()]
        outputs = function(*inputs)
        return outputs if words is None else outputs | _strings(words, made, outputs, labels)

    archive.track(tokenizer.graph_module)
    archive.add_endpoint(
        TEXT_SIGNATURE, serve_text, [tf.TensorSpec((None,), "string", name="text")]
    )


def _strings(words, made, outputs, labels):
    """The words that were read, and the names of their tags, by the names of outputs."""
    import tensorflow as tf

    is_read = made["words"] != 0
    strings = {WORDS: words.to_tensor("", shape=tf.shape(is_read))}
    if labels is not None:
        # A tag at padding has no meaning, and may be none.
        strings[TAG_NAMES] = tf.gather(list(labels), tf.where(is_read, outputs["tags"], 0))
    return {name: tf.where(is_read, x, "") for name, x in strings.items()}


def _by_name(made, tensors):
    """What a tokenizer makes, by the name of the model's input."""
    return made if isinstance(made, dict) else dict.fromkeys(tensors, made)


def _compare(folder, model, tokenizer, max_length, labels, inputs):
    import tensorflow as tf

    signatures = tf.saved_model.load(str(folder)).signatures
    runs = []
    for case in make_cases(model, inputs, cap(LENGTHS, max_length)):
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
        if signature == TEXT_SIGNATURE and _splits(tokenizer):
            _compare_strings(where, outputs, case, tokenizer, labels)
        largest = max(largest, compare(where, case, outputs, TOLERANCE["float32"]))
    return largest


def _compare_strings(where, outputs, case, tokenizer, labels):
    """Take the strings out of the outputs; others than those of Python raise."""
    counts = (case.inputs["words"] != 0).sum(axis=1)
    expected = {WORDS: [tokenizer.split(text) for text in SAMPLE_TEXTS]}
    if labels is not None:
        expected[TAG_NAMES] = [[labels[tag] for tag in tags] for tags in case.expected["tags"]]
    for name, rows in expected.items():
        found = [[x.decode() for x in row] for row in outputs.pop(name)]
        for row, strings, count in zip(found, rows, counts, strict=True):
            if row != strings[:count] + [""] * (len(row) - count):
                raise VerificationError(
                    f"{where}: output {name!r} differs from {strings[:count]}, got {row}"
                )
