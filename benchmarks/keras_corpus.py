"""Plain Keras models as `.tflite` files, by kzoo and by Keras itself, side by side.

    python -m benchmarks.keras_corpus

writes `benchmarks/KERAS_CORPUS.md`. The models are those of `tests/export/keras_corpus.py`. Keras's
`model.export(format="litert")` runs in a process of its own for each model, because it may crash;
its file meets the same batches as kzoo's: 1 and 5 rows, of 3, 37 and 100 steps; and batches of the
size that the model fixes, if it does.
"""

import json
import re
import signal
import subprocess
import sys
import tempfile
import warnings
from importlib.metadata import version
from pathlib import Path

import numpy as np

from kzoo.export import Export, export_many
from kzoo.export.cases import LENGTHS, make_cases
from kzoo.export.errors import ExportError
from kzoo.export.replace import replace_layers
from kzoo.export.verification import RUNTIMES, TOLERANCE
from tests.export.keras_corpus import CORPUS, build_model

TARGET = Path(__file__).with_name("KERAS_CORPUS.md")
SECONDS = 900
LIBRARIES = ("keras", "tensorflow", "ai-edge-litert")
HEADER = """# Plain Keras models on LiteRT

Written by `python -m benchmarks.keras_corpus` with {versions}.

Each model is built of Keras's own layers, with random weights. **kzoo** is `export_tflite(model,
path)`: built-in operators only, dynamic batch; the largest absolute difference from the Keras
model over batches of 1 and 5 rows and lengths of 3, 37 and 100 steps, in LiteRT's Interpreter and
CompiledModel. **Keras** is what `model.export(path, format="litert")` gives, on the same batches
and, where the model fixes one, on its own batch size; a difference of up to {tolerance:g} counts as
agreement. A stateful model is compared from a state of zeros, one of mixed precision in float32.

| model | what it is | kzoo: difference | kzoo: KB | Keras's file |
|---|---|---|---|---|
"""


def main():
    """Exports all models both ways and writes the table."""
    models = {name: build_model(name) for name in CORPUS}
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        # The stateful model's; the table says the same.
        warnings.simplefilter("ignore")
        exports = [Export(model, Path(folder, f"{name}.tflite")) for name, model in models.items()]
        verifications = dict(zip(models, export_many(exports), strict=True))
    versions = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    lines = []
    for name, verification in verifications.items():
        verdict = keras_verdict(name)
        print(f"{name}: {verdict}", flush=True)
        cells = (
            f"`{name}`",
            CORPUS[name].__doc__,
            f"{verification.max_difference:.1e}",
            f"{verification.size_bytes / 1000:.0f}",
            verdict,
        )
        lines.append(f"| {' | '.join(cells)} |\n")
    header = HEADER.format(versions=versions, tolerance=TOLERANCE["float32"])
    TARGET.write_text(header + "".join(lines), encoding="utf-8")


def keras_verdict(name):
    """What becomes of a model that Keras exports, in a few words."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "benchmarks.keras_corpus", name, folder]
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS)
        results = Path(folder, "results.json")
        if done.returncode < 0:
            return f"the process dies ({signal.Signals(-done.returncode).name})"
        if not results.exists():
            return f"export fails: {_short(done.stderr.strip().splitlines()[-1])}"
        return _summary(json.loads(results.read_text()))


def _summary(results):
    """One verdict from a runtime's message or difference for each batch, by runtime."""
    parts = {}
    for runtime, outcomes in results.items():
        if isinstance(outcomes, str):
            parts[runtime] = f"refused: {_short(outcomes)}"
            continue
        if all(isinstance(text, str) for text in outcomes.values()):
            parts[runtime] = f"refused: {_short(next(iter(outcomes.values())))}"
            continue
        failures = [text for text in outcomes.values() if isinstance(text, str)]
        differences = [x for x in outcomes.values() if not isinstance(x, str)]
        wrong = [x for x in differences if not x <= TOLERANCE["float32"]]
        if not failures and not wrong:
            parts[runtime] = f"runs and agrees ({max(differences):.1e})"
            continue
        words = [f"{len(differences) - len(wrong)} of {len(outcomes)} batches agree"]
        if wrong:
            words.append(f"{len(wrong)} differ, by up to {max(wrong):.1e}")
        if failures:
            words.append(f"{len(failures)} fail: {_short(failures[0])}")
        parts[runtime] = "; ".join(words)
    # The Interpreter, which comes first, says more.
    if len(set(parts.values())) == 1 or all(text.startswith("refused") for text in parts.values()):
        return next(iter(parts.values()))
    return ". ".join(f"{runtime}: {text}" for runtime, text in parts.items())


def _short(message):
    """The telling part of a message."""
    flex = re.search(r"\(Flex\w+\)", message)
    if flex:
        return f"Select TensorFlow operators {flex[0]}"
    first = message.strip().splitlines()[0]
    return re.sub(r"\S*/\S+/\S*", "...", first).replace("|", "/")[:160]


def export_by_keras(name, folder):
    """Lets Keras export one model, and runs its file; the end of the subprocess."""
    model = build_model(name)
    path = Path(folder, "model.tflite")
    cases = make_cases(replace_layers(model), original=model)
    if model.inputs[0].shape[0] is not None:
        cases += make_cases(model, lengths=LENGTHS)
    model.export(path, format="litert", verbose=False)
    results = {name: _run(runtime, path, cases) for name, runtime in RUNTIMES.items()}
    Path(folder, "results.json").write_text(json.dumps(results))


def _run(kind, path, cases):
    """The largest difference on every batch, or what the runtime said."""
    outcomes = {}
    for case in cases:
        try:
            # A new one each time: a file may carry hidden state.
            runtime = kind(path, "serving_default")
        except ExportError as error:
            return str(error)
        expected = list(case.expected.values())
        # Keras numbers its outputs in the model's order.
        shapes = {f"output_{n}": array.shape for n, array in enumerate(expected)}
        try:
            outputs = runtime.run(case.inputs, shapes)
        except Exception as error:  # Whatever a runtime raises is the result.
            outcomes[str(case.shapes)] = str(error)
            continue
        arrays = [outputs[name] for name in shapes]
        if any(a.shape != e.shape for a, e in zip(arrays, expected, strict=True)):
            outcomes[str(case.shapes)] = "outputs of another shape"
            continue
        pairs = zip(arrays, expected, strict=True)
        outcomes[str(case.shapes)] = max(float(np.abs(a - e).max()) for a, e in pairs)
    return outcomes


if __name__ == "__main__":
    if len(sys.argv) == 3:
        export_by_keras(*sys.argv[1:])
    else:
        main()
