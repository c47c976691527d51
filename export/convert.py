"""The converter's own process: `python -m kzoo.export.convert`.

TensorFlow's converter can end the process that calls it, so it never runs in the user's. Importing
TensorFlow costs more than converting a small model, so the process starts while the model is still
being traced, and stays for the files that follow; left alone for a minute, it ends.
"""

import atexit
import contextlib
import gc
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

from kzoo.export.bundle import SIGNATURE
from kzoo.export.errors import ExportError
from kzoo.export.slim import slim

WORKER = (sys.executable, "-m", "kzoo.export.convert")
IDLE_SECONDS = 60


class Converter:
    """A process that converts SavedModels, one list of jobs after the other.

    Args:
        command: what starts it. It reads a list of jobs as a line of JSON, and answers with a line
            of JSON: a list with None or the converter's message for each job.
    """

    def __init__(self, command=WORKER):
        self.command = command
        self.process = None
        self.errors = None
        self.lock = threading.Lock()

    def start(self):
        """Start the process, unless it runs."""
        if self.process is not None and self.process.poll() is None:
            return
        self.stop()
        # The converter needs no GPU, and must not take the memory of the one in use.
        environment = {"KERAS_BACKEND": "tensorflow", "CUDA_VISIBLE_DEVICES": "-1"}
        self.errors = tempfile.TemporaryFile()  # noqa: SIM115  It lives as long as the process.
        self.process = subprocess.Popen(
            self.command,
            env={**os.environ, **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            text=True,
        )

    def stop(self):
        """End the process, if there is one."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            for stream in (self.process.stdout, self.errors):
                stream.close()
            # Closing writes what is left, and there is nobody to read it.
            with contextlib.suppress(BrokenPipeError):
                self.process.stdin.close()
            self.process = None

    def convert(self, jobs):
        """Convert SavedModels; return for each job None or the converter's message.

        Args:
            jobs: list of dicts with the strings `saved_model` (folder), `target` (file to write)
                and `precision` ("float32", "float16" or "dynamic"), and optionally the list
                `signatures`.

        Raises:
            ExportError: the process died; with the end of what it said.
        """
        jobs = [{**job, "target": os.path.abspath(job["target"])} for job in jobs]
        with self.lock:
            try:
                # A process that was left alone may end at the very moment when it is asked.
                answer = self._ask(jobs) or self._ask(jobs)
                if not answer:
                    raise ExportError("the TensorFlow Lite converter ended without an answer")
            except BaseException:
                # An answer that nobody waited for must not be taken for the next one.
                self.stop()
                raise
        return json.loads(answer)

    def _ask(self, jobs):
        """Return the answer, or "" if the process ended in peace; raise if it died."""
        self.start()
        try:
            self.process.stdin.write(json.dumps(jobs) + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass
        if answer := self.process.stdout.readline():
            return answer
        if status := self.process.wait():
            self.errors.seek(0)
            end = self.errors.read()[-2000:].decode(errors="replace")
            raise ExportError(
                f"the TensorFlow Lite converter died ({_cause(status)}); the end of its output:\n"
                f"{end}"
            )
        return ""


converter = Converter()
atexit.register(converter.stop)


def _cause(returncode):
    if returncode < 0:
        return f"signal {signal.Signals(-returncode).name}"
    return f"exit status {returncode}"


def _convert_one(job):
    import tensorflow as tf
    from tensorflow.lite.python.lite import TFLiteSavedModelConverterV2

    try:
        # What `TFLiteConverter.from_saved_model(...).convert()` does, in half the time: that one
        # would load the SavedModel into Python twice, to count its operators and to name lines of
        # source code, and then merge equal constants, which is left to `slim`.
        signatures = job.get("signatures", [SIGNATURE])
        tags = {tf.saved_model.SERVING}
        tflite = TFLiteSavedModelConverterV2(job["saved_model"], tags, signatures)
        tflite._optimize_tflite_model = lambda flatbuffer, *_, **__: flatbuffer
        tflite.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
        if job["precision"] != "float32":
            tflite.optimizations = [tf.lite.Optimize.DEFAULT]
        if job["precision"] == "float16":
            tflite.target_spec.supported_types = [tf.float16]
        flatbuffer = tflite._convert_from_saved_model(tf.compat.v1.GraphDef())
        Path(job["target"]).write_bytes(slim(flatbuffer))
    except Exception as error:  # The converter raises bare Exception for what it cannot convert.
        return str(error) or repr(error)


def main():
    """Answer every list of jobs, until there is no more or none has come for a while."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    # What libraries print must not be taken for an answer.
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    import tensorflow  # noqa: F401  Before the first job comes.

    # Else the collector walks all of TensorFlow again and again, a third of a conversion's time.
    gc.freeze()

    while True:
        leaving = threading.Timer(IDLE_SECONDS, os._exit, [0])
        leaving.daemon = True
        leaving.start()
        line = sys.stdin.readline()
        leaving.cancel()
        if not line:
            return
        messages = [_convert_one(job) for job in json.loads(line)]
        answers.write(json.dumps(messages) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
