"""Holds the plan of the house: who may import whom, and how long a file may be."""

import ast
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# Each room, and the rooms that it may import. kzoo/cli.py may import all of them, but only inside
# functions; kzoo/__init__.py may import the library and neither export nor recipes.
LIBRARY = {
    "text": set(),
    "data": set(),
    "layers": set(),
    "decoding": set(),
    "training": {"layers"},
    "models": {"layers", "decoding"},
}
ARROWS = {
    **LIBRARY,
    "export": {"models", "layers", "decoding", "text"},
    "recipes": {*LIBRARY, "export", "kzoo"},
    "kzoo": set(LIBRARY),
    "cli": {*LIBRARY, "export", "recipes", "kzoo"},
}
# Rooms that need nothing but these packages beside the standard library.
PACKAGES = {"layers": {"keras", "numpy"}, "decoding": {"keras", "numpy"}, "data": {"numpy"}}
# Packages that bring TensorFlow or its runtime along: anywhere in export, in text inside functions.
TENSORFLOW = {"tensorflow", "tensorflow_text", "keras_hub", "ai_edge_litert"}
FOLDERS = ("kzoo", "export", "recipes", "tests", "benchmarks", "docs")
LONGEST, LONGEST_RECIPE = 300, 149


def module_of(path):
    """The dotted name under which a source file is imported, and its room."""
    parts = list(path.with_suffix("").parts)
    if parts[0] in ("export", "recipes"):
        parts.insert(0, "kzoo")
    if parts[-1] == "__init__":
        parts.pop()
    room = parts[1] if len(parts) > 1 else "kzoo"
    return parts, "cli" if room == "__main__" else room


def imports(tree, module, is_package):
    """Yields (line, dotted name, whether inside a function) for every import in a syntax tree."""

    def walk(node, lazy):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name, lazy) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = [node.module] if node.module else []
            if node.level:
                base = module[: len(module) + is_package - node.level] + base
            yield from ((node.lineno, ".".join([*base, a.name]), lazy) for a in node.names)
        elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            called = getattr(node.func, "attr", getattr(node.func, "id", None))
            if called in ("import_module", "__import__") and isinstance(node.args[0].value, str):
                yield node.lineno, node.args[0].value, lazy
        lazy = lazy or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        for child in ast.iter_child_nodes(node):
            yield from walk(child, lazy)

    yield from walk(tree, False)


def complaint(room, name, lazy):
    """Says what is wrong with an import in a room, or nothing."""
    parts = name.split(".")
    if parts[0] == "kzoo":
        target = parts[1] if len(parts) > 1 and parts[1] in ARROWS else "kzoo"
        if target != room and target not in ARROWS[room]:
            allowed = ", ".join(sorted(ARROWS[room])) or "nothing of kzoo"
            return f"imports {name}, but {room} may import {allowed}"
        if room == "cli" and not lazy:
            return f"imports {name} at the top, but cli may import kzoo only inside functions"
    elif parts[0] in TENSORFLOW and room != "export" and not (room == "text" and lazy):
        return f"imports {name}, which only export may, and text inside functions"
    elif room in PACKAGES and parts[0] not in PACKAGES[room] | sys.stdlib_module_names:
        return f"imports {name}, but {room} may use only {', '.join(sorted(PACKAGES[room]))}"
    return None


def violations(root):
    """Everything in a tree that goes against the plan, one line of text each."""
    found = [
        f"{name}: makes the root of the repository a package, remove it"
        for name in ("__init__.py", "conftest.py")
        if (root / name).exists()
    ]
    for path in sorted(file for top in FOLDERS for file in (root / top).rglob("*.py")):
        where = path.relative_to(root)
        text = path.read_text(encoding="utf-8")
        longest = LONGEST_RECIPE if where.parent == Path("recipes") else LONGEST
        if (length := text.count("\n")) > longest:
            found.append(f"{where}: {length} lines, expected at most {longest}")
        module, room = module_of(where)
        in_house = module[0] == "kzoo"
        if in_house and room not in ARROWS:
            found.append(f"{where}: no room {room} in the table of arrows")
            continue
        for line, name, lazy in imports(ast.parse(text), module, path.name == "__init__.py"):
            if name.split(".")[0] in ("export", "recipes"):
                found.append(f"{where}:{line}: imports {name}, write kzoo.{name}")
            elif in_house and (problem := complaint(room, name, lazy)):
                found.append(f"{where}:{line}: {problem}")
    return found


