"""Real runs of machines: which fault there is, how long they will live, when they were ill."""

from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np

from kzoo.data.files import find_files, open_archive, read_lines
from kzoo.data.numbers import parse_table, read_table
from kzoo.data.series import PARTS

# Of the steps of a run of training, those held out.
_HELD_OUT = 0.2
# Heimes 2008: an engine is as good as new until so many cycles before its end.
_CAP = 125
# Steps of a run that a padded window holds at least; the shortest run of testing has 31.
_SHORTEST = 30
_PADDING = 100
_TEP_CLASSES = ["normal", *(f"fault {number}" for number in range(1, 22))]
# Of `labels/combined_windows.json` of the Numenta Anomaly Benchmark (Lavin and Ahmad 2015).
_MACHINE_WINDOWS = (
    ("2013-12-10 06:25:00", "2013-12-12 05:35:00"),
    ("2013-12-15 17:50:00", "2013-12-17 17:00:00"),
    ("2014-01-27 14:20:00", "2014-01-29 13:30:00"),
    ("2014-02-07 14:55:00", "2014-02-09 14:05:00"),
)


@dataclass(frozen=True, eq=False)
class Runs:
    """Runs of machines, one after the other.

    Attributes:
        name: name of the set.
        licence: the terms under which its authors give it.
        columns: list of the names of what was measured.
        class_names: list of what labels mean, or None where a label is a number of steps.
        values: float32 `(time, columns)`, all runs.
        labels: float32 `(time,)`: the class of a step, or the steps that are left, 125 at most.
        parts: dict from "train", "validation" and "test" to a list of `(begin, end)` of runs.
        reading: dict of the arguments of `read_table` for the measurements of one run.
        padding: steps of zeros before each run, in which a window may begin.

    Example:

    >>> data = load_faults("tep_4_classes")
    >>> begin, end = data.parts["train"][0]
    >>> data.values[begin:end].shape
    (384, 52)
    """

    name: str
    licence: str
    columns: list[str]
    class_names: list[str] | None
    values: np.ndarray
    labels: np.ndarray
    parts: dict[str, list[tuple[int, int]]]
    reading: dict
    padding: int = 0

    @property
    def statistics(self):
        """Mean and variance of the runs of training, of normal steps where there are classes."""
        steps = np.concatenate([np.arange(*run) for run in self.parts["train"]])
        if self.class_names is not None:
            steps = steps[self.labels[steps] == 0]
        rows = self.values[steps].astype("float64")
        return rows.mean(axis=0).tolist(), rows.var(axis=0).tolist()

    def shortest(self, length):
        """Returns how many steps of a run a window holds at least; others are padding."""
        return length - min(self.padding, max(length - _SHORTEST, 0))

    def starts(self, part, length, stride=1, last=False):
        """Returns the first steps of the windows of a part, each in one run.

        Where runs have classes, all steps of a window are of the class with which its run ends: in
        a run of testing, after the fault has begun. Where runs have padding in front, windows of
        more than 30 steps may begin in it, with 30 steps of the run at least.

        Args:
            part: "train", "validation" or "test".
            length: steps of a window.
            stride: steps between two windows.
            last: whether to take the last window of each run alone.

        Raises:
            ValueError: if the part has no such window.
        """
        if part not in PARTS:
            raise ValueError(f"part: expected one of {', '.join(PARTS)}, got {part!r}")
        found = []
        for begin, end in self.parts[part]:
            if self.class_names is not None:
                others = np.flatnonzero(self.labels[begin:end] != self.labels[end - 1])
                begin += 0 if not len(others) else int(others[-1]) + 1
            begin -= length - self.shortest(length)
            starts = np.arange(end - length, begin - 1, -stride)[::-1]
            found.append(starts[-1:] if last else starts)
        found = np.concatenate(found)
        if not len(found):
            raise ValueError(f"length: expected windows within the runs of {part}, got {length}")
        return found


def list_faults():
    """The names that `load_faults` knows, sorted.

    Example:

    >>> list_faults()
    ['cmapss_fd001', 'machine_temperature', 'tep', 'tep_4_classes']
    """
    return sorted(_LOADERS)


def load_faults(name, folder=None):
    """Loads runs of machines.

    `tep` (Tennessee Eastman, 52 measurements, normal and 21 faults; Downs and Vogel 1993, runs by
    Chiang, Russell and Braatz 2001) and `cmapss_fd001` (turbofan engines until they fail; Saxena
    et al. 2008) are read from a folder; `tep_4_classes` and `machine_temperature` (one run, with
    the windows of the Numenta Anomaly Benchmark) come with kzoo.

    Of `tep` and `tep_4_classes` the end of each run of training is held out for validation, and in
    runs of testing a fault begins after a while. Of `cmapss_fd001` every fifth engine is held out,
    and the runs of testing end before the engine does. Of `machine_temperature` the first 15
    percent, in which the benchmark does not score, are for training and validation.

    Args:
        name: one of `list_faults()`.
        folder: directory that holds the set's own directory, or that directory itself. Files may be
            plain or packed as `.gz` or `.xz`.

    Returns:
        A `Runs`.

    Raises:
        ValueError: if the name is unknown, the folder is needed and absent, or a file is damaged or
            broken; the message names the line.
        FileNotFoundError: if the folder or a file in it is missing.

    Example:

    >>> data = load_faults("tep_4_classes")
    >>> data.class_names, len(data.columns), len(data.parts["test"])
    (['normal', 'fault 1', 'fault 2', 'fault 6'], 52, 4)
    """
    if name not in _LOADERS:
        raise ValueError(f"name: expected one of {', '.join(list_faults())}, got {name!r}")
    return _LOADERS[name](folder)


