"""Times files of `benchmarks.recurrent_files`: batch 1, one thread, float32 unless it says int8."""

import numpy as np
import onnxruntime
from ai_edge_litert.interpreter import Interpreter

from benchmarks.race import race
from benchmarks.recurrent_files import makers, name

SECONDS = 2.0
CLOSE = 1e-4


def time_device(folder, cell, size, outputs):
    """Returns median milliseconds by maker, after their outputs were compared.

    Args:
        folder: Where `write_files` wrote.
        cell: Name of the cell; beside "sru" runs the fused operator's LSTM.
        size: Inputs, units and time steps.
        outputs: "last" or "all".
    """
    sequence = np.random.default_rng(0).normal(size=(1, size[2], size[0])).astype("float32")
    runners = {}
    for maker in makers(cell, size):
        start = onnx_runner if maker == "ONNX" else litert_runner
        runners[maker] = start(folder / name(cell, size, outputs, maker), sequence)
    results = {maker: np.ravel(run()) for maker, run in runners.items()}
    for maker, result in results.items():
        if maker != "kzoo int8" and not abs(result - results["kzoo"]).max() < CLOSE:
            raise SystemExit(f"{cell} {size} {outputs}: {maker} and kzoo differ")
    if cell == "sru":
        fused = folder / name("lstm", size, outputs, "fused")
        runners["fused LSTM"] = litert_runner(fused, sequence)
    return race(runners, SECONDS)


def litert_runner(path, sequence):
    """Returns a function that runs a `.tflite` file on one thread."""
    interpreter = Interpreter(str(path), num_threads=1)
    index = interpreter.get_input_details()[0]["index"]
    interpreter.resize_tensor_input(index, sequence.shape)
    interpreter.allocate_tensors()
    interpreter.set_tensor(index, sequence)
    output = interpreter.get_output_details()[0]["index"]

    def run():
        interpreter.invoke()
        return interpreter.get_tensor(output)

    return run


def onnx_runner(path, sequence):
    """Returns a function that runs an ONNX file on one thread."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    feed = {"sequence": np.ascontiguousarray(sequence.transpose(1, 0, 2))}
    return lambda: session.run(None, feed)[0]
