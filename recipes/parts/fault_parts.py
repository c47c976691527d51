"""What the recipe of faults shares with its tests: windows, scores, floors, streams, report."""

import numpy as np
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import classification_report
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from kzoo.export import FaultPredictor, Predictor
from kzoo.recipes.parts import classification, report, run_folder
from kzoo.recipes.parts.alarm_scores import episodes
from kzoo.training import SeriesBatches

# Rows of training that the floors learn from.
FLOOR_STRIDE = 5
# A stream is longer than a window, so its model learns from longer ones, fewer of them.
STREAM_LENGTH, STREAM_STRIDE = 60, 4
# The probability at which a fault counts, and how often in a row it has to, one of these.
CERTAIN = 0.9
PATIENCES = (3, 5, 8, 12, 20, 30)


def print_sizes(data):
    """Prints how many runs there are, and of what."""
    sizes = ", ".join(f"{len(runs)} {part}" for part, runs in data.parts.items())
    kind = "remaining life" if data.class_names is None else f"{len(data.class_names)} classes"
    print(f"{data.name}: {sizes} runs of {len(data.columns)} columns; {kind}")


def batches(data, part, knobs, every_step=False, **options):
    """Returns the `SeriesBatches` of a part: windows, and what is said of their last steps.

    Args:
        data: A `kzoo.data.Runs`.
        part: "train", "validation" or "test".
        knobs: The recipe's knobs.
        every_step: Whether every step of a window has a label, or its last one.
        **options: Of `SeriesBatches`.
    """
    length, stride = knobs.input_length, knobs.stride if part == "train" else 1
    if every_step:
        length, stride = STREAM_LENGTH, STREAM_STRIDE
    # Engines are asked about once, at the end of what is known of them.
    last = data.class_names is None and part == "test"
    starts = data.starts(part, length, stride, last)
    count = length if every_step else 1
    sizes = length, count, knobs.batch_size
    return SeriesBatches(data.values, data.labels, starts, *sizes, lead=-count, **options)


def scores(data, labels, outputs):
    """Scores what a model says of windows.

    Args:
        data: A `kzoo.data.Runs`.
        labels: `(windows,)`.
        outputs: Probabilities `(windows, classes)`, or steps that are left `(windows, 1)`.

    Returns:
        Dict from names to strings: accuracy in percent over windows, and over the classes but the
        faults 3, 9 and 15, of which the measurements hardly show a trace; or the root mean squared
        error in steps.

    Example:

    >>> import kzoo
    >>> data = kzoo.data.load_faults("tep_4_classes")
    >>> scores(data, np.array([0, 1]), np.array([[0.9, 0.1, 0, 0], [0.8, 0.2, 0, 0]]))
    {'accuracy': '50.00', 'macro F1': '33.33'}
    """
    if data.class_names is None:
        errors = outputs[:, 0] - labels
        return {
            "RMSE": f"{np.sqrt(np.mean(errors**2)):.2f}",
            "MAE": f"{np.mean(np.abs(errors)):.2f}",
        }
    labels = labels.astype(int)
    found = classification.scores(labels, outputs, data.class_names)
    hidden = [data.class_names.index(f"fault {n}") for n in (3, 9, 15) if len(data.class_names) > 9]
    if hidden:
        seen = ~np.isin(labels, hidden)
        right = (outputs.argmax(axis=-1) == labels)[seen].mean()
        found["without 3, 9, 15"] = f"{100 * right:.2f}"
    return found


def floor(data, knobs):
    """Returns the scores of a linear model of the flat, standardized windows."""
    # Padded windows are nothing that a linear model can read.
    length = knobs.input_length if data.class_names is not None else min(knobs.input_length, 30)

    def read(part, **options):
        starts = data.starts(part, length, **options)
        windows = data.values[starts[:, None] + np.arange(length)]
        return windows.reshape(len(windows), -1), data.labels[starts + length - 1]

    inputs, labels = read("train", stride=FLOOR_STRIDE)
    if data.class_names is None:
        model = make_pipeline(StandardScaler(), Ridge(alpha=1000.0)).fit(inputs, labels)
        inputs, labels = read("test", last=True)
        return scores(data, labels, model.predict(inputs)[:, None])
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=100))
    model.fit(inputs, labels)
    inputs, labels = read("test", stride=FLOOR_STRIDE)
    return scores(data, labels, model.predict_proba(inputs))


