"""Recurrent layers on device and in training, beside Keras, ONNX Runtime and PyTorch in one run.

    python -m benchmarks.recurrent

writes `benchmarks/RESULTS.md`. Inference: batch 1, one thread, the last output of one layer.
Training: forward, backward and Adam's update of one layer and a dense head, two threads. The
libraries take turns, so that what else the machine does falls on all of them alike.
"""

import itertools
import statistics
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

import keras
import numpy as np
from ai_edge_litert.interpreter import Interpreter

from benchmarks import peers
from kzoo.export import Export, export_many
from kzoo.layers import CELLS, Recurrent

TARGET = Path(__file__).with_name("RESULTS.md")
SIZES = [(64, 128, 100), (128, 256, 50), (40, 64, 400), (64, 128, 1000), (64, 128, 4000)]
TRAINED_SIZES = SIZES[:3]
BATCHES = (1, 8, 64)
KERAS_LAYERS = {
    "simple_rnn": keras.layers.SimpleRNN,
    "lstm": keras.layers.LSTM,
    "gru": keras.layers.GRU,
}
SECONDS = 6.0
LIBRARIES = ("keras", "tensorflow", "ai-edge-litert", "onnxruntime", "torch")


def main():
    """Runs both tables and writes them."""
    versions = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    parts = [
        f"# Recurrent layers\n\nWritten by `python -m benchmarks.recurrent` with {versions}.\n"
    ]
    parts.append(
        "## On device\n\nMilliseconds for one sequence: batch 1, one thread, median. kzoo's files"
        " take any\nbatch size and length; Keras's has both fixed.\n"
    )
    cases = itertools.product((*KERAS_LAYERS, "sru"), SIZES)
    parts.append(table([device_row(*case) for case in cases]))
    parts.append(
        "## Training step\n\nMilliseconds: forward, backward and update, two threads, median.\n"
    )
    cases = itertools.product(KERAS_LAYERS, TRAINED_SIZES, BATCHES)
    parts.append(table([training_row(*case) for case in cases]))
    TARGET.write_text("\n".join(parts), encoding="utf-8")


def device_row(cell, size):
    """Measures one cell at one size on LiteRT and its peers."""
    features, units, time_steps = size
    sequence = np.random.default_rng(0).normal(size=(1, time_steps, features)).astype("float32")
    inputs = keras.Input((None, features))
    layer = Recurrent(CELLS[cell](units))
    model = keras.Model(inputs, layer(inputs))
    runners = {}
    with tempfile.TemporaryDirectory() as folder:
        precisions = {"kzoo": "float32", "kzoo int8": "dynamic"}
        files = {name: Path(folder, f"{cell}_{p}.tflite") for name, p in precisions.items()}
        export_many([Export(model, files[n], p) for n, p in precisions.items()])
        runners.update({n: litert_runner(file.read_bytes(), sequence) for n, file in files.items()})
    if cell in KERAS_LAYERS:
        theirs = KERAS_LAYERS[cell](units)
        theirs.build((1, time_steps, features))
        theirs.set_weights(layer.get_weights())
        runners["Keras's converter"] = litert_runner(peers.keras_file(theirs, sequence), sequence)
        runners["ONNX Runtime"] = peers.onnx_runner(cell, layer.get_weights(), sequence)
        results = [np.ravel(run()) for name, run in runners.items() if name != "kzoo int8"]
        for result in results[1:]:
            np.testing.assert_allclose(result, results[0], atol=1e-4)
    return {"cell": cell, "sizes": f"{features}, {units}, {time_steps}", **race(runners, "kzoo")}


def litert_runner(content, sequence):
    """Returns a function that runs a `.tflite` file on one thread."""
    interpreter = Interpreter(model_content=content, num_threads=1)
    index = interpreter.get_input_details()[0]["index"]
    interpreter.resize_tensor_input(index, sequence.shape)
    interpreter.allocate_tensors()
    interpreter.set_tensor(index, sequence)
    output = interpreter.get_output_details()[0]["index"]

    def run():
        interpreter.invoke()
        return interpreter.get_tensor(output)

    return run


def training_row(cell, size, batch):
    """Measures a training step of one cell at one size and batch size."""
    features, units, time_steps = size
    rng = np.random.default_rng(0)
    inputs = rng.normal(size=(batch, time_steps, features)).astype("float32")
    targets = rng.normal(size=(batch, 1)).astype("float32")

    def keras_step(layer, jit):
        sequence = keras.Input((None, features))
        model = keras.Model(sequence, keras.layers.Dense(1)(layer(sequence)))
        model.compile("adam", "mse", jit_compile=jit)
        return lambda: model.train_on_batch(inputs, targets)

    runners = {
        "kzoo": keras_step(Recurrent(CELLS[cell](units)), True),
        "Keras graph": keras_step(KERAS_LAYERS[cell](units), False),
        "Keras XLA": keras_step(KERAS_LAYERS[cell](units), True),
        "PyTorch": peers.torch_step(cell, features, units, inputs, targets),
    }
    sizes = f"{features}, {units}, {time_steps}"
    return {"cell": cell, "sizes": sizes, "batch": batch, **race(runners, "kzoo")}


def race(runners, first):
    """Lets the runners take turns; returns median milliseconds, and ratios to the first."""
    for run in runners.values():
        run()
        run()
    times = {name: [] for name in runners}
    end = time.perf_counter() + SECONDS
    while time.perf_counter() < end:
        for name, run in runners.items():
            start = time.perf_counter()
            run()
            times[name].append(1e3 * (time.perf_counter() - start))
    medians = {name: statistics.median(values) for name, values in times.items()}
    cells = {
        name: f"{value:.3f}" + ("" if name == first else f" ({value / medians[first]:.2f}x)")
        for name, value in medians.items()
    }
    print(cells, flush=True)
    return cells


def table(rows):
    """Returns rows as a Markdown table; missing cells are empty."""
    columns = list(dict.fromkeys(column for row in rows for column in row))
    lines = [columns, ["---"] * len(columns)]
    lines += [[str(row.get(column, "")) for column in columns] for row in rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


if __name__ == "__main__":
    main()
