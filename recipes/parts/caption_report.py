"""The report on captions: the table, pictures with what was looked at, and learning curves."""

import numpy as np
from matplotlib import pyplot
from PIL import Image

from kzoo.export import CaptionPredictor
from kzoo.recipes.parts import measures, report, run_folder

# Scenes that are drawn with attention, and all whose captions are shown.
DRAWN, SHOWN = 3, 10


def write(out, digits, knobs, rows, scenes, files, history):
    """Prints the table, and writes `report.md`, `scores.json` and the pictures.

    Args:
        out: The run folder.
        digits: `kzoo.data.Digits`.
        knobs: The settings.
        rows: List of dicts, the table of scores.
        scenes: `kzoo.data.Scenes` of the test.
        files: List of `kzoo.export.Verification`.
        history: What `kzoo.training.Resume.history` holds.
    """
    report.print_table(f"{digits.name}, captions of {len(scenes)} test scenes", rows)
    predictor = CaptionPredictor(files[-1].path)
    captions = predictor(scenes.pictures[:SHOWN])
    samples = [
        {"picture": number, "reference": reference, "caption": caption}
        for number, (reference, caption) in enumerate(zip(scenes.captions, captions, strict=False))
    ]
    for number, picture in enumerate(scenes.pictures[:DRAWN]):
        Image.fromarray(picture[..., 0]).save(out / f"scene_{number}.png")
    pictures = {"Test scenes": "scenes.png", "Learning curve": "learning_curve.png"}
    plot_scenes(scenes, captions, out / "scenes.png")
    if predictor.manifest["seq2seq"]["alignments"]:
        pictures["Attention"] = "attention.png"
        plot_attention(predictor, scenes.pictures[:DRAWN], out / "attention.png")
    report.plot_learning_curve([history], ("loss", "exact_match"), out / "learning_curve.png")
    wall, cpu = (sum(epoch[name] for epoch in history) / 60 for name in ("seconds", "cpu_seconds"))
    sizes = ", ".join(f"{len(images)} {part}" for part, images in digits.parts.items())
    parts = [
        f"# Captions of scenes of {digits.name}",
        f"Scenes are rendered from real handwritten digits, {sizes}\nimages; no image is in scenes "
        f"of two parts. Licence of the data: {digits.licence}.\nTraining took {wall:.1f} minutes, "
        f"and {cpu:.1f} minutes of processor time, over {len(history)} epochs of\n{knobs.scenes} "
        "fresh scenes; the weights are those of the epoch with the lowest validation perplexity.",
        report.markdown_table(rows),
        _NOTES,
        "\n".join(measures.translation_notes()[:1]),
        f"Operators in the files: {', '.join(files[0].operators)}.",
        "## Samples\n\nWritten by `dynamic.tflite`, by beam search.",
        report.markdown_table(samples),
        *(f"![{title}]({name})" for title, name in pictures.items()),
        "## Settings",
        report.settings(knobs),
    ]
    run_folder.write_report(out, "\n\n".join(parts) + "\n", rows)
    print(f"The report, the pictures, the model and the files are in {out}")
    print(f"Try: kzoo caption {files[-1].path} {out / 'scene_0.png'}")


_NOTES = """\
"Attention on the digit" is the share of words for digits at which the place that greedy search
attends to most has its middle within the 20 pixels around the digit that the word is to name.
Latency is the median of one picture in LiteRT's Interpreter on one thread."""


def plot_scenes(scenes, captions, path):
    """Draws scenes with their captions, red where a caption is wrong."""
    figure, axes = pyplot.subplots(2, SHOWN // 2, figsize=(15, 6.5), layout="constrained")
    for axis, picture, caption, wanted in zip(
        axes.flat, scenes.pictures, captions, scenes.captions, strict=False
    ):
        axis.imshow(picture[..., 0], cmap="gray")
        axis.set_title(caption, fontsize=8, color="black" if caption == wanted else "red")
        axis.set_axis_off()
    figure.savefig(path, dpi=100)
    pyplot.close(figure)


def plot_attention(predictor, pictures, path):
    """Draws for each picture (row) and word (column) which places the word looked at."""
    looked = [predictor.align(picture) for picture in pictures]
    columns = 1 + max(len(words) for words, _ in looked)
    figure, axes = pyplot.subplots(
        len(pictures), columns, figsize=(1.7 * columns, 2 * len(pictures)), layout="constrained"
    )
    for row, picture, (words, grids) in zip(axes, pictures, looked, strict=True):
        cell = picture.shape[0] // grids.shape[1]
        for axis, word, grid in zip(row[1:], words, grids, strict=False):
            axis.imshow(picture[..., 0], cmap="gray")
            axis.imshow(np.kron(grid, np.ones((cell, cell))), cmap="hot", alpha=0.6, vmin=0)
            axis.set_title(word)
        row[0].imshow(picture[..., 0], cmap="gray")
        for axis in row:
            axis.set_axis_off()
    figure.savefig(path, dpi=100)
    pyplot.close(figure)
