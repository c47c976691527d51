"""BERT on device beside ONNX Runtime: one text, one thread, the same weights, one run.

    python -m benchmarks.bert write runs/bert [--weights FOLDER]
    python -m benchmarks.bert time runs/bert

writes the files, of a folder of Hugging Face or of random weights with MiniLM's sizes, and then
times them. The two are apart so that the second needs nothing but the two runtimes.
"""

import argparse
import json
import statistics
import sys
import time
from pathlib import Path

import numpy as np

LENGTHS = (16, 64, 128)
SECONDS = 4.0
FILES = {
    "float32": {"kzoo": "float32.tflite", "ONNX Runtime": "float32.onnx"},
    "int8": {"kzoo": "int8.tflite", "ONNX Runtime": "int8.onnx"},
}
MINILM = {
    "vocabulary_size": 30522,
    "embedding_dim": 384,
    "num_heads": 12,
    "hidden_dim": 1536,
    "num_layers": 6,
}
CLOSE = 1e-3
# These kernels stay in float32 in the file of int8. They are four of the eight layers that
# `python -m benchmarks.minilm --first 500 --rank` ranks first. Of the choices that were tried on
# 2,500 sentences after the 500 that are judged by, they are the smallest with vectors whose cosines
# with the float ones are at least 0.996. One or two layers more leave 0.997, and a lead of 1 to 9 %
# over ONNX Runtime.
KEEP_FLOAT = (
    "block_5/attention/value",
    "block_4/attention/value",
    "block_4/feed_forward/hidden",
    "block_2/feed_forward/output",
)


def main(arguments):
    """Writes or times, and returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("do", choices=("write", "time"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--weights", type=Path, help="folder of Hugging Face")
    parser.add_argument("--lengths", type=int, nargs="+", default=LENGTHS)
    options = parser.parse_args(arguments)
    if options.do == "write":
        write(options.folder, options.weights)
    else:
        measure(options.folder, options.lengths)
    return 0


def write(folder, weights):
    """Writes the four files."""
    from benchmarks.bert_onnx import write_onnx
    from kzoo.export import export_many
    from kzoo.models import bert, load_bert

    folder.mkdir(parents=True, exist_ok=True)
    model = bert(**MINILM) if weights is None else load_bert(weights)
    precisions = {"float32": "float32", "int8": "dynamic"}
    write_onnx(model, *(folder / FILES[name]["ONNX Runtime"] for name in precisions))
    files = {precision: folder / FILES[name]["kzoo"] for name, precision in precisions.items()}
    export_many(exports(model, files, max_length=128))


def exports(model, files, keep_float=KEEP_FLOAT, **options):
    """Returns what `export_many` takes, for an encoder or a model of one.

    Args:
        model: the model.
        files: dict from precisions to files.
        keep_float: layers that stay in float32 in "dynamic".
        **options: further attributes of `Export`.
    """
    from kzoo.export import Export

    kept = {"dynamic": keep_float}
    return [
        Export(model, file, precision, keep_float=kept.get(precision, ()), **options)
        for precision, file in files.items()
    ]


def measure(folder, lengths):
    """Times every length and precision, and adds the medians to `times.json`."""
    target = folder / "times.json"
    rows = json.loads(target.read_text()) if target.exists() else {}
    for length in lengths:
        ids = np.random.default_rng(length).integers(1000, 30000, (1, length), dtype="int32")
        inputs = {"ids": ids, "mask": np.ones_like(ids), "segment_ids": np.zeros_like(ids)}
        for precision, files in FILES.items():
            runners = {
                "kzoo": litert_runner(folder / files["kzoo"], inputs),
                "ONNX Runtime": onnx_runner(folder / files["ONNX Runtime"], inputs),
            }
            results = [run() for run in runners.values()]
            difference = float(abs(results[0] - results[1]).max())
            if precision == "float32" and not difference < CLOSE:
                raise SystemExit(f"{length}: the two differ by {difference}")
            medians = race(runners)
            ratio = medians["ONNX Runtime"] / medians["kzoo"]
            row = {"length": length, "precision": precision, **medians, "ratio": ratio}
            row["difference"] = difference
            rows[f"{length} {precision}"] = row
            print(row, flush=True)
            target.write_text(json.dumps(rows, indent=2) + "\n")


def litert_runner(path, inputs):
    """Returns a function that runs a `.tflite` file on one thread and gives the sequence."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(path), num_threads=1)
    signature = interpreter.get_signature_runner("serving_default")
    output = signature.get_output_details()["sequence"]["index"]
    indices = {name: detail["index"] for name, detail in signature.get_input_details().items()}
    # The interpreter cannot be resized while a runner holds it.
    del signature
    for name, index in indices.items():
        interpreter.resize_tensor_input(index, inputs[name].shape)
    interpreter.allocate_tensors()

    def run():
        for name, index in indices.items():
            interpreter.set_tensor(index, inputs[name])
        interpreter.invoke()
        return interpreter.get_tensor(output)

    return run


def onnx_runner(path, inputs):
    """Returns a function that runs an ONNX file on one thread and gives the sequence."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return lambda: session.run(["sequence"], inputs)[0]


def race(runners):
    """Lets the runners take turns; returns median milliseconds."""
    for _ in range(3):
        for run in runners.values():
            run()
    times = {name: [] for name in runners}
    end = time.perf_counter() + SECONDS
    while time.perf_counter() < end:
        for name, run in runners.items():
            start = time.perf_counter()
            run()
            times[name].append(1e3 * (time.perf_counter() - start))
    return {name: statistics.median(values) for name, values in times.items()}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
