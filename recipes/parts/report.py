"""What the reports of all recipes share: tables, learning curves, and a font with Hangul."""

import itertools
from pathlib import Path

import matplotlib
from matplotlib import font_manager
from rich.console import Console
from rich.table import Table

matplotlib.use("Agg")
# What the first font lacks is drawn by the second one.
font_manager.fontManager.addfont(Path(__file__).parent / "fonts" / "kzoo_hangul.ttf")
matplotlib.rcParams["font.family"] = ["DejaVu Sans", "kzoo Hangul"]


def print_cut(max_length, *sides):
    """Prints how many sequences of training are too long and lose their end, if any are.

    Args:
        max_length: How much of a sequence the model reads.
        *sides: Lists of sequences, one or more for each row of the data set.

    Example:

    >>> print_cut(2, [[5], [5, 6], [5, 6, 7]])
    1 of 3 sequences of training are cut to max_length=2
    """
    lengths = [len(sequence) for sequences in sides for sequence in sequences]
    if count := sum(length > max_length for length in lengths):
        share = f"{count} of {len(lengths)} sequences of training"
        print(f"{share} are cut to max_length={max_length}")


def print_table(title, rows):
    """Prints a list of dicts as a table; missing cells are empty."""
    columns = _columns(rows)
    table = Table(*columns, title=title)
    for row in rows:
        table.add_row(*_cells(row, columns))
    # A pipe or a narrow terminal would cut the numbers; what a model writes is no markup.
    width = max(Console().width, 130)
    Console(width=width, markup=False, emoji=False).print(table)


def markdown_table(rows):
    r"""Returns a list of dicts as a Markdown table; missing cells are empty.

    Example:

    >>> print(markdown_table([{"file": "a|b", "bytes": 1}, {"file": "b"}]))
    | file | bytes |
    |---|---|
    | a\|b | 1 |
    | b |  |
    """
    columns = _columns(rows)
    cells = [columns, *(_cells(row, columns) for row in rows)]
    lines = [" | ".join(cell.replace("|", "\\|") for cell in row) for row in cells]
    head, *body = [f"| {line} |" for line in lines]
    return "\n".join([head, "|" + "---|" * len(columns), *body])


def file_row(file, scores, latency="latency", count=1):
    """Returns a `.tflite` file's row of a table.

    Args:
        file: Its `kzoo.export.Verification`.
        scores: Dict of what was measured with it.
        latency: Name of the column of the latency.
        count: What the latency is divided by.
    """
    return {
        "model": file.path.name,
        **scores,
        "size": f"{file.size_bytes / 1e6:.2f} MB",
        latency: f"{file.latency_ms / count:.3f} ms",
        "difference": f"{file.max_difference:.1e}",
    }


def settings(knobs):
    """Returns the settings of a run as a Markdown list, with quotes around text.

    Example:

    >>> from types import SimpleNamespace
    >>> print(settings(SimpleNamespace(epochs=3, prompt="the\\n")))
    - epochs: 3
    - prompt: 'the\\n'
    """
    shown = {k: repr(x) if isinstance(x, str) else x for k, x in vars(knobs).items()}
    return "\n".join(f"- {name}: {value}" for name, value in shown.items())


def _columns(rows):
    return list(dict.fromkeys(column for row in rows for column in row))


def _cells(row, columns):
    return [str(row.get(column, "")) for column in columns]


def plot_learning_curve(histories, names, path):
    """Draws what Keras logged of training and validation by epoch.

    Args:
        histories: List of what `kzoo.training.Resume.history` holds, one a member.
        names: Names that Keras logged; what was logged of validation only is drawn alone.
        path: The picture to write.
    """
    from matplotlib import pyplot

    size = (4.5 * len(names), 3.5)
    figure, axes = pyplot.subplots(1, len(names), figsize=size, layout="constrained", squeeze=False)
    lines = {"training": ("", "C0"), "validation": ("val_", "C1")}
    for axis, name in zip(axes[0], names, strict=True):
        for (label, (prefix, color)), (index, history) in itertools.product(
            lines.items(), enumerate(histories)
        ):
            values = [epoch[prefix + name] for epoch in history if prefix + name in epoch]
            if not values:
                continue
            steps = range(1, len(values) + 1)
            axis.plot(steps, values, "o-", color=color, label=None if index else label)
        axis.set(xlabel="epoch", ylabel=name)
        axis.xaxis.get_major_locator().set_params(integer=True)
        axis.grid(alpha=0.3)
        axis.legend()
    figure.savefig(path, dpi=120)
    pyplot.close(figure)
