"""Write Keras models as verified `.tflite` files."""

import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras

from kzoo.export.arrays import nested_list
from kzoo.export.atomic import atomic_file
from kzoo.export.bundle import SIGNATURE, read_bundle, write_bundle
from kzoo.export.cases import BATCH_SIZES, LENGTHS, make_cases
from kzoo.export.checks import check_export
from kzoo.export.convert import converter
from kzoo.export.kept import kept_kernels
from kzoo.export.metadata import add_metadata
from kzoo.export.replace import replace_layers
from kzoo.export.rounding import round_file
from kzoo.export.signature import describe, input_tensors, output_tensors
from kzoo.export.streaming import StepModel
from kzoo.export.trace import require_tensorflow_backend, trace, write_graphs
from kzoo.export.verification import cap, run_cases
from kzoo.export.written import check_written


@dataclass(frozen=True)
class Export:
    """One file to write, for `export_many`; the attributes are the arguments of `export_tflite`.

    One more is `details`, a dict of what a client of the file must know, which its manifest keeps.

    Example:

    >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    >>> Export(model, "model.tflite", "dynamic").precision
    'dynamic'
    """

    model: keras.Model
    path: str | Path
    precision: str = "float32"
    inputs: Any = None
    tokenizer: Any = None
    labels: Sequence[str] | None = None
    tolerance: float | dict[str, float] | None = None
    max_length: int | None = None
    lengths: Sequence[int] = LENGTHS
    lowering: str = "auto"
    batch_size: int | None = None
    keep_float: Sequence[str] = ()
    # What a client of the file must know, ready for JSON; `details` of the manifest.
    details: dict | None = None
    # For `export_streaming`: what `model` is the step of, and the user's model.
    step: StepModel | None = None
    offline: keras.Model | None = None


def export_tflite(
    model,
    path,
    precision="float32",
    *,
    inputs=None,
    tokenizer=None,
    labels=None,
    tolerance=None,
    max_length=None,
    lengths=LENGTHS,
    lowering="auto",
    batch_size=None,
    keep_float=(),
):
    """Write a Keras model as a `.tflite` file that was run and compared with the model.

    Keras's own recurrent layers are replaced for the file (see `prepare`), and mixed precision
    becomes float32; the file is compared with the model as it is, computing in float32.

    Every None dimension of the model's inputs stays dynamic. The file uses built-in operators
    only and one signature, `serving_default`, with the names of the input and output layers. It
    carries a manifest, a golden batch and, if given, tokenizer and labels (see `read_bundle`).
    `path` holds the whole verified file in the end, or is left as it was.

    Args:
        model: functional or Sequential keras.Model, on the TensorFlow backend.
        path: file to write; its folder must exist.
        precision: "float32"; "float16" (weights of half the size, float arithmetic); "dynamic"
            (int8 weights, embedding tables included, activations quantised on the fly). In
            "dynamic" every column of a kernel and every row of a table (of at least 16 numbers) has
            a scale of its own, and weights of fewer than 1024 elements stay float.
        inputs: real inputs to verify with, see `verify`.
        tokenizer: object with `to_json()`, for a model of token ids; one that makes several inputs
            names them in `input_names`. With a `kzoo.text.BertTokenizer` and labels, the file has
            the metadata of a text classifier for MediaPipe and the Task libraries.
        labels: class names in the order of the last axis of the first output.
        tolerance: largest allowed difference, see `verify`; or a dict from the names of outputs to
            tolerances of their own, which the manifest keeps.
        max_length: longest sequence the model takes; `Predictor` cuts longer ones.
        lengths: sequence lengths to verify with.
        lowering: how kzoo's recurrent layers walk time. "loop" and "scan" are fast in any runtime;
            "scan" is for linear recurrences such as SRU, and all other cells get "loop". "unrolled"
            needs a static number of time steps. "fused" is UNIDIRECTIONAL_SEQUENCE_LSTM, for
            TensorFlow Lite Micro and vendors' delegates: `LSTMCell` only, with a static batch size
            and no mask; it keeps its state from run to run, so that a client calls
            `reset_all_variables()` before every sequence, and LiteRT's CompiledModel cannot run
            it. "auto" is "scan". What each layer got stands in the manifest and in the result.
        batch_size: fixes the batch size; None keeps it dynamic.
        keep_float: paths of layers whose kernels stay float32 in "dynamic", or patterns of them
            such as "*/attention/value"; `most_sensitive` measures where that helps most.

    Returns:
        `Verification`.

    Raises:
        ExportError: the model needs other operators or holds recurrent layers that cannot be
            replaced (the message names the layers), the folder cannot be written, or the
            converter died.
        VerificationError: the file does not compute what the model computes.

    Example:

    >>> import keras
    >>> from kzoo.export import ExportError, export_tflite
    >>> model = keras.Sequential([keras.Input((None, 4)), keras.layers.Dense(2)])
    >>> try:
    ...     export_tflite(model, "missing/model.tflite")
    ... except ExportError as error:
    ...     print(error)
    path: cannot write missing/model.tflite: No such file or directory
    """
    export = Export(
        model,
        path,
        precision,
        inputs,
        tokenizer,
        labels,
        tolerance,
        max_length,
        lengths,
        lowering,
        batch_size,
        keep_float,
    )
    return export_many([export])[0]


