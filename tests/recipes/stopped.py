"""A recipe that ends in the middle and is started again."""

import json

import pytest

from kzoo.recipes.parts import command_line
from kzoo.training import Resume


def stop_and_resume(recipe, out, arguments, checkpoint="checkpoint"):
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


def check_resumed(before, after, epochs):
    """Asserts that the run went on where it stopped, after its first epoch, up to `epochs`."""
    assert len(before) == 1
    assert after[:1] == before
    assert len(after) == epochs
