"""The converter's own process: `python -m kzoo.export.convert jobs.json`.

TensorFlow's converter can end the process that calls it, so it never runs in the user's. One
process converts many SavedModels, because importing TensorFlow costs more than converting.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from kzoo.export.bundle import SIGNATURE
from kzoo.export.errors import ExportError
from kzoo.export.slim import slim

WORKER = [sys.executable, "-m", "kzoo.export.convert"]


def convert(jobs):
    """Convert SavedModels in a subprocess; return for each job None or the converter's message.

    Args:
        jobs: list of dicts with the strings `saved_model` (folder), `target` (file to write)
            and `precision` ("float32", "float16" or "dynamic"), and optionally the list
            `signatures`.

    Raises:
        ExportError: the process died; with the end of what it said.
    """
    with tempfile.TemporaryDirectory() as folder:
        request = Path(folder, "jobs.json")
        request.write_text(json.dumps(jobs))
        # The converter needs no GPU, and must not take the memory of the one in use.
        environment = {"KERAS_BACKEND": "tensorflow", "CUDA_VISIBLE_DEVICES": "-1"}
        done = subprocess.run(
            [*WORKER, str(request)],
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
        )
        if done.returncode:
            raise ExportError(
                f"the TensorFlow Lite converter died ({_cause(done.returncode)}); the end of its "
                f"output:\n{done.stderr[-2000:]}"
            )
        return json.loads(request.with_suffix(".out").read_text())


def _cause(returncode):
    if returncode < 0:
        return f"signal {signal.Signals(-returncode).name}"
    return f"exit status {returncode}"


def _convert_one(job):
    import tensorflow as tf

    converter = tf.lite.TFLiteConverter.from_saved_model(
        job["saved_model"], signature_keys=job.get("signatures", [SIGNATURE])
    )
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
    if job["precision"] != "float32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if job["precision"] == "float16":
        converter.target_spec.supported_types = [tf.float16]
    try:
        Path(job["target"]).write_bytes(slim(converter.convert()))
    except Exception as error:  # The converter raises bare Exception for what it cannot convert.
        return str(error) or repr(error)


def main(request):
    """Convert every job of the file `request`; write the messages beside it."""
    messages = [_convert_one(job) for job in json.loads(Path(request).read_text())]
    Path(request).with_suffix(".out").write_text(json.dumps(messages))


if __name__ == "__main__":
    main(sys.argv[1])