def export_many(exports):
    """Write several `.tflite` files with one start of the converter: all of them, or none.

    A model that occurs more than once is traced once; its several precisions cost little more
    than one.

    Args:
        exports: sequence of `Export`.

    Returns:
        List of `Verification`, in the order of `exports`.

    Example:

    >>> from kzoo.export import export_many
    >>> export_many([])
    []
    """
    require_tensorflow_backend()
    for export in exports:
        check_export(export)
    paths = [Path(export.path).resolve() for export in exports]
    if len(set(paths)) < len(paths):
        raise ValueError(f"path: expected a different one for each export, got {paths}")
    if exports:
        converter.start()
    with ExitStack() as stack:
        partials = [stack.enter_context(atomic_file(export.path)) for export in exports]
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        # Keras's own recurrent layers cannot be converted; what is compared is the user's model.
        models = {id(export.model): export.model for export in exports}
        models = {key: replace_layers(model) for key, model in models.items()}
        traces = _trace_models(exports, models, folder)
        jobs = [
            {
                "saved_model": str(Path(folder, _trace_key(export))),
                "target": str(partial),
                "precision": export.precision,
            }
            for export, partial in zip(exports, partials, strict=True)
        ]
        cases = {}
        for export in exports:
            if (key := _cases_key(export)) not in cases:
                step = export.step
                cases[key] = make_cases(
                    step.source if step else models[id(export.model)],
                    export.inputs,
                    key[-1],
                    original=export.offline or export.model,
                    batch_sizes=(export.batch_size,) if export.batch_size else BATCH_SIZES,
                )
        messages = converter.convert(jobs) if jobs else []
        verifications = []
        for export, partial, message in zip(exports, partials, messages, strict=True):
            function, lowering = traces[_trace_key(export)]
            check_written(partial, export.model, export.precision, message, function)
            round_file(partial, export.model, export.precision, export.keep_float)
            model = models[id(export.model)]
            case = cases[_cases_key(export)]
            verifications.append(_finish(export, model, lowering, partial, case))
    return verifications


def _cases_key(export):
    lengths = cap(export.lengths, export.max_length)
    return id(export.model), id(export.inputs), export.batch_size, lengths


def _trace_key(export):
    return f"{id(export.model)}-{export.lowering}-{export.batch_size}"


def _trace_models(exports, models, folder):
    traces = {}
    for export in exports:
        if (key := _trace_key(export)) not in traces:
            model = models[id(export.model)]
            traces[key] = function, _ = trace(model, export.lowering, export.batch_size)
            write_graphs({SIGNATURE: function}, str(Path(folder, key)))
    return traces


def _finish(export, model, lowering, partial, cases):
    signature = {
        "inputs": describe(input_tensors(model)),
        "outputs": describe(output_tensors(model)),
    }
    for output in signature["outputs"]:
        # Not the model's own, which may be half precision.
        if output["name"] in cases[0].expected:
            output["dtype"] = cases[0].expected[output["name"]].dtype.name
    if export.batch_size:
        for spec in (*signature["inputs"], *signature["outputs"]):
            spec["shape"][0] = export.batch_size
    manifest = {
        "precision": export.precision,
        "lowering": lowering,
        "max_length": export.max_length,
        "signatures": {SIGNATURE: signature},
    }
    if export.keep_float:
        manifest["keep_float"] = sorted(kept_kernels(export.model, export.keep_float))
    if export.details is not None:
        manifest["details"] = export.details
    if isinstance(export.tolerance, dict):
        manifest["tolerances"] = export.tolerance
    if export.step:
        manifest["streaming"] = export.step.describe()
    golden = {
        "inputs": {name: nested_list(array) for name, array in cases[0].inputs.items()},
        "outputs": {name: nested_list(array) for name, array in cases[0].expected.items()},
    }
    tokenizer = None if export.tokenizer is None else export.tokenizer.to_json()
    vocabulary = None
    if _classifies_texts_as_bert(export):
        partial.write_bytes(add_metadata(partial.read_bytes(), model.name))
        vocabulary = export.tokenizer.vocabulary
    write_bundle(partial, manifest, tokenizer, export.labels, golden, vocabulary=vocabulary)
    tolerance = None if isinstance(export.tolerance, dict) else export.tolerance
    return run_cases(partial, export.path, read_bundle(partial), cases, tolerance)


def _classifies_texts_as_bert(export):
    """Whether MediaPipe can know what a model reads and what it says; it cuts the end of a text."""
    outputs = output_tensors(export.model)
    return (
        getattr(export.tokenizer, "name", None) == "bert"
        and export.tokenizer.truncation_side == "right"
        and export.labels is not None
        and [len(output.shape) for output in outputs.values()] == [2]
    )
