"""A recipe that ends in the middle and is started again."""

import json
import os
import signal
import subprocess
import sys
import time
from typing import NamedTuple

import pytest

from kzoo.recipes import command_line
from kzoo.training import Resume


class Killed(NamedTuple):
    """What is left of a run that was killed with SIGKILL, and then run again to its end.

    Attributes:
        out: The run folder.
        history: What the checkpoint knows of each epoch at the end.
        epochs_before: Number of epochs that were done when the process was killed.
        returncode: The exit status of the killed process.
        finished: The `CompletedProcess` of the second one.
    """

    out: os.PathLike
    history: list
    epochs_before: int
    returncode: int
    finished: subprocess.CompletedProcess


def kill_and_resume(recipe, out, arguments, checkpoint="checkpoint"):
    """Runs a recipe, kills it after its first epoch, and runs it again to its end."""
    command = [sys.executable, "-m", f"kzoo.recipes.{recipe}", "--out", str(out), *arguments]
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    state = out / checkpoint / "state.json"
    while process.poll() is None and not state.exists():
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    epochs_before = len(json.loads(state.read_text()))
    finished = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    history = json.loads(state.read_text())
    return Killed(out, history, epochs_before, process.returncode, finished)


def stop_and_resume(recipe, out, arguments, checkpoint):
    """Runs a recipe in this process, ends it before its second epoch, and runs it to its end.

    Returns:
        What the checkpoint knows of each epoch when the recipe ended, and at last.
    """
    arguments = ["--out", str(out), *arguments]
    begin = Resume.on_epoch_begin

    def stop(self, epoch, logs=None):
        if epoch == 1:
            raise KeyboardInterrupt
        begin(self, epoch, logs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Resume, "on_epoch_begin", stop)
        with pytest.raises(KeyboardInterrupt):
            command_line.run(recipe, arguments)
    state = out / checkpoint / "state.json"
    before = json.loads(state.read_text())
    command_line.run(recipe, arguments)
    return before, json.loads(state.read_text())


def check_resumed(run, epochs):
    """Asserts that the second process went on where the first was killed, up to `epochs`."""
    assert run.returncode == -signal.SIGKILL
    assert 1 <= run.epochs_before < epochs
    assert run.finished.returncode == 0, run.finished.stderr
    assert len(run.history) == epochs
    # The first epoch that the second process runs is the one after the last that was kept.
    assert run.finished.stdout.split("Epoch ")[1].startswith(f"{run.epochs_before + 1}/{epochs}")
