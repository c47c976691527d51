"""Runs the example of every docstring, under the name by which users import the module."""

import doctest
import importlib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def modules():
    """Dotted names of every module of the product; a `__main__` would run, so it is left out."""
    files = [file for room in ("kzoo", "export", "recipes") for file in (ROOT / room).rglob("*.py")]
    for file in sorted(files):
        parts = file.relative_to(ROOT).with_suffix("").parts
        if parts[0] != "kzoo":
            parts = ("kzoo", *parts)
        if parts[-1] != "__main__":
            yield ".".join(parts).removesuffix(".__init__")


@pytest.mark.parametrize("name", list(modules()))
def test_examples_in_docstrings_give_what_they_say(name, tmp_path, monkeypatch):
    module = importlib.import_module(name)
    # Examples may write files.
    monkeypatch.chdir(tmp_path)
    result = doctest.testmod(module)
    assert result.failed == 0