def test_the_house_keeps_to_its_plan():
    found = violations(ROOT)
    assert not found, "\n" + "\n".join(found)


def test_the_house_is_really_looked_at():
    seen = {module_of(p.relative_to(ROOT))[1] for p in (ROOT / "kzoo").rglob("*.py")}
    assert {"kzoo", "data", "layers", "models", "text"} <= seen
    assert list((ROOT / "export").glob("*.py"))
    assert list((ROOT / "recipes").glob("*.py"))


@pytest.mark.parametrize(
    ("file", "code", "expected"),
    [
        ("kzoo/layers/a.py", "import kzoo.text", "layers may import nothing of kzoo"),
        ("kzoo/layers/a.py", "from kzoo import models", "imports kzoo.models"),
        ("kzoo/layers/a.py", "from kzoo import create_model", "imports kzoo.create_model"),
        ("kzoo/layers/a.py", "from ..text import words", "imports kzoo.text.words"),
        ("kzoo/layers/__init__.py", "from ..data import x", "imports kzoo.data.x"),
        ("kzoo/layers/a.py", "import scipy", "layers may use only keras, numpy"),
        ("kzoo/layers/a.py", "def f():\n    import tensorflow as tf", "which only export may"),
        ("kzoo/models/a.py", "from kzoo.training import losses", "models may import decoding, lay"),
        ("kzoo/text/a.py", "import tensorflow_text", "text inside functions"),
        ("kzoo/text/a.py", "class A:\n    import tensorflow", "text inside functions"),
        ("kzoo/data/a.py", "import importlib\nimportlib.import_module('keras')", "a.py:2: "),
        ("kzoo/__init__.py", "from .export import verify", "imports kzoo.export.verify"),
        ("kzoo/cli.py", "from kzoo.recipes import sentiment", "only inside functions"),
        ("kzoo/shed/a.py", "", "no room shed in the table"),
        ("export/a.py", "from kzoo.recipes import sentiment", "imports kzoo.recipes.sentiment"),
        ("export/a.py", "from . import b, c\nfrom ..recipes import d", "a.py:2: "),
        ("recipes/a.py", "import tensorflow", "which only export may"),
        ("recipes/a.py", "from export import verify", "write kzoo.export.verify"),
        ("tests/a.py", "import recipes.sentiment", "write kzoo.recipes.sentiment"),
        ("tests/a.py", "x = 1\n" * 301, "301 lines, expected at most 300"),
        ("recipes/a.py", "x = 1\n" * 150, "150 lines, expected at most 149"),
        ("conftest.py", "", "makes the root of the repository a package"),
    ],
)
def test_each_rule_can_fail(file, code, expected, tmp_path):
    path = tmp_path / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(code)
    found = violations(tmp_path)
    assert len(found) == 1
    assert expected in found[0]


@pytest.mark.parametrize(
    ("file", "code"),
    [
        ("kzoo/layers/a.py", "from .b import C\nimport kzoo.layers.d\nimport math, keras, numpy"),
        ("kzoo/text/a.py", "def f():\n    import tensorflow_text"),
        ("kzoo/cli.py", "import sys\ndef f():\n    from kzoo.recipes import sentiment"),
        ("kzoo/__init__.py", "from .models import create_model\nfrom kzoo import layers"),
        ("export/a.py", "import tensorflow\nfrom kzoo.models import x\nfrom .b import c"),
        ("recipes/a.py", "import kzoo\nfrom kzoo import create_model, data, export"),
    ],
)
def test_what_the_plan_allows_passes(file, code, tmp_path):
    path = tmp_path / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(code)
    assert violations(tmp_path) == []
