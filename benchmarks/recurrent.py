"""Recurrent layers on device and in training, beside Keras, ONNX Runtime and PyTorch in one run.

    python -m benchmarks.recurrent [--rows lstm.*] [--again]

writes `benchmarks/RESULTS.md`. Each row is timed by itself, and its medians are kept in
`runs/bench/recurrent/rows.json`, so that a run can be stopped and goes on; the libraries of a row
take turns. `--rows` times only the rows whose name holds the pattern, and `--again` times rows that
are there already.
"""

import argparse
import itertools
import json
import re
import sys
from pathlib import Path

from benchmarks.recurrent_device import time_device
from benchmarks.recurrent_files import DEVICE_CELLS, KERAS_LAYERS, SIZES, write_files
from benchmarks.recurrent_report import report
from benchmarks.recurrent_training import time_training

TARGET = Path(__file__).with_name("RESULTS.md")
FOLDER = Path("runs/bench/recurrent")
BATCHES = (1, 8, 64)


def main(arguments):
    """Times what is asked for, and writes the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", default="")
    parser.add_argument("--again", action="store_true")
    parser.add_argument("--files", action="store_true", help="write the files and time nothing")
    options = parser.parse_args(arguments)
    store = FOLDER / "rows.json"
    times = json.loads(store.read_text()) if store.exists() else {}
    wanted = {
        name: row
        for name, row in rows().items()
        if re.search(options.rows, name) and (options.again or name not in times)
    }
    keys = [key for kind, key in wanted.values() if kind == "device"]
    # Beside the SRU runs the fused operator, which is an LSTM.
    write_files(FOLDER, [*keys, *(("lstm", *rest) for cell, *rest in keys if cell == "sru")])
    for name, (kind, key) in () if options.files else wanted.items():
        times[name] = time_device(FOLDER, *key) if kind == "device" else time_training(*key)
        print(name, {k: round(v, 3) for k, v in times[name].items()}, flush=True)
        store.write_text(json.dumps(times, indent=2) + "\n")
    TARGET.write_text(report({name: times[name] for name in rows() if name in times}))


def rows():
    """Returns, by the name of each row, its kind and what its function is called with."""
    result = {}
    for outputs, cell, size in itertools.product(("last", "all"), DEVICE_CELLS, SIZES):
        result[f"device {outputs} {cell} {text(size)}"] = "device", (cell, size, outputs)
    trained = list(itertools.product(KERAS_LAYERS, SIZES[:3], BATCHES))
    for cell, size, batch in [*trained, ("sru", SIZES[3], 16)]:
        name = f"training {cell} {text(size)} batch {batch}"
        result[name] = "training", (cell, size, batch)
    return result


def text(size):
    """Returns a size as it is written."""
    return ",".join(map(str, size))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
