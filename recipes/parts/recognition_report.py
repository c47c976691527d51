"""What the recipe of recognition writes about a run: streams, pictures and the report."""

import numpy as np
from matplotlib import pyplot

from kzoo.export import RecognitionPredictor, StreamingPredictor
from kzoo.recipes.parts import recognition_parts, report, run_folder
from kzoo.recipes.parts.recognition_parts import HOP


def listen(path, samples, chunk=8):
    """Runs a file of `export_streaming` over samples, chunk by chunk.

    Args:
        path: The file, of `kzoo.models.ctc_stream`.
        samples: `(time,)`.
        chunk: Hops of a chunk.

    Returns:
        The digits, and the probabilities of each hop.
    """
    predictor, digits, probabilities = StreamingPredictor(path), [], []
    hops = np.pad(samples, [0, -len(samples) % (chunk * HOP)]).reshape(1, -1, HOP)
    for start in range(0, hops.shape[1], chunk):
        outputs = predictor(hops[:, start : start + chunk])
        digits += recognition_parts.digits_of(outputs["symbols"])[0]
        probabilities.append(outputs["probabilities"][0])
    return digits, np.concatenate(probabilities)


def watch(files, stream, data, test):
    """Scores streams beside their model on whole recordings; returns a part of the report.

    Args:
        files: List of `kzoo.export.Verification` of step models.
        stream: Their model, of `kzoo.models.ctc_stream`.
        data: The set of recordings.
        test: Its strings of the test.
    """
    whole = [stream.predict_on_batch(recognition_parts.pad(stream, [s])) for s in test.strings]
    offline = [outputs["probabilities"][0] for outputs in whole]
    digits = [recognition_parts.digits_of(outputs["symbols"])[0] for outputs in whole]
    rates = recognition_parts.error_rates(data, test.digits, digits)
    rows = [{"model": "Keras, whole", **rates, "parameters": f"{stream.count_params():,}"}]
    for file in files:
        heard = [listen(file.path, samples) for samples in test.strings]
        found = [row for row, _ in heard]
        rates = recognition_parts.error_rates(data, test.digits, found)
        same = sum(a[: len(b)] == b for a, b in zip(found, digits, strict=True))
        largest = max(
            float(np.abs(probabilities[: len(expected)] - expected).max())
            for (_, probabilities), expected in zip(heard, offline, strict=True)
        )
        row = report.file_row(file, rates, "latency of 8 hops")
        rows.append(row | {"difference": f"{largest:.1e}", "same": f"{same} of {len(found)}"})
    report.print_table(f"{data.name}: files that hear sound as it comes in", rows)
    return f"""
## Sound that comes in

These files take 8 hops, {8 * HOP / 8} milliseconds, at a time; their state goes in and comes out.
The difference is the largest of a probability, and the same are the strings of which the file, by
chunks, finds the digits that the Keras model finds in the whole.

{report.markdown_table(rows)}
"""


def write_report(out, data, knobs, rows, test, history, files, notes=""):
    """Prints the table, and writes it, `report.md` and the pictures into `out`."""
    operators = ", ".join(sorted({name for file in files for name in file.operators}))
    report.print_table(f"{data.name}, test digits", rows)
    report.plot_learning_curve([history], ("loss", "errors"), out / "learning_curve.png")
    plot_samples(files[0].path, data, test, out / "samples.png")
    minutes = sum(epoch["seconds"] for epoch in history) / 60
    word = "spoken digit" if recognition_parts.is_speech(data) else "whole line"
    text = f"""# {data.name}

Licence of the data: {data.licence}. Training took {minutes:.1f} minutes over {len(history)} epochs;
the weights are those of the epoch with the fewest wrong digits in strings of validation.

{report.markdown_table(rows)}

Errors are percent of the characters, and of the words, of {len(test.strings)} strings of 1 to
{knobs.max_length} digits; a word is a {word}. Single digits are the percent of
{len(test.labels)} digits of the test that are found by themselves. The floor is logistic
regression, which is told where a digit begins and ends. Latency is the median of one string in
LiteRT's Interpreter on one thread; the difference is the largest between the certainties of the
file and of the Keras model, or the share of other digits where that is larger.

Operators in the files: {operators}.
{notes}
![Learning curve](learning_curve.png)

![Strings of the test, and what the first file makes of them](samples.png)

## Settings

{report.settings(knobs)}
"""
    run_folder.write_report(out, text, rows)
    print(f"The report, the pictures, the model and the files are in {out}")


def plot_samples(path, data, test, picture, count=6):
    """Draws strings of the test with what the file at `path` makes of them."""
    parts = test.strings[:count]
    figure, axes = pyplot.subplots(len(parts), 1, figsize=(7, 1.3 * len(parts)), squeeze=False)
    for axis, part, digits, (found, certainty) in zip(
        axes[:, 0], parts, test.digits, RecognitionPredictor(path)(parts), strict=False
    ):
        axis.plot(part, lw=0.4) if recognition_parts.is_speech(data) else axis.imshow(
            part, cmap="gray_r"
        )
        axis.set_axis_off()
        right = (
            ""
            if found == recognition_parts.text(data, digits)
            else f" (it is {recognition_parts.text(data, digits)})"
        )
        axis.set_title(f"{found}{right}, {100 * certainty:.0f} %", fontsize=9)
    figure.tight_layout()
    figure.savefig(picture, dpi=100)
    pyplot.close(figure)
