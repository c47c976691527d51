"""Comments of fields are help texts, of which the command line shows the nearest only."""

import ast
import io
import tokenize
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = [
    *sorted((ROOT / "recipes").glob("*.py")),
    *sorted((ROOT / "benchmarks").glob("*.py")),
    ROOT / "kzoo/cli.py",
    ROOT / "recipes/parts/commands.py",
]


def cut(source):
    """Names of the fields of dataclasses that have a comment above them and one behind them.

    Either is a help text, but not both: what was meant to go on is shown in part. A comment after
    the last field belongs to none, and is named after that one.
    """
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    comments = {token.start[0]: token.line for token in tokens if token.type == tokenize.COMMENT}
    alone = {number for number, line in comments.items() if line.lstrip().startswith("#")}
    found = []
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.ClassDef) or not node.decorator_list:
            continue
        fields = [field for field in node.body if isinstance(field, ast.AnnAssign)]
        for field in fields:
            behind = field.end_lineno in comments
            after = field is fields[-1] and field.end_lineno + 1 in alone
            if behind and (field.lineno - 1 in alone or after):
                found.append(field.target.id)
    return found


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_a_help_text_is_one_comment(file):
    assert cut(file.read_text(encoding="utf-8")) == []


def test_what_goes_on_below_a_field_is_found():
    head = "@dataclass\nclass Knobs:\n"
    one = "    one: int = 1  # The first.\n"
    more = "    # And more of it.\n"
    two = "    two: int = 2"
    assert cut(f"{head}{one}{more}{two}  # The second.\n") == ["two"]
    assert cut(f"{head}{one}{more}\n\n") == ["one"]
    assert cut(f"{head}{one}{more}{two}\n") == []
