"""The text of `RESULTS.md`."""

from importlib.metadata import version

LIBRARIES = ("keras", "tensorflow", "ai-edge-litert", "onnxruntime", "torch")
# The project's targets: the row, the ratio of two of its columns, and the least value.
ASKED = [
    *(
        (f"device {outputs} {cell} 64,128,100", ratio, least)
        for cell in ("lstm", "gru", "simple_rnn")
        for outputs, ratio, least in (
            ("all", ("Keras", "kzoo"), 2.5),
            ("last", ("Keras", "kzoo"), 2.5),
            ("last", ("ONNX", "kzoo"), 1.0),
            ("last", ("ONNX", "kzoo int8"), 1.3),
        )
    ),
    ("device last sru 64,128,100", ("fused LSTM", "kzoo"), 5.0),
    ("device last sru 64,128,1000", ("fused LSTM", "kzoo"), 5.0),
    *(
        (f"training {cell} 64,128,100 batch {batch}", ratio, least)
        for cell in ("lstm", "gru")
        for batch in (8, 64)
        for ratio, least in ((("PyTorch", "kzoo"), 1.0), (("Keras's better", "kzoo"), 1.3))
    ),
    ("training sru 64,128,1000 batch 16", ("Keras's better", "kzoo"), 5.0),
    ("training sru 64,128,1000 batch 16", ("PyTorch", "kzoo"), 3.0),
]
HEAD = """# Recurrent layers

Written by `python -m benchmarks.recurrent` with
{versions}.

Medians in milliseconds; the libraries of a row take turns, so ratios count more than times. Sizes
are inputs, units and time steps. Rows that were not timed in this run are missing.

On device: batch 1, one thread. kzoo's files take any batch size and length, those of Keras's
converter are fixed to one of each (its others do not run). `all` rows return the outputs of all
steps, `last` rows the last one. `fused` is the operator UNIDIRECTIONAL_SEQUENCE_LSTM; `fused LSTM`,
beside the SRU, an LSTM of the same size by that operator.

Training: forward, backward and Adam's update of one layer and a dense head by `train_on_batch`, two
threads. The other libraries have no SRU, so in the SRU rows they run an LSTM of the same size.
`Keras's better` is the faster of Keras's graph and XLA.
"""
TARGETS = "Targets are the project's own; above 1 kzoo is faster.\n"


def report(times):
    """Returns the Markdown text for medians by row and column."""
    versions = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    for row in times.values():
        if "Keras graph" in row:
            row["Keras's better"] = min(row["Keras graph"], row["Keras XLA"])
    parts = [HEAD.format(versions=versions), "## Targets and measurements\n", TARGETS, asked(times)]
    parts += ["## Cost of a step at 4,000 steps over that at 100\n", growth(times)]
    for title, start in (("On device", "device"), ("Training step", "training")):
        chosen = {name: row for name, row in times.items() if name.startswith(start)}
        parts += [f"## {title}\n", table([cells(name, row) for name, row in chosen.items()])]
    return "\n".join(parts)


def asked(times):
    """Returns the table of the numbers that are asked for."""
    lines = []
    for name, (over, under), least in ASKED:
        if name not in times:
            lines.append({"row": name, "ratio": f"{over} / {under}", "measured": "not timed"})
            continue
        ratio = times[name][over] / times[name][under]
        reached = "yes" if ratio >= least else "no"
        line = {"row": name, "ratio": f"{over} / {under}", "measured": f"{ratio:.2f}"}
        lines.append({**line, "target": f"{least:g}", "reached": reached})
    return table(lines)


def growth(times):
    """Returns the table of what a step costs more in a long sequence; 1.5 is allowed."""
    lines = []
    for outputs in ("last", "all"):
        for cell in ("simple_rnn", "lstm", "gru", "sru"):
            names = [f"device {outputs} {cell} 64,128,{n}" for n in (4000, 100)]
            if not times.keys() >= set(names):
                continue
            long, short = (times[name] for name in names)
            ratios = {m: f"{long[m] / short[m] / 40:.2f}" for m in long}
            lines.append({"outputs": outputs, "cell": cell, **ratios})
    return table(lines)


def cells(name, row):
    """Returns a row's cells: milliseconds, and ratios to kzoo's."""
    shown = {
        column: f"{value:.3f}" + ("" if column == "kzoo" else f" ({value / row['kzoo']:.2f}x)")
        for column, value in row.items()
        if column != "Keras's better"
    }
    return {"row": name.partition(" ")[2], **shown}


def table(rows):
    """Returns rows as a Markdown table; missing cells are empty."""
    columns = list(dict.fromkeys(column for row in rows for column in row))
    lines = [columns, ["---"] * len(columns)]
    lines += [[str(row.get(column, "")) for column in columns] for row in rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