def last_step(outputs):
    """Returns what is said of the last step, where every step has a class."""
    return outputs[:, -1] if outputs.ndim == 3 else outputs


def measure_file(verification, data, test):
    """Scores a `.tflite` file on the test windows, through the file alone.

    Returns:
        The file's row of the table.
    """
    predictor = Predictor(verification.path)
    outputs = [last_step(predictor(test[index][0])) for index in range(len(test))]
    labels = data.labels[test.target_steps()[:, -1]]
    return report.file_row(verification, scores(data, labels, np.concatenate(outputs)))


def details(data, input_length=1, **more):
    """Returns what a client must know to judge measurements with a file."""
    known = {"columns": data.columns, "reading": data.reading, "input_length": input_length}
    return {**known, **more}


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


def alarms(path, model, data):
    """Watches every run of testing, and prints and returns the table of alarms.

    Args:
        path: A file of `export_streaming`, of `model`, whose details say when an alarm is on.
        model: A model of `kzoo.models.sequence_labeller`.
        data: A `kzoo.data.Runs`.
    """
    rows, largest = [], 0.0
    for begin, end in data.parts["test"]:
        probabilities, raised = watch(path, data.values[begin:end])
        offline = model.predict(data.values[None, begin:end], verbose=0)[0]
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
                "steps named right": f"{100 * right.mean():.1f} %" if kind else "",
            }
        )
    report.print_table(f"{data.name}: a file that takes one measurement at a time", rows)
    rule = FaultPredictor(path).details
    return f"""
## Alarms while the measurements come in

`stream.tflite` takes one measurement at a time; its state goes in and comes out. An alarm takes
{rule["patience"]} steps in a row at which one of the faults has a probability of
{rule["threshold"]} at least; the file says so, and `kzoo watch` goes by it. The probabilities are
those of the Keras model on whole runs, but for {largest:.1e}.

{report.markdown_table(rows)}
"""


def write_report(out, data, knobs, rows, labels, outputs, histories, files, notes=""):
    """Prints the table, and writes it, `report.md` and the pictures into `out`."""
    operators = ", ".join(files[0].operators)
    report.print_table(f"{data.name}, test runs", rows)
    print(f"Operators in the files: {operators}")
    report.plot_learning_curve(histories, ("loss",), out / "learning_curve.png")
    details = "The target is the number of cycles that are left, 125 at most, in training and test."
    picture = "life"
    if data.class_names is None:
        plot_life(labels, outputs[:, 0], out / "life.png")
    else:
        picture = "confusion"
        classification.plot_confusion(labels, outputs, data.class_names, out / "confusion.png")
        table = classification_report(
            labels,
            outputs.argmax(axis=-1),
            labels=range(len(data.class_names)),
            target_names=data.class_names,
            digits=4,
            zero_division=0,
        )
        details = f"```\n{table}```"
    epochs = [epoch for history in histories for epoch in history]
    minutes = sum(epoch["seconds"] for epoch in epochs) / 60
    text = f"""# {data.name}

Licence of the data: {data.licence}. Training took {minutes:.1f} minutes over {len(epochs)} epochs
of {len(histories)} member(s); the weights are those of the epoch with the best validation loss.

{report.markdown_table(rows)}

Latency is the median of one window at a time in LiteRT's Interpreter on one thread; the difference
is the largest between an output of the file and of the Keras model.

Operators in the files: {operators}.

{details}
{notes}
![Learning curve](learning_curve.png)

![What was found]({picture}.png)

## Settings

{report.settings(knobs)}
"""
    run_folder.write_report(out, text, rows)
    print(f"The report, the pictures, the model and the files are in {out}")


def plot_life(labels, found, path):
    """Draws the life that was left to each engine, and what the model said."""
    from matplotlib import pyplot

    order = np.argsort(labels)
    figure, axis = pyplot.subplots(figsize=(8, 4), layout="constrained")
    axis.plot(labels[order], "k", label="cycles left")
    axis.plot(found[order], "C1.", label="estimate")
    axis.set(xlabel="engine, sorted", ylabel="cycles")
    axis.grid(alpha=0.3)
    axis.legend()
    figure.savefig(path, dpi=110)
    pyplot.close(figure)
