"""Run a `.tflite` file in both runtimes and compare it with the Keras model."""

import statistics
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from kzoo.export.bundle import SIGNATURE, read_bundle
from kzoo.export.cases import BATCH_SIZES, LENGTHS, Case, make_cases
from kzoo.export.errors import VerificationError
from kzoo.export.flatbuffer import constant_bytes, has_variables, operators
from kzoo.export.runtimes import CompiledModelRuntime, InterpreterRuntime, quiet
from kzoo.export.stream import Stream

# Largest allowed difference by precision, for outputs of size one such as probabilities. Of
# integers, such as tags, it is the largest share that may be another one.
TOLERANCE = {"float32": 1e-5, "float16": 1e-2, "dynamic": 1e-1}
# What the converter writes for infinity, and with a minus for its opposite.
LARGEST = float(np.finfo("float32").max)
LATENCY_RUNS = 21
RUNTIMES = {"Interpreter": InterpreterRuntime, "CompiledModel": CompiledModelRuntime}


@dataclass(frozen=True)
class Verification:
    """What was run, and how far it was from the Keras model.

    Attributes:
        path: the file.
        precision: "float32", "float16", "dynamic", or None for a file without a manifest.
        size_bytes: size of the file with all it carries.
        constant_bytes: bytes of the model's constants by tensor type.
        operators: sorted names of the built-in operators, loop bodies included.
        lowering: how each recurrent layer of kzoo walks time, by layer name, see `export_tflite`;
            empty for a file without a manifest.
        max_difference: largest absolute difference from the Keras model over all cases.
        tolerance: what was allowed, times the largest absolute expected output where that is
            above one.
        cases: input shapes by name for every batch that was run.
        runtimes: names of the runtimes, every one of which ran every case. CompiledModel, which
            has no variable tensors, is missing for files of the lowering "fused".
        latency_ms: median milliseconds of one run in the Interpreter, one thread, batch size 1.
        latency_shapes: the input shapes of those runs.

    Example:

    >>> import keras
    >>> from kzoo.export import export_tflite
    >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    >>> verification = export_tflite(model, "model.tflite")
    >>> verification.max_difference <= verification.tolerance
    True
    >>> verification.runtimes, verification.lowering
    (('Interpreter', 'CompiledModel'), {})
    """

    path: Path
    precision: str | None
    size_bytes: int
    constant_bytes: dict[str, int]
    operators: tuple[str, ...]
    lowering: dict[str, str]
    max_difference: float
    tolerance: float
    cases: tuple[dict[str, tuple[int, ...]], ...]
    runtimes: tuple[str, ...]
    latency_ms: float
    latency_shapes: dict[str, tuple[int, ...]]


def verify(path, model, inputs=None, tolerance=None, *, lengths=LENGTHS):
    """Run a `.tflite` file in LiteRT's Interpreter and CompiledModel against the Keras model.

    Batch sizes 1 and 5 are combined with every length that is allowed, on dynamic axes. Step models
    of `export_streaming` are run over whole sequences, chunk by chunk, and their golden batch too.

    Args:
        path: a file of `export_tflite`, or any `.tflite` with the model's input and output names.
        model: the keras.Model that it was made from.
        inputs: real inputs: array, list of arrays or dict of arrays by input name, with a batch
            axis. Without them, random ids inside the vocabulary or standard normal features.
        tolerance: largest allowed absolute difference; where an expected output is larger than
            one, times that output's largest absolute value. Of an output of integers, such as tags,
            the largest share that may be another one. By default 1e-5 for float32, 1e-2 for float16
            and 1e-1 for dynamic.
        lengths: sizes tried on dynamic axes other than the batch axis; the file's maximum length
            stands in for those above it, and whole chunks for parts of one.

    Returns:
        `Verification`.

    Raises:
        VerificationError: a difference above the tolerance, NaN in any output, or other names
            or shapes than the model's.
        ExportError: the file cannot be loaded, or was damaged.

    Example:

    >>> from kzoo.export import ExportError, verify
    >>> try:
    ...     verify("missing.tflite", model=None)
    ... except ExportError as error:
    ...     print(error)
    path: no such file: missing.tflite
    """
    bundle = read_bundle(path)
    if bundle is None:
        # A file of others may be none at all, and is looked into only once it was loaded.
        InterpreterRuntime(path, SIGNATURE)
        return run_cases(path, path, None, make_cases(model, inputs, cap(lengths, None)), tolerance)
    manifest = bundle.manifest
    if "seq2seq" in manifest:
        from kzoo.export.seq2seq import verify_seq2seq

        return verify_seq2seq(path, bundle, model, inputs, tolerance)
    if "language" in manifest:
        from kzoo.export.language import verify_language_model

        return verify_language_model(path, bundle, model, inputs, tolerance)
    lengths = cap(lengths, manifest["max_length"])
    cases = []
    if "streaming" in manifest:
        lengths = whole_chunks(lengths, manifest["streaming"]["chunk_size"])
        cases = [golden_case(bundle)]
    batch_size = manifest["signatures"][SIGNATURE]["inputs"][0]["shape"][0]
    sizes = (batch_size,) if batch_size else BATCH_SIZES
    cases += make_cases(model, inputs, lengths, batch_sizes=sizes)
    return run_cases(path, path, bundle, cases, tolerance)


