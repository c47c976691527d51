"""Every public name of the library says what it is, and shows it by an example."""

import inspect
import re
from importlib import import_module

import pytest

ROOMS = ("data", "decoding", "export", "layers", "models", "text", "training")


def public_names():
    """Every exported class and function; constants and modules have no docstring of their own."""
    for room in ROOMS:
        module = import_module(f"kzoo.{room}")
        for name in module.__all__:
            value = getattr(module, name)
            # Nobody makes a warning: it has no use that could be shown.
            is_warning = inspect.isclass(value) and issubclass(value, Warning)
            if (inspect.isclass(value) or inspect.isfunction(value)) and not is_warning:
                yield f"kzoo.{room}.{name}", value


def example_of(value):
    """The lines of a docstring from its example on; what a class inherits is not its own."""
    docstring = vars(value).get("__doc__") if inspect.isclass(value) else value.__doc__
    lines = inspect.cleandoc(docstring or "").splitlines()
    heads = [index for index, line in enumerate(lines) if line.startswith("Example")]
    return lines[heads[0] :] if heads else []


def test_every_public_name_has_an_example():
    names = dict(public_names())
    assert len(names) > 200
    lacking = [
        name
        for name, value in names.items()
        if not any(line.startswith(">>> ") for line in example_of(value))
    ]
    assert not lacking, f"no `Example:` with a doctest: {lacking}"


def unknown_heads(docstring):
    """Heads that the pages of `make docs` would run together with what is below them."""
    heads = re.findall(r"^(\S.*:)\n {4}\S", inspect.cleandoc(docstring or ""), re.MULTILINE)
    return [head for head in heads if not re.fullmatch(r"[A-Z][A-Za-z]+( [a-z]+)*:", head)]


def test_every_head_of_a_section_is_one_to_the_pages_too():
    docstrings = [
        inspect.getdoc(value)
        for _, public in public_names()
        for value in (public, *vars(public).values())
        if inspect.isclass(value) or inspect.isfunction(value)
    ]
    assert sum("\nArgs:\n" in (docstring or "") for docstring in docstrings) > 200
    assert [head for docstring in docstrings for head in unknown_heads(docstring)] == []
    assert unknown_heads("Adds.\n\n    Call `add`:\n        x: A number.\n    ") == ["Call `add`:"]


@pytest.mark.parametrize(
    ("docstring", "is_whole"),
    [
        ("Adds.\n\n    Example:\n\n    >>> 1 + 1\n    2\n    ", True),
        ("Adds.\n\n    Example, of two:\n\n    >>> 1 + 1\n    2\n    ", True),
        ("Adds.\n\n    >>> 1 + 1\n    2\n    ", False),
        ("Adds.\n\n    Example: none.\n    ", False),
        (None, False),
    ],
)
def test_what_counts_as_an_example(docstring, is_whole):
    value = type("Name", (int,), {"__doc__": docstring})
    assert any(line.startswith(">>> ") for line in example_of(value)) == is_whole
