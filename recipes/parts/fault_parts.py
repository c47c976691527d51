"""What the recipe of faults shares with its tests: windows, scores, floors, streams, report."""

import numpy as np
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import classification_report
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from kzoo.export import Predictor
from kzoo.recipes.parts import classification, report, run_folder
from kzoo.training import SeriesBatches

# Rows of training that the floors learn from.
FLOOR_STRIDE = 5
# A stream is longer than a window, so its model learns from longer ones, fewer of them.
STREAM_LENGTH, STREAM_STRIDE = 60, 4


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
    return {**known, "shortest": data.shortest(input_length), **more}


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