def whole_chunks(lengths, chunk_size):
    """The lengths, rounded up to whole chunks; increasing."""
    size = chunk_size or 1
    return tuple(sorted({-(-length // size) * size for length in lengths}))


def golden_case(bundle):
    """The golden batch that a file carries."""
    signature = bundle.manifest["signatures"][SIGNATURE]
    sides = []
    for side in ("inputs", "outputs"):
        dtypes = {spec["name"]: spec["dtype"] for spec in signature[side]}
        arrays = bundle.golden[side].items()
        sides.append({name: np.asarray(array, dtypes[name]) for name, array in arrays})
    return Case(*sides)


def cap(lengths, max_length):
    """The lengths, none above `max_length` (None for no limit), increasing."""
    if max_length is not None and max_length < 1:
        raise ValueError(f"max_length: expected at least 1 or None, got {max_length!r}")
    if not lengths or min(lengths) < 1:
        raise ValueError(f"lengths: expected sizes of at least 1, got {lengths!r}")
    return tuple(sorted({min(length, max_length or length) for length in lengths}))


def run_cases(file, path, bundle, cases, tolerance=None):
    """Run every case in every runtime; see `verify`. `path` is what messages call `file`."""
    precision = bundle.manifest["precision"] if bundle else None
    if tolerance is None:
        tolerance = TOLERANCE[precision or "float32"]
    content = Path(file).read_bytes()
    names = [name for name in RUNTIMES if name == "Interpreter" or not has_variables(content)]
    manifest = bundle.manifest if bundle else {}
    with quiet():
        largest = max(_run(file, path, name, manifest, cases, tolerance) for name in names)
    latency, shapes = _latency(file, manifest, cases)
    return Verification(
        path=Path(path),
        precision=precision,
        size_bytes=len(content),
        constant_bytes=constant_bytes(content),
        operators=operators(content)[0],
        lowering=manifest.get("lowering", {}),
        max_difference=largest,
        tolerance=tolerance,
        cases=tuple(case.shapes for case in cases),
        runtimes=tuple(names),
        latency_ms=latency,
        latency_shapes=shapes,
    )


def _run(file, path, name, manifest, cases, tolerance):
    runtime = RUNTIMES[name](file, SIGNATURE)
    if "streaming" in manifest:
        runtime = Stream(runtime, manifest)
    if runtime.input_names != sorted(cases[0].inputs):
        raise VerificationError(
            f"{path}: expected the inputs {sorted(cases[0].inputs)}, "
            f"the file has {runtime.input_names}"
        )
    largest = 0.0
    for case in cases:
        shapes = {output: array.shape for output, array in case.expected.items()}
        try:
            outputs = runtime.run(case.inputs, shapes)
        except (RuntimeError, ValueError) as error:
            raise VerificationError(
                f"{path}: {name} failed on inputs of shape {case.shapes}: {error}"
            ) from error
        where = f"{path} in {name}, {case.shapes}"
        tolerances = manifest.get("tolerances", {})
        largest = max(largest, compare(where, case, outputs, tolerance, tolerances))
    return largest


def compare(where, case, outputs, tolerance, tolerances=None):
    """Largest difference of outputs by name from `case.expected`; too large a one raises.

    Outputs named in `tolerances` have their own tolerance, and do not count for the largest.
    """
    tolerances = tolerances or {}
    if sorted(outputs) != sorted(case.expected):
        raise VerificationError(
            f"{where}: expected the outputs {sorted(case.expected)}, got {sorted(outputs)}"
        )
    largest = 0.0
    for name, expected in case.expected.items():
        output = outputs[name]
        if output.shape != expected.shape:
            raise VerificationError(
                f"{where}: output {name!r} should have shape {expected.shape}, got {output.shape}"
            )
        difference, allowed = _difference(output, expected), tolerances.get(name, tolerance)
        if not _is_choice(expected):
            sizes = np.abs(expected)
            allowed *= max(1.0, float(sizes[sizes < LARGEST].max(initial=0)))
        # Written so that NaN, which compares as false, fails.
        if not difference <= allowed:
            raise VerificationError(
                f"{where}: output {name!r} differs from the Keras model by {difference:.3g}, "
                f"allowed is {allowed:.3g}"
            )
        if name not in tolerances:
            largest = max(largest, difference)
    return largest


def _is_choice(array):
    return array.dtype.kind in "iub"


def _difference(output, expected):
    """The largest absolute difference; of choices, such as tags, the share that is another one."""
    if _is_choice(expected):
        return float(np.mean(output != expected))
    both = (np.clip(x.astype("float64"), -LARGEST, LARGEST) for x in (output, expected))
    return float(np.abs(np.subtract(*both)).max())


def _latency(file, manifest, cases):
    single = min(len(next(iter(case.inputs.values()))) for case in cases)
    case = [c for c in cases if len(next(iter(c.inputs.values()))) == single][-1]
    runtime, inputs = InterpreterRuntime(file, SIGNATURE), case.inputs
    run = runtime.run
    if "streaming" in manifest:
        stream = Stream(runtime, manifest)
        run, inputs = stream.step, stream.cut(inputs, 0, manifest["streaming"]["chunk_size"] or 1)
    run(inputs)
    times = []
    for _ in range(LATENCY_RUNS):
        start = time.perf_counter()
        run(inputs)
        times.append(time.perf_counter() - start)
    return statistics.median(times) * 1000, {name: x.shape for name, x in inputs.items()}
