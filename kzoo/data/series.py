"""Real series of numbers to forecast: readers, and the standard splits."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from kzoo.data.files import find_files
from kzoo.data.numbers import read_table

PARTS = ("train", "validation", "test")
_SHARES = (0.7, 0.1)


@dataclass(frozen=True)
class _Source:
    """How one set lies on disk.

    Attributes:
        folder: the set's own directory inside the folder of all data.
        file: the one file of it, named without `.gz` or `.xz`.
        licence: the terms under which its authors give it.
        columns: the columns that are read; None for all that hold numbers.
        targets: the columns that are forecast; None for all.
        categories: the words of columns that hold words, each of which becomes a column of 0 and 1.
        season: number of steps after which the series repeat themselves, or None.
        ends: the steps at which train, validation and test end; None cuts 70, 10 and 20 percent.
        header: whether the first line names the columns.
        embedded: whether the file comes with kzoo.
    """

    folder: str
    file: str
    licence: str
    columns: tuple[str, ...] | None = None
    targets: tuple[str, ...] | None = None
    categories: dict[str, tuple[str, ...]] = field(default_factory=dict)
    season: int | None = None
    ends: tuple[int, int, int] | None = None
    header: bool = True
    embedded: bool = False


_PUBLIC = "public series"
# 12, 4 and 4 months of 30 days, as Zhou et al. 2021 cut it (Informer, arXiv 2012.07436).
_MONTHS = tuple(30 * 24 * months for months in (12, 16, 20))


def _pollution(folder, file, **where):
    return _Source(
        folder,
        file,
        "CC BY 4.0",
        ("pm2.5", "DEWP", "TEMP", "PRES", "cbwd", "Iws", "Is", "Ir"),
        ("pm2.5",),
        {"cbwd": ("NW", "NE", "SE", "cv")},
        season=24,
        **where,
    )


_SOURCES = {
    "min_temperatures": _Source(
        "embedded", "min_temperatures.csv", _PUBLIC, season=365, embedded=True
    ),
    "pollution_2y": _pollution("embedded", "pollution_2y.csv", embedded=True),
    "pollution": _pollution("ts_small", "pollution.csv"),
    "etth1": _Source("ett", "ETTh1.csv", "CC BY-ND 4.0", season=24, ends=_MONTHS),
    "airline_passengers": _Source("ts_small", "airline-passengers.csv", _PUBLIC, season=12),
    "sunspots": _Source("ts_small", "monthly-sunspots.csv", _PUBLIC, season=132),
    "exchange_rate": _Source("ts_small", "exchange_rate.txt", "no licence stated", header=False),
}


@dataclass(frozen=True, eq=False)
class Series:
    """Some series of numbers, step by step, in three parts that follow each other.

    Attributes:
        name: its name.
        licence: the terms under which its authors give it.
        columns: list of the names of the series.
        targets: list of the numbers of the series that are forecast.
        values: float32 `(time, columns)`; a missing value holds the one before it.
        observed: boolean `(time, columns)`, False at missing values.
        ends: the steps at which train, validation and test end.
        season: number of steps after which the series repeat themselves, or None.
        reading: dict of the arguments of `read_table` with which its file is read.

    Example:

    >>> data = load_series("min_temperatures")
    >>> data.ends, data.values[: data.ends[0]].shape
    ((2555, 2919, 3650), (2555, 1))
    """

    name: str
    licence: str
    columns: list[str]
    targets: list[int]
    values: np.ndarray
    observed: np.ndarray
    ends: tuple[int, int, int]
    season: int | None
    reading: dict

    @property
    def statistics(self):
        """Mean and variance of the training part, two lists, over what was observed."""
        values = np.where(self.observed, self.values, np.nan)[: self.ends[0]].astype("float64")
        return np.nanmean(values, 0).tolist(), np.nanvar(values, 0).tolist()

    @property
    def known_targets(self):
        """The series that are forecast, float32 `(time, targets)`, NaN where not observed."""
        known = np.where(self.observed, self.values, np.float32("nan"))
        return known[:, self.targets]

    def starts(self, part, input_length, horizon):
        """Returns the first steps of the windows of a part.

        A window reads `input_length` steps and forecasts the `horizon` steps after them, which lie
        in the part; what it reads may lie in the part before.

        Raises:
            ValueError: if the part has no such window.
        """
        if part not in PARTS:
            raise ValueError(f"part: expected one of {', '.join(PARTS)}, got {part!r}")
        index = PARTS.index(part)
        begin = self.ends[index - 1] if index else 0
        starts = np.arange(
            max(begin - input_length, 0), self.ends[index] - input_length - horizon + 1
        )
        if not len(starts):
            raise ValueError(
                f"input_length and horizon: expected a window in the {self.ends[index] - begin} "
                f"steps of {part} of {self.name}, got {input_length} and {horizon}"
            )
        return starts


def list_series():
    """The names that `load_series` knows, sorted.

    Example:

    >>> list_series()[-3:]
    ['pollution', 'pollution_2y', 'sunspots']
    """
    return sorted(_SOURCES)


def load_series(name, folder=None):
    """Loads some series of numbers, cut into parts from their beginning to their end.

    `min_temperatures` (Melbourne, ten years of days) and `pollution_2y` (Beijing, two years of
    hours) come with kzoo; the others are read from a folder. `etth1` is cut into 12, 4 and 4
    months, the others into 70, 10 and 20 percent. A missing value holds the value before it, and
    is counted in a `DataWarning`; steps before the first one that is whole are left out.

    Args:
        name: one of `list_series()`.
        folder: directory that holds the set's own directory, or that directory itself. The file may
            be plain or packed as `.gz` or `.xz`.

    Returns:
        A `Series`.

    Raises:
        ValueError: if the name is unknown, the folder is needed and absent, or the file is damaged
            or broken; the message names the line.
        FileNotFoundError: if the folder or the file in it is missing.

    Example:

    >>> data = load_series("min_temperatures")
    >>> data.columns, data.values.shape
    (['Temp'], (3650, 1))
    """
    if name not in _SOURCES:
        raise ValueError(f"name: expected one of {', '.join(list_series())}, got {name!r}")
    source = _SOURCES[name]
    path = find_files(name, source, [source.file], folder)[source.file]
    return _read(name, source, path)


def read_series(path, columns=None, targets=None, season=None):
    """Reads series of yours: a CSV file with a header, one step a line.

    The first 70 % are for training, the next 10 % for validation, the rest for testing. Missing
    values are as in `load_series`.

    Args:
        path: the file, plain or packed as `.gz` or `.xz`.
        columns: list of the columns to read; None for all whose first value is a number.
        targets: list of the columns to forecast; None for all that are read.
        season: number of steps after which the series repeat themselves, or None.

    Returns:
        A `Series`.

    Raises:
        ValueError: if the file is damaged or broken, or has not these columns.

    Example:

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp(), "two.csv")
    >>> _ = path.write_text("day,a,b\\nMon,1,2\\nTue,3,4\\n")
    >>> read_series(path).values.tolist()
    [[1.0, 2.0], [3.0, 4.0]]
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"path: expected a CSV file, got {str(path)!r}")
    columns, targets = (tuple(names) if names else None for names in (columns, targets))
    source = _Source("", path.name, "that of your series", columns, targets, season=season)
    return _read(path.name.split(".")[0], source, path)


def _read(name, source, path):
    reading = {
        "columns": source.columns,
        "categories": source.categories,
        "header": source.header,
    }
    table = read_table(path, **reading)
    reading["columns"] = reading["columns"] or table.columns
    time = len(table.values)
    ends = source.ends or (*(int(time * share) for share in np.cumsum(_SHARES)), time)
    if time < ends[-1]:
        raise ValueError(f"{name}: expected at least {ends[-1]} rows, got {time}")
    targets = table.columns if source.targets is None else source.targets
    unknown = [column for column in targets if column not in table.columns]
    if unknown:
        raise ValueError(f"targets: expected some of {', '.join(table.columns)}, got {unknown}")
    numbers = [table.columns.index(column) for column in targets]
    known = table.values, table.observed, ends, source.season, reading
    return Series(name, source.licence, table.columns, numbers, *known)
