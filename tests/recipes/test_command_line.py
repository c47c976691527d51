"""Settings that no recipe can work with end it with one line, before anything is written."""

import dataclasses
from importlib import import_module

import pytest

from kzoo.cli import RECIPES
from kzoo.recipes.parts import command_line


def counts():
    """Every recipe with each of its knobs that counts something to train."""
    for name in RECIPES:
        recipe = import_module(f"kzoo.recipes.{name}")
        knobs = {field.name for field in dataclasses.fields(recipe.Knobs)}
        for knob in ("epochs", "members"):
            if knob in knobs:
                yield pytest.param(recipe, knob, id=f"{name}-{knob}")


@pytest.mark.parametrize(("recipe", "knob"), counts())
def test_there_is_at_least_one(recipe, knob, tmp_path):
    arguments = [f"--{knob}=0", f"--out={tmp_path / 'run'}"]
    with pytest.raises(
        SystemExit, match=rf"^kzoo: `{knob}` must be at least 1\. Received: {knob}=0"
    ):
        command_line.run(recipe, arguments)
    assert not list(tmp_path.iterdir())
