"""Write the `.tflite` files of a model that writes, one for each precision, and verify them."""

import tempfile
from contextlib import ExitStack

from kzoo.export.atomic import atomic_file
from kzoo.export.bundle import read_bundle, write_bundle
from kzoo.export.convert import converter
from kzoo.export.rounding import round_file
from kzoo.export.seq2seq_verification import run_source_cases
from kzoo.export.trace import write_graphs
from kzoo.export.written import check_precision, check_written


def write_text_files(
    programs, paths, manifest, reference, cases, lowering, tolerance, tokenizers, labels=None
):
    """Write all files or none, with one trace and one start of the converter.

    Args:
        programs: `kzoo.export.step_programs.StepPrograms`.
        paths: dict from precisions to files.
        manifest: dict, to which precision, lowering and signatures are added.
        reference: `kzoo.export.seq2seq_cases.Reference`.
        cases: list of its `TextCases`.
        lowering: see `export_tflite`.
        tolerance: see `run_source_cases`.
        tokenizers: tokenizers with `to_json()` or None, of what is read and of what is written.
        labels: names of the classes that are read, or None.

    Returns:
        List of `Verification`, in the order of `paths`.
    """
    converter.start()
    with ExitStack() as stack:
        partials = {name: stack.enter_context(atomic_file(file)) for name, file in paths.items()}
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        functions, lowerings = programs.trace(lowering)
        write_graphs(functions, folder)
        job = {"saved_model": folder, "signatures": list(functions)}
        jobs = [{**job, "target": str(file), "precision": n} for n, file in partials.items()]
        messages = converter.convert(jobs)
        for partial, name, message in zip(partials.values(), paths, messages, strict=True):
            check_written(partial, programs.model, name, message, functions["beam"])
            round_file(partial, programs.model, name)
        manifest = {"lowering": lowerings, "signatures": describe_signatures(programs), **manifest}
        source, target = (tokenizer and tokenizer.to_json() for tokenizer in tokenizers)
        verifications = []
        for name, partial in partials.items():
            content = {"precision": name, **manifest}
            write_bundle(partial, content, source, labels, cases[0].golden, target)
            found = read_bundle(partial), reference, cases, tolerance
            verifications.append(run_source_cases(partial, paths[name], *found))
    return verifications


def check_outputs(path, precision, **tokenizers):
    """Return the dict from precisions to files that `path` stands for.

    Args:
        path: such a dict, or one file.
        precision: of the one file.
        **tokenizers: tokenizers for the bundle, or None, by the name of their argument.

    Raises:
        ValueError: a precision is unknown, or a tokenizer has no `to_json()`.
    """
    paths = path if isinstance(path, dict) else {precision: path}
    for name in paths:
        check_precision(name)
    for name, tokenizer in tokenizers.items():
        if tokenizer is not None and not hasattr(tokenizer, "to_json"):
            raise ValueError(
                f"{name}: expected an object with to_json(), got {type(tokenizer).__name__}"
            )
    return paths


def describe_signatures(programs):
    """Inputs and outputs by signature, ready for JSON."""

    def describe(tensors):
        return [{"name": n, "shape": list(s), "dtype": d} for n, s, d in tensors]

    return {
        name: {"inputs": describe(inputs), "outputs": describe(programs.outputs[name])}
        for name, inputs in programs.inputs.items()
    }