def _files(name, directory, files, folder, embedded=False):
    source = SimpleNamespace(folder=directory, embedded=embedded)
    found = find_files(name, source, files, folder)
    return [found[file] for file in files]


def _names(count):
    return [f"measurement {index}" for index in range(1, count + 1)]


def _cut_runs(train):
    """Cuts the end of each run off for validation."""
    held = [end - int((end - begin) * _HELD_OUT) for begin, end in train]
    kept = [(begin, cut) for (begin, _), cut in zip(train, held, strict=True)]
    return kept, [(cut, end) for (_, end), cut in zip(train, held, strict=True)]


def _stack(tables):
    """All tables one after the other, and where each begins and ends."""
    ends = np.cumsum([len(table) for table in tables])
    bounds = [(int(end) - len(table), int(end)) for end, table in zip(ends, tables, strict=True)]
    return np.concatenate(tables).astype("float32"), bounds


def _load_tep(folder):
    (path,) = _files("tep", "tep", ["tep.tar"], folder)
    classes = range(len(_TEP_CLASSES))
    names = [f"d{number:02d}{ending}.dat" for ending in ("", "_te") for number in classes]
    tables = []
    with open_archive(path) as archive:
        for name in names:
            lines = archive.extractfile(name).read().split(b"\n")
            tables.append(parse_table(path / name, lines, header=False, separator=None).values)
    # The publisher's one file without a fault lies on its side.
    tables[0] = tables[0].T
    reading = dict(header=False, separator=None)
    return _faults("tep", tables, list(classes), _TEP_CLASSES, 160, reading)


def _load_tep_4_classes(folder):
    (path,) = _files("tep_4_classes", "embedded", ["tep_4_classes.csv"], folder, embedded=True)
    kinds, rows = {}, []
    for line in read_lines(path):
        kind, _, row = line.partition(b",")
        kinds.setdefault(kind.decode(errors="replace"), []).append(len(rows))
        rows.append(row)
    values = parse_table(path, rows, header=False).values
    numbers = [0, 1, 2, 6]
    wanted = [f"{number}{part}" for part in ("tr", "te") for number in numbers]
    if set(kinds) != set(wanted):
        raise ValueError(f"{path}: expected rows of {', '.join(wanted)}, got {sorted(kinds)}")
    tables = [values[kinds[kind]] for kind in wanted]
    names = [_TEP_CLASSES[number] for number in numbers]
    return _faults("tep_4_classes", tables, list(range(4)), names, 60, dict(header=False))


def _faults(name, tables, classes, class_names, begin, reading):
    """Runs of training, then those of testing, whose faults begin at a step."""
    values, bounds = _stack(tables)
    labels = np.concatenate(
        [np.full(len(table), number) for table, number in zip(tables, classes * 2, strict=True)]
    )
    train, test = bounds[: len(classes)], bounds[len(classes) :]
    for first, _ in test:
        labels[first : first + begin] = 0
    kept, held = _cut_runs(train)
    parts = {"train": kept, "validation": held, "test": test}
    licence, columns = "University of Illinois/NCSA-style", _names(values.shape[1])
    labels = labels.astype("float32")
    return Runs(name, licence, columns, class_names, values, labels, parts, reading)


def _load_cmapss(folder):
    files = ["train_FD001.txt", "test_FD001.txt", "RUL_FD001.txt"]
    paths = _files("cmapss_fd001", "cmapss", files, folder)
    train, test, left = (read_table(path, header=False, separator=None).values for path in paths)
    tables, labels = [], []
    for table, remaining in ((train, None), (test, left[:, 0])):
        for index, engine in enumerate(np.unique(table[:, 0])):
            rows = table[table[:, 0] == engine]
            after = 0 if remaining is None else remaining[index]
            lives = np.minimum(np.arange(len(rows))[::-1] + after, _CAP)
            tables.append(np.pad(rows[:, 1:], [[_PADDING, 0], [0, 0]]))
            labels.append(np.pad(lives, [_PADDING, 0]))
    values, bounds = _stack(tables)
    bounds = [(begin + _PADDING, end) for begin, end in bounds]
    engines = len(np.unique(train[:, 0]))
    parts = {
        "train": [run for index, run in enumerate(bounds[:engines]) if index % 5],
        "validation": bounds[:engines:5],
        "test": bounds[engines:],
    }
    columns = [
        "cycle",
        *(f"setting {n}" for n in range(1, 4)),
        *(f"sensor {n}" for n in range(1, 22)),
    ]
    licence = "NASA, US Government work (public domain)"
    labels = np.concatenate(labels).astype("float32")
    # The first column says which engine it is.
    reading = dict(columns=[str(n) for n in range(1, 26)], header=False, separator=None)
    return Runs("cmapss_fd001", licence, columns, None, values, labels, parts, reading, _PADDING)


def _load_machine_temperature(folder):
    file = "machine_temperature.csv"
    (path,) = _files("machine_temperature", "embedded", [file], folder, embedded=True)
    reading = dict(columns=["value"])
    values = read_table(path, **reading).values
    times = [line.partition(b",")[0].decode() for line in read_lines(path)[1:]]
    inside = [any(begin <= time <= end for begin, end in _MACHINE_WINDOWS) for time in times]
    time = len(values)
    ends = [int(0.12 * time), int(0.15 * time), time]
    parts = dict(zip(PARTS, [[run] for run in zip([0, *ends], ends, strict=False)], strict=True))
    labels = np.array(inside, "float32")
    names = ["normal", "anomaly"]
    return Runs("machine_temperature", "MIT", ["value"], names, values, labels, parts, reading)


_LOADERS = {
    "cmapss_fd001": _load_cmapss,
    "machine_temperature": _load_machine_temperature,
    "tep": _load_tep,
    "tep_4_classes": _load_tep_4_classes,
}
