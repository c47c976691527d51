"""Stream a million steps through a step model: memory stays flat, the result is the offline one.

Run with `python benchmarks/stream.py [steps] [chunk_size]`.
"""

import resource
import sys
import tempfile
import time
from pathlib import Path

import keras
import numpy as np

from kzoo.export import StreamingPredictor, export_streaming
from kzoo.layers import LSTMCell, Recurrent, SRUCell

FEATURES, UNITS = 16, 32
REPORTS = 10


def resident_bytes():
    """What the process holds in memory now (Linux)."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def main(steps=1_000_000, chunk_size=1):
    """Print time, memory and the largest difference while the stream goes on."""
    steps -= steps % (REPORTS * chunk_size)
    keras.utils.set_random_seed(0)
    inputs = keras.Input((None, FEATURES))
    x = Recurrent(LSTMCell(UNITS), return_sequences=True)(inputs)
    x = Recurrent(SRUCell(UNITS), return_sequences=True)(x)
    model = keras.Model(inputs, keras.layers.Dense(4)(x))
    sequence = np.random.default_rng(0).normal(size=(1, steps, FEATURES)).astype("float32")
    start = time.perf_counter()
    offline = model.predict(sequence, verbose=0)
    print(f"offline: {steps:,} steps in {time.perf_counter() - start:.1f} s")

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "model.tflite")
        export_streaming(model, path, chunk_size)
        predictor = StreamingPredictor(path)
        predictor(sequence[:, :chunk_size])
        predictor.reset()
        first, largest, start = resident_bytes(), 0.0, time.perf_counter()
        for end in range(chunk_size, steps + 1, chunk_size):
            outputs = predictor(sequence[:, end - chunk_size : end])
            difference = np.abs(outputs - offline[:, end - chunk_size : end]).max()
            largest = max(largest, float(difference))
            if end % (steps // REPORTS) == 0:
                grown = (resident_bytes() - first) / 2**20
                each = (time.perf_counter() - start) / end * 1e6
                print(
                    f"{end:>9,} steps: {each:.1f} us a step, {grown:+.1f} MiB, "
                    f"largest difference {largest:.1e}",
                    flush=True,
                )
    if grown > 16 or not largest <= 1e-5:
        sys.exit("the stream is not flat, or not the offline result")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
