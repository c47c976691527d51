"""Write a Keras encoder-decoder as a SavedModel from texts to texts, for TensorFlow Serving."""

import keras
import numpy as np

from kzoo.export.atomic import atomic_folder
from kzoo.export.errors import VerificationError
from kzoo.export.saved_model import SAMPLE_TEXTS
from kzoo.export.search import make_search
from kzoo.export.seq2seq_cases import Reference
from kzoo.export.seq2seq_programs import Programs
from kzoo.export.trace import require_tensorflow_backend
from kzoo.text.detokenize_graph import detokenize_graph

TEXT_SIGNATURES = {"greedy": "greedy_text", "beam": "beam_text"}


def export_seq2seq_saved_model(
    model,
    path,
    *,
    source_tokenizer,
    target_tokenizer,
    max_length=64,
    beam_size=4,
    num_results=None,
    length_penalty=0.0,
    banned_ids=(),
    max_source_length=None,
):
    """Write an encoder-decoder as a SavedModel folder that was loaded and compared with the model.

    It has the signatures of `export_seq2seq`, and two that take strings `(batch,)` named `text`:
    `greedy_text` gives `text` `(batch,)` and `scores`, `beam_text` gives both with an axis of
    hypotheses, best first. `path` holds the whole verified folder in the end, or is left as it was.

    Args:
        model: see `export_seq2seq`.
        path: folder to write; an older SavedModel there is replaced, anything else is refused.
        source_tokenizer: a `kzoo.text.Tokenizer`.
        target_tokenizer: a `kzoo.text.Tokenizer`.
        max_length: see `export_seq2seq`.
        beam_size: see `export_seq2seq`.
        num_results: see `export_seq2seq`.
        length_penalty: see `export_seq2seq`.
        banned_ids: see `export_seq2seq`.
        max_source_length: where longer sources are cut; None keeps them whole.

    Returns:
        Largest absolute difference of a score from the Keras model over all texts.

    Raises:
        ExportError: the folder cannot be written, or the model cannot be traced.
        VerificationError: the folder does not write what the model writes.

    Example:

    >>> import keras
    >>> from kzoo.export import ExportError, export_seq2seq_saved_model
    >>> from kzoo.text import ByteTokenizer
    >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)], name="dense")
    >>> tokenizers = dict.fromkeys(("source_tokenizer", "target_tokenizer"), ByteTokenizer())
    >>> try:
    ...     export_seq2seq_saved_model(model, "folder", **tokenizers)
    ... except ExportError as error:
    ...     print(str(error)[:60])
    model: expected a keras.Model with a layer 'encoder' and a l
    """
    require_tensorflow_backend()
    search = make_search(
        target_tokenizer.start_id,
        target_tokenizer.end_id,
        max_length,
        beam_size,
        num_results,
        length_penalty,
        banned_ids,
    )
    programs = Programs(model, search)
    with atomic_folder(path, lambda folder: (folder / "saved_model.pb").is_file()) as partial:
        functions, _ = programs.trace("auto")
        archive = keras.export.ExportArchive()
        for name, function in functions.items():
            archive.add_endpoint(name, function)
        archive.track(source_tokenizer.graph_module)
        for name, text_name in TEXT_SIGNATURES.items():
            serve = _serving(functions[name], source_tokenizer, target_tokenizer, max_source_length)
            _add(archive, text_name, serve)
        archive.write_out(str(partial), verbose=False)
        sources = source_tokenizer(SAMPLE_TEXTS, max_length=max_source_length)
        return _compare(partial, Reference(programs), sources, target_tokenizer)


def _serving(function, source_tokenizer, target_tokenizer, max_source_length):
    import tensorflow as tf

    def serve(text):
        outputs = function(source_tokenizer.call_graph(text, max_source_length))
        ids = outputs["ids"]
        texts = detokenize_graph(target_tokenizer, tf.reshape(ids, (-1, tf.shape(ids)[-1])))
        texts = tf.reshape(texts, tf.shape(outputs["scores"]))
        return {"text": texts, "scores": outputs["scores"]}

    return serve


def _add(archive, name, serve):
    import tensorflow as tf

    archive.add_endpoint(name, serve, [tf.TensorSpec((None,), "string", name="text")])


def _compare(folder, reference, sources, tokenizer):
    import tensorflow as tf

    signatures = tf.saved_model.load(str(folder)).signatures
    largest = 0.0
    for name, text_name in TEXT_SIGNATURES.items():
        expected = reference.run(name, sources)
        outputs = signatures[text_name](text=tf.constant(SAMPLE_TEXTS))
        rows = expected["ids"].reshape(-1, expected["ids"].shape[-1])
        texts = [text.decode() for text in outputs["text"].numpy().ravel()]
        if texts != [tokenizer.detokenize(row) for row in rows]:
            raise VerificationError(f"{folder}: {text_name!r} writes other texts than the model")
        found = expected["lengths"] > 0
        difference = np.abs(outputs["scores"].numpy() - expected["scores"])[found]
        largest = max(largest, float(difference.max()))
    return largest
