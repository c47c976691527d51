"""Reads tables of numbers: what forecasts and fault alarms are made from."""

import csv
import warnings
from dataclasses import dataclass

import numpy as np

from kzoo.data.files import DataWarning, read_lines

MISSING = ("", "na", "nan", "null", "none", "?", "-")


@dataclass(frozen=True, eq=False)
class Table:
    """The columns of a file that hold numbers.

    Attributes:
        columns: list of their names.
        values: float32 `(rows, columns)`; a missing value holds the one before it.
        observed: boolean `(rows, columns)`, False at missing values.

    Example:

    >>> table = Table(["load"], np.array([[3.0], [3.0]]), np.array([[True], [False]]))
    >>> table.values[table.observed].tolist()
    [3.0]
    """

    columns: list[str]
    values: np.ndarray
    observed: np.ndarray


def read_table(path, columns=None, categories=None, header=True, separator=","):
    """Reads a table of numbers, plain or packed as `.gz` or `.xz`.

    Rows before the first one without a missing value are left out. Later missing values (empty,
    `NA`, `NaN`, `null`, `?`) hold the value before them, and are counted in one `DataWarning`.

    Args:
        path: `pathlib.Path` of the file.
        columns: the columns to read; None for all whose first value is a number, or without a
            header for all.
        categories: dict from columns of words to all their words, each of which becomes a column
            of 0 and 1.
        header: whether the first line names the columns; else they are called "0", "1" and so on.
        separator: what stands between fields; None for blanks, any number of them.

    Returns:
        A `Table`.

    Raises:
        ValueError: if a row has another number of fields, or a field is no number; the message
            names the line. Or if the file is damaged, or has not these columns.

    Example:

    >>> import tempfile
    >>> from pathlib import Path
    >>> path = Path(tempfile.mkdtemp(), "two.csv")
    >>> _ = path.write_text("day,a,b\\nMon,1,2\\nTue,3,4\\n")
    >>> table = read_table(path)
    >>> table.columns, table.values.tolist()
    (['a', 'b'], [[1.0, 2.0], [3.0, 4.0]])
    """
    return parse_table(path, read_lines(path), columns, categories, header, separator)


def parse_table(path, lines, columns=None, categories=None, header=True, separator=","):
    """Parses the lines of a table, bytes, that were read from `path`; see `read_table`."""
    try:
        texts = [line.decode() for line in lines]
        if separator is None:
            rows = [text.split() for text in texts]
        else:
            rows = list(csv.reader(texts, delimiter=separator))
    except (UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"{path}: expected UTF-8 text, {error}") from error
    numbered = [(number, row) for number, row in enumerate(rows, start=1) if row]
    names = [str(index) for index in range(len(rows[0]))]
    if header:
        names = [name.strip() for name in rows[0]]
        numbered = numbered[1:]
    if not numbered:
        raise ValueError(f"{path}: expected rows of numbers, got none")
    for number, row in numbered:
        if len(row) != len(names):
            raise ValueError(
                f"{path}: line {number}: expected {len(names)} columns, got {len(row)}"
            )
    categories = categories or {}
    # Without a header, nothing says that a column may hold something else.
    columns = names if columns is None and not header else columns
    columns = _columns(path, names, columns, numbered)
    read = {}
    for name in columns:
        index = names.index(name)
        fields = [(number, row[index].strip()) for number, row in numbered]
        if name in categories:
            read |= _indicators(path, name, fields, categories[name])
        else:
            read[name] = [_number(path, name, *field) for field in fields]
    values = np.array(list(read.values()), "float32").T
    return _fill(path, list(read), values, numbered)


def _columns(path, names, columns, numbered):
    if columns is None:
        columns = [name for name, field in zip(names, _first(numbered), strict=True) if field]
    unknown = [name for name in columns if name not in names]
    if unknown:
        raise ValueError(f"{path}: expected the columns {', '.join(unknown)}, got {names}")
    if not columns:
        raise ValueError(f"{path}: expected columns of numbers, got {names} without any")
    return columns


def _first(numbered):
    """Whether the first value of each column that is there is a number."""
    found = [None] * len(numbered[0][1])
    for _, row in numbered:
        for index, field in enumerate(row):
            if found[index] is None and field.strip().lower() not in MISSING:
                found[index] = _is_number(field)
        if None not in found:
            break
    return found


def _is_number(field):
    try:
        float(field)
    except ValueError:
        return False
    return True


def _number(path, name, number, field):
    if field.lower() in MISSING:
        return np.nan
    if not _is_number(field) or np.isinf(float(field)):
        raise ValueError(
            f"{path}: line {number}: column {name!r}: expected a number, got {field[:80]!r}"
        )
    return float(field)


def _indicators(path, name, fields, words):
    for number, word in fields:
        if word not in words:
            raise ValueError(
                f"{path}: line {number}: column {name!r}: expected one of {', '.join(words)}, "
                f"got {word[:80]!r}"
            )
    return {f"{name} {word}": [float(word == other) for _, other in fields] for word in words}


def _fill(path, columns, values, numbered):
    observed = ~np.isnan(values)
    whole = np.flatnonzero(observed.all(axis=1))
    if not len(whole):
        raise ValueError(f"{path}: expected a row without missing values, got none")
    first = whole[0]
    values, observed = values[first:], observed[first:]
    # The last row before each one at which the value is there.
    last = np.maximum.accumulate(np.where(observed, np.arange(len(values))[:, None], 0))
    filled = np.take_along_axis(values, last, axis=0)
    if not observed.all():
        row, column = np.argwhere(~observed)[0]
        warnings.warn(
            f"{path}: {(~observed).sum()} missing values hold the one before them; first: line "
            f"{numbered[first + row][0]}, column {columns[column]!r}",
            DataWarning,
            stacklevel=4,
        )
    return Table(columns, filled, observed)
