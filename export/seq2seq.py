"""Write a Keras encoder-decoder as one verified `.tflite` file that encodes, steps and searches."""

from dataclasses import fields

from kzoo.decoding.checks import check_integer
from kzoo.export.checks import check_classes
from kzoo.export.sampling_cases import SamplingReference
from kzoo.export.search import Search, make_search
from kzoo.export.seq2seq_cases import Reference, make_sources
from kzoo.export.seq2seq_programs import DrawingPrograms, Programs
from kzoo.export.seq2seq_verification import run_source_cases
from kzoo.export.text_files import check_outputs, write_text_files
from kzoo.export.trace import require_tensorflow_backend


def export_seq2seq(
    model,
    path,
    precision="float32",
    *,
    start_id,
    end_id,
    max_length=64,
    beam_size=4,
    num_results=None,
    length_penalty=0.0,
    banned_ids=(),
    alignments=False,
    sampling=False,
    labels=None,
    source_tokenizer=None,
    target_tokenizer=None,
    max_source_length=None,
    inputs=None,
    tolerance=None,
    lowering="auto",
):
    """Write an encoder-decoder as a `.tflite` file that was run and compared with the model.

    The file has four signatures, which share one copy of the weights. Batch size and the source's
    length are dynamic in all of them. What is read here as `source_ids` has the name, the shape and
    the type of the encoder's input: `pictures` of a captioner, `labels` or `vectors` of a
    `kzoo.models.vector_to_sequence`.

    - `encode`: `source_ids` to the state before the first step, as named tensors.
    - `step`: `ids` `(batch,)`, the ids chosen last, and the state, to `logits` and, as
      `next_NAME`, the tensors of the state that a step changes. The others, such as the encoder's
      outputs, are the memory, and go into every step as they are.
    - `greedy`: `source_ids` to `ids` `(batch, max_length)`, `lengths`, `scores` `(batch,)` and, on
      request, `alignments` `(batch, max_length, source)`.
    - `beam`: `source_ids` to the same with an axis `num_results` after the batch, best first. A
      hypothesis that was not found, among few ids, has length 0.

    With `sampling` it has three more, as those of `export_language_model`: `sample` takes
    `source_ids`, `seed`, `temperature`, `top_k`, `top_p` and `repetition_penalty`, `draw` chooses
    one id, and `score` takes `source_ids` and the `ids` `(batch, time)` of a text, the end with
    them.

    The file is verified with every batch of `inputs`, in LiteRT's Interpreter and CompiledModel.
    The encoder, the first steps, and the scores of all ids are those of the Keras model; in
    float32 so are the ids of `greedy` and `beam` (but for ties: other ids of the same score) and
    their alignments, and a loop over `step` outside of the file gives the ids of `greedy`. Rounded
    weights may let other ids win.

    Args:
        model: keras.Model with a layer "encoder" and a layer "decoder", as
            `kzoo.models.seq2seq` builds, on the TensorFlow backend.
        path: file to write; its folder must exist. Or a dict from precisions to such files: all
            of them are written, or none, and together they take little longer than one.
        precision: see `export_tflite`; what a dict has as its keys counts instead.
        start_id: what the first step is given.
        end_id: what ends a row.
        max_length: number of ids after which a row ends anyway.
        beam_size: number of live hypotheses of `beam`.
        num_results: number of hypotheses that `beam` gives, `beam_size` by default.
        length_penalty: exponent of `kzoo.decoding.gnmt_length_penalty`; 0 for none.
        banned_ids: ids that are never chosen.
        alignments: whether `greedy` and `beam` give alignments; a tuple names one of them alone.
            Those of `beam` take up to 5 % of its time.
        sampling: whether the file can draw and judge, too.
        labels: names of the classes of a model that reads labels, for the bundle.
        source_tokenizer: object with `to_json()`, for the bundle.
        target_tokenizer: the same of what is written.
        max_source_length: longest source the model takes; `Seq2SeqPredictor` cuts longer ones.
        inputs: real source ids `(rows, source)` to verify with, padded with 0, or pictures, labels
            or vectors.
        tolerance: largest allowed difference, see `verify`; by default 1e-4 for float32, 1e-2 for
            float16 and 2e-1 for dynamic.
        lowering: how the encoder walks time, see `export_tflite`.

    Returns:
        `Verification`, or for a dict the list of them; its latency is that of `greedy` for one row.

    Raises:
        ExportError: the model has no encoder and decoder, or cannot be converted.
        VerificationError: the file does not compute what the model computes.

    Example:

    >>> import keras
    >>> from kzoo.export import ExportError, export_seq2seq
    >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)], name="dense")
    >>> try:
    ...     export_seq2seq(model, "model.tflite", start_id=2, end_id=3)
    ... except ExportError as error:
    ...     print(str(error)[:60])
    model: expected a keras.Model with a layer 'encoder' and a l
    """
    require_tensorflow_backend()
    tokenizers = {"source_tokenizer": source_tokenizer, "target_tokenizer": target_tokenizer}
    paths = check_outputs(path, precision, **tokenizers)
    if max_source_length is not None:
        check_integer("max_source_length", max_source_length, 1)
    search = make_search(
        start_id,
        end_id,
        max_length,
        beam_size,
        num_results,
        length_penalty,
        banned_ids,
        alignments,
    )
    programs, reference = _make(model, search, sampling)
    check_classes(labels, programs.steps.encoder)
    sources = make_sources(programs, inputs, max_source_length)
    cases = [reference.cases(source_ids) for source_ids in sources]
    manifest = {
        "max_length": max_source_length,
        "seq2seq": {
            **search.describe(),
            "sampling": sampling,
            "vocabulary_size": programs.vocabulary_size,
            "memory": [tensor.name for tensor in programs.state if tensor.is_memory],
            "state": [tensor.name for tensor in programs.state if not tensor.is_memory],
        },
    }
    files = write_text_files(
        programs,
        paths,
        manifest,
        reference,
        cases,
        lowering,
        tolerance,
        tokenizers.values(),
        labels,
    )
    return files if isinstance(path, dict) else files[0]


def verify_seq2seq(path, bundle, model, inputs=None, tolerance=None):
    """Run a file of `export_seq2seq` against the Keras model; see `verify`."""
    settings = bundle.manifest["seq2seq"]
    names = [field.name for field in fields(Search)]
    search = make_search(**{name: settings[name] for name in names})
    programs, reference = _make(model, search, settings["sampling"])
    sources = make_sources(programs, inputs, bundle.manifest["max_length"])
    cases = [reference.cases(source_ids) for source_ids in sources]
    return run_source_cases(path, path, bundle, reference, cases, tolerance)


def _make(model, search, sampling):
    if sampling:
        programs = DrawingPrograms(model, search)
        return programs, SamplingReference(programs)
    programs = Programs(model, search)
    return programs, Reference(programs)
