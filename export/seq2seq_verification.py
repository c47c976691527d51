"""Run the `.tflite` file of a model that writes in both runtimes and compare it with Keras."""

import statistics
import time
from pathlib import Path

import numpy as np

from kzoo.export.cases import Case
from kzoo.export.errors import VerificationError
from kzoo.export.flatbuffer import constant_bytes, operators
from kzoo.export.runtimes import quiet
from kzoo.export.verification import LATENCY_RUNS, RUNTIMES, Verification, compare

# States and logits, and the sums of many of them, are no probabilities: errors of rounding are
# larger than in the outputs of a classifier.
TOLERANCE = {"float32": 1e-4, "float16": 1e-2, "dynamic": 2e-1}
# A CompiledModel starts anew at every step, so its host loop is kept short.
HOST_STEPS = {"CompiledModel": 2}
# How often a row is drawn before it counts as different.
DRAWS = 3
# The converter writes this for the score -inf, of a hypothesis that was not found.
LOWEST = np.finfo("float32").min


def run_source_cases(file, path, bundle, reference, cases, tolerance=None):
    """Run every batch in every signature and runtime; see `export_seq2seq`.

    Args:
        file: the file.
        path: what messages call it.
        bundle: its `Bundle`.
        reference: `kzoo.export.seq2seq_cases.Reference`.
        cases: list of `kzoo.export.seq2seq_cases.TextCases`.
        tolerance: largest allowed difference; by default that of the precision in
            `TOLERANCE`.

    Returns:
        `Verification`; its latency is that of `greedy` for the first batch.
    """
    precision = bundle.manifest["precision"]
    tolerance = TOLERANCE[precision] if tolerance is None else tolerance
    with quiet():
        differences = [
            run_signatures(
                path,
                name,
                {
                    signature: runtime(file, signature)
                    for signature in bundle.manifest["signatures"]
                },
                bundle.manifest,
                reference,
                cases,
                tolerance,
            )
            for name, runtime in RUNTIMES.items()
        ]
        latency = _latency(file, cases[0].greedy)
    content = Path(file).read_bytes()
    return Verification(
        path=Path(path),
        precision=precision,
        size_bytes=len(content),
        constant_bytes=constant_bytes(content),
        operators=operators(content)[0],
        lowering=bundle.manifest["lowering"],
        max_difference=max(differences),
        tolerance=tolerance,
        cases=tuple(case.greedy.shapes for case in cases),
        runtimes=tuple(RUNTIMES),
        latency_ms=latency,
        latency_shapes=cases[0].greedy.shapes,
    )


def run_signatures(path, name, runtimes, manifest, reference, cases, tolerance=None):
    """Run every batch in every signature of one runtime; see `run_source_cases`.

    Args:
        path: what messages call the file or folder.
        name: what they call the runtime.
        runtimes: by signature, what runs it on arrays by name.
        manifest: dict with the precision and the settings of the search.
        reference: see `run_source_cases`.
        cases: see `run_source_cases`.
        tolerance: see `run_source_cases`.

    Returns:
        Largest absolute difference from the Keras model.
    """
    tolerance = TOLERANCE[manifest["precision"]] if tolerance is None else tolerance
    return _Run(path, name, runtimes, manifest, reference, tolerance).run(cases)


