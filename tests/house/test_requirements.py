"""What the code imports is what setup.py asks for, no less and, for users, no more."""

import ast
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
IMPORTED_AS = {"pillow": "PIL", "scikit_learn": "sklearn"}


def declared():
    """Import names that setup.py asks for: extra to set, the core under `core`."""
    calls = [
        node
        for node in ast.walk(ast.parse((ROOT / "setup.py").read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and getattr(node.func, "id", None) == "setup"
    ]
    (setup,) = calls
    values = {keyword.arg: keyword.value for keyword in setup.keywords}
    groups = ast.literal_eval(values["extras_require"])
    groups["core"] = ast.literal_eval(values["install_requires"])

    def name(requirement):
        word = re.match(r"[\w-]+", requirement)[0].replace("-", "_").lower()
        return IMPORTED_AS.get(word, word)

    return {group: {name(item) for item in items} for group, items in groups.items()}


def imported(*folders):
    """Packages imported anywhere in these folders, less Python's own and ours."""
    found = set()
    for file in (file for folder in folders for file in (ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                found.add(node.module.split(".")[0])
    return found - sys.stdlib_module_names - {"kzoo", "tests", "benchmarks"}


@pytest.mark.parametrize(
    ("folders", "groups"),
    [
        (["kzoo", "export"], ["core", "bert"]),
        (["recipes"], ["core", "recipes"]),
        (["tests"], ["core", "recipes", "test"]),
        (["docs"], ["core", "docs"]),
        (["benchmarks"], ["core", "recipes", "bench", "minilm"]),
    ],
)
def test_every_import_is_declared(folders, groups):
    allowed = set().union(*(declared()[group] for group in groups))
    assert sorted(imported(*folders) - allowed) == []


def test_every_core_requirement_is_imported():
    assert sorted(declared()["core"] - imported("kzoo", "export", "recipes")) == []
    recipes = declared()["recipes"]
    assert sorted(recipes - declared()["bert"] - imported("recipes")) == []


def test_the_recipes_of_bert_run_with_the_extra_recipes():
    """`kzoo train bert_pretrain` reads and writes folders of weights."""
    assert sorted(declared()["bert"] - declared()["recipes"]) == []
