"""What the recipes share that watch a machine by a file: alarms, when one is on, their report."""

import numpy as np

from kzoo.export import FaultPredictor
from kzoo.recipes.parts import report
from kzoo.recipes.parts.alarm_scores import episodes

# The probability at which a fault counts, and how often in a row it has to, one of these.
CERTAIN = 0.9
PATIENCES = (3, 5, 8, 12, 20, 30)


def watch(path, values):
    """Judges a run by a file alone, measurement by measurement.

    Args:
        path: A file of `export_streaming`.
        values: `(time, columns)`.

    Returns:
        `(outputs, alarms)`: the numbers of the file `(time, outputs)`, and `(time,)` whether an
        alarm is on.
    """
    predictor = FaultPredictor(path)
    found = [predictor(row) for row in values]
    return np.stack([one.output for one in found]), np.array([one.alarm for one in found])


def alarm_rule(model, data):
    """Returns when an alarm is on, so that the normal run of training and validation has none.

    One of the faults is as good as certain, so many steps in a row. The first class is "normal".
    That it is unlikely is no alarm yet: faults that leave no trace share its place.

    Args:
        model: A model of `kzoo.models.sequence_labeller`.
        data: A `kzoo.data.Runs`.
    """
    normal = data.values[data.parts["train"][0][0] : data.parts["validation"][0][1]]
    probabilities = model.predict(normal[None], verbose=0)[0]
    return {"threshold": CERTAIN, "patience": patience(probabilities)}


def patience(probabilities):
    """Returns how many certain steps in a row a run without faults does not have.

    Args:
        probabilities: `(time, classes)`.

    Example:

    >>> fault = np.array([0.1, 0.95, 0.1, 0.92, 0.91, 0.99, 0.3])
    >>> patience(np.stack([1 - fault, fault], axis=1))
    5
    """
    certain = episodes(probabilities[:, 1:].max(axis=1) >= CERTAIN)
    longest = max((end - begin for begin, end in certain), default=0)
    return next((count for count in PATIENCES if count > longest), PATIENCES[-1])


def first(flags):
    """Returns the step of the first flag that is true, or None.

    Example:

    >>> first(np.array([False, True, True])), first(np.array([False]))
    (1, None)
    """
    return int(np.argmax(flags)) if flags.any() else None


def watch_runs(path, data, whole):
    """Watches every run of testing by a file alone.

    Args:
        path: A file of `export_streaming`, whose details say when an alarm is on.
        data: A `kzoo.data.Runs`.
        whole: What the Keras model makes of each of these runs, a list of arrays.

    Returns:
        `(rows, difference)`: what was found in each run, and the largest difference of a
        probability.
    """
    rows, largest = [], 0.0
    for (begin, end), offline in zip(data.parts["test"], whole, strict=True):
        probabilities, raised = watch(path, data.values[begin:end])
        largest = max(largest, float(abs(probabilities - offline).max()))
        kind = int(data.labels[end - 1])
        fault = int(np.argmax(data.labels[begin:end] == kind)) if kind else end - begin
        early, alarm = first(raised[:fault]), first(raised[fault:])
        right = probabilities[fault:].argmax(axis=-1) == kind
        rows.append(
            {
                "run": data.class_names[kind],
                "steps until the alarm": "" if alarm is None else alarm + 1,
                "false alarm before": "no" if early is None else f"at step {early + 1} of {fault}",
                "% of steps named right": f"{100 * right.mean():.1f}" if kind else "",
            }
        )
    return rows, largest


def count_alarms(rows):
    """Returns what a file found in all runs together.

    Args:
        rows: Of `watch_runs`.

    Example:

    >>> names = "steps until the alarm", "false alarm before", "% of steps named right"
    >>> runs = ("", "at step 8 of 9", ""), (4, "no", "90.0"), ("", "no", "0.0")
    >>> count_alarms([dict(zip(names, run)) for run in runs])
    {'faults found': '1 of 2', 'false alarms': 1, '% of steps named right': '45.0'}
    """
    faults = [row for row in rows if row["% of steps named right"]]
    found = sum(row["steps until the alarm"] != "" for row in faults)
    right = np.mean([float(row["% of steps named right"]) for row in faults])
    return {
        "faults found": f"{found} of {len(faults)}",
        "false alarms": sum(row["false alarm before"] != "no" for row in rows),
        "% of steps named right": f"{right:.1f}",
    }


def alarms(files, model, data):
    """Watches every run of testing by each file, and prints and returns the tables of alarms.

    Args:
        files: List of `kzoo.export.Verification` of step models of `model`.
        model: A model of `kzoo.models.sequence_labeller`.
        data: A `kzoo.data.Runs`.
    """
    runs = data.parts["test"]
    whole = [model.predict(data.values[None, slice(*run)], verbose=0)[0] for run in runs]
    tables, table = [], []
    for file in files:
        rows, difference = watch_runs(file.path, data, whole)
        row = report.file_row(file, count_alarms(rows), "latency of a step")
        tables.append(rows)
        table.append(row | {"difference": f"{difference:.1e}"})
    report.print_table(f"{data.name}: files that take one measurement at a time", table)
    report.print_table(f"{data.name}: {files[0].path.name}, run by run", tables[0])
    rule = FaultPredictor(files[0].path).details
    return f"""
## Alarms while the measurements come in

These files take one measurement at a time; their state goes in and comes out. An alarm takes
{rule["patience"]} steps in a row at which one of the faults has a probability of
{rule["threshold"]} at least; the files say so, and `kzoo watch` goes by it. The difference is the
largest between a probability of the file and that of the Keras model on whole runs.

{report.markdown_table(table)}

`{files[0].path.name}`, run by run:

{report.markdown_table(tables[0])}
"""