class _Run:
    """One runtime on all batches."""

    def __init__(self, path, name, runtimes, manifest, reference, tolerance):
        self.where = f"{path} in {name}"
        self.name = name
        self.search = manifest.get("seq2seq") or manifest["language"]
        self.exact = manifest["precision"] == "float32"
        self.reference = reference
        self.tolerance = tolerance
        self.runtimes = runtimes

    def run(self, cases):
        """Returns the largest difference."""
        largest = 0.0
        for case in cases:
            for signature, part in case.plain:
                outputs = self.call(signature, part.inputs, part.expected)
                largest = max(largest, self.compare(signature, part, outputs))
            for signature, part in case.searches.items():
                largest = max(largest, self.search_case(signature, part))
        self.host_loop(cases[-1])
        return largest

    def call(self, signature, inputs, expected):
        """Runs a signature, whose outputs have the shapes of these arrays."""
        shapes = {name: array.shape for name, array in expected.items()}
        try:
            return self.runtimes[signature].run(inputs, shapes)
        except (RuntimeError, ValueError) as error:
            shapes = {name: array.shape for name, array in inputs.items()}
            raise VerificationError(
                f"{self.where}: {signature!r} failed on inputs of shape {shapes}: {error}"
            ) from error

    def compare(self, signature, case, outputs, tolerance=None):
        """The largest difference; too large a one raises."""
        where = f"{self.where}, {signature!r} of {case.shapes}"
        return compare(where, case, outputs, self.tolerance if tolerance is None else tolerance)

    def search_case(self, signature, case):
        """Compares a whole search: float32 by its ids, and all by the scores of their ids."""
        outputs = self.call(signature, case.inputs, case.expected)
        # Where weights are rounded, other ids may win; their scores must be those Keras gives.
        scores = self.rescore(next(iter(case.inputs.values())), outputs, signature == "beam")
        missing = outputs["lengths"] == 0
        if not np.all(outputs["scores"][missing] <= LOWEST):
            raise VerificationError(f"{self.where}, {signature!r}: a score without ids")
        found = {"scores": np.where(missing, 0.0, outputs["scores"])}
        expected = {"scores": np.where(missing, 0.0, scores)}
        if self.exact and signature == "sample":
            self.compare_draws(case, outputs)
        elif self.exact:
            same = (outputs["ids"] == case.expected["ids"]).all(axis=-1)
            # Other ids are right only where they tie: for the same score, as Keras computes it.
            ties = np.where(same | missing, 0.0, scores)
            wanted = np.where(same | missing, 0.0, case.expected["scores"])
            self.compare(signature, Case(case.inputs, {"ids": wanted}), {"ids": ties})
            if "alignments" in outputs:
                rows = np.expand_dims(same, (-2, -1))
                found["alignments"] = outputs["alignments"] * rows
                expected["alignments"] = case.expected["alignments"] * rows
        return self.compare(signature, Case(case.inputs, expected), found)

    def compare_draws(self, case, outputs):
        """Compares what was drawn; rows that differ are drawn anew.

        One draw in some 100,000 falls so close to the border between two ids that rounding moves it
        to the other side. A row that is not drawn as Keras draws it differs with other seeds, too.
        """
        for _ in range(DRAWS):
            rows = (outputs["ids"] != case.expected["ids"]).any(axis=-1)
            if not rows.any():
                return
            inputs = {n: x[rows] if np.ndim(x) else x for n, x in case.inputs.items()}
            case = self.reference.draw_again(next(iter(inputs.values())), inputs["seed"] + 1)
            outputs = self.call("sample", case.inputs, case.expected)
        raise VerificationError(f"{self.where}: 'sample' draws other ids than the Keras model")

    def rescore(self, read, outputs, is_beam):
        """The scores that the Keras model gives these ids."""
        lengths = outputs["lengths"]
        counts = lengths.reshape(len(read), -1)
        ids = outputs["ids"].reshape(*counts.shape, -1)
        scores = [
            self.reference.run("rescore", read, ids[:, n], np.maximum(counts[:, n], 1), is_beam)
            for n in range(counts.shape[1])
        ]
        return np.stack([x["score"] for x in scores], axis=1).reshape(lengths.shape)

    def host_loop(self, case):
        """Decodes by what reads and `step`; that gives the ids of `greedy`."""
        outputs = self.call("greedy", case.greedy.inputs, case.greedy.expected)
        signature, read = case.plain[0]
        state = self.call(signature, read.inputs, read.expected)
        (step, *_) = (part for name, part in case.plain if name == "step")
        ids = np.full(len(outputs["ids"]), self.search["start_id"], "int32")
        finished = np.zeros(len(ids), bool)
        steps = HOST_STEPS.get(self.name) or self.search["max_length"]
        for t in range(min(steps, self.search["max_length"])):
            if "logits" not in state:
                after = self.call("step", {"ids": ids, **state}, step.expected)
                state |= {name.removeprefix("next_"): x for name, x in after.items()}
            logits = state.pop("logits")
            logits[:, self.search["banned_ids"]] = -np.inf
            ids = logits.argmax(axis=-1).astype("int32")
            if self.exact and not np.array_equal(ids[~finished], outputs["ids"][~finished, t]):
                raise VerificationError(
                    f"{self.where}: step {t} of a loop over 'step' gives other ids than 'greedy'"
                )
            finished |= ids == self.search["end_id"]
            if finished.all():
                break


def _latency(file, case):
    runtime = RUNTIMES["Interpreter"](file, "greedy")
    times = []
    for _ in range(1 + LATENCY_RUNS // 4):
        start = time.perf_counter()
        runtime.run(case.inputs)
        times.append(time.perf_counter() - start)
    return statistics.median(times[1:]) * 1000
