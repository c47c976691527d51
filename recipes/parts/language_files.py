"""The files of a language model: written, verified, measured through each file alone, reported."""

import math

import numpy as np

from kzoo.export import LanguagePredictor, export_language_model
from kzoo.recipes.parts import language_parts, ngrams, report, run_folder
from kzoo.text import Tokenizer, tokenize_prompts
from kzoo.training import ShuffledWindows


def scores(loss, ids, text):
    """Returns the cells of a table for a loss.

    Args:
        loss: Mean of `-log p` of a token.
        ids: The tokens of a text.
        text: The text.

    Example:

    >>> scores(math.log(4), [3, 5, 6], "ab")
    {'loss': '1.3863', 'perplexity': '4.000', 'bits per character': '2.0000'}
    """
    # The line break before the text is a token too.
    bits = loss / math.log(2) * len(ids) / (len(text) + 1)
    return {
        "loss": f"{loss:.4f}",
        "perplexity": f"{math.exp(loss):.3f}",
        "bits per character": f"{bits:.4f}",
    }


def floor(parts, measured, vocabulary_size):
    """Returns the row of n-grams, which a model must beat."""
    ids = parts[measured]
    order, loss = ngrams.best_ngrams(parts["train"], parts["validation"], ids, vocabulary_size)
    return {"model": f"{order}-grams", "loss": loss}


def settings(model, window, length, one_line, num_beams):
    """Returns how a model writes, for `kzoo.export`.

    Args:
        model: Name of the preset.
        window: Tokens of a training window. Attention knows no text that is longer, so half of it
            is for the prompt.
        length: Number of tokens at most.
        one_line: Whether a text ends with its line.
        num_beams: Width of the beam.
    """
    if not language_parts.is_recurrent(model):
        length = min(length, max(1, window // 2))
    return {
        "start_id": Tokenizer.end_id,
        "end_id": Tokenizer.end_id if one_line else None,
        "max_length": length,
        "beam_size": num_beams,
        "num_results": 1,
        "banned_ids": Tokenizer.unwritten_ids,
    }


def prompts(knobs):
    """Returns what samples begin with; a shell's backslash and n are a line break."""
    return [prompt.replace("\\n", "\n") for prompt in knobs.prompts]


def export_files(model, out, knobs, tokenizer):
    """Writes `float32.tflite`, `float16.tflite`, `dynamic.tflite` and the folder `saved_model`.

    Returns:
        List of `kzoo.export.Verification`.
    """
    ids = tokenize_prompts(tokenizer, prompts(knobs))
    how = settings(knobs.model, knobs.window, knobs.length, knobs.one_line, knobs.num_beams)
    options = dict(**how, tokenizer=tokenizer, inputs=ids, saved_model=out / "saved_model")
    return export_language_model(model, run_folder.files(out), **options)


def measure(file, windows, ids, text):
    """Scores a part with a file, in the same windows or streams as the Keras model.

    Returns:
        The file's row of the table.
    """
    predictor, total, count = LanguagePredictor(file.path), 0.0, 0
    for rows, weights in _rows(windows):
        found = predictor.score(rows)[:, 1:]
        total, count = total - (found * weights).sum(dtype="float64"), count + weights.sum()
    measured, length = scores(total / count, ids, text), predictor.settings["max_length"]
    return report.file_row(file, measured, "latency of a token", length)


def _rows(windows):
    """Yields ids and the weights of all but the first, as many at once as fit into memory."""
    if isinstance(windows, ShuffledWindows):
        for inputs, targets, weights in (windows[index] for index in range(len(windows))):
            yield np.concatenate([inputs, targets[:, -1:]], axis=1), weights
        return
    for inputs, targets in zip(windows.sequences, windows.targets, strict=True):
        yield np.append(inputs, targets[-1])[None], np.ones((1, len(targets)), "float32")


def samples(path, knobs):
    """Returns what a file writes after each prompt, by every way of choosing: rows of a table."""
    predictor = LanguagePredictor(path)
    ways = {
        "greedy": dict(method="greedy"),
        f"beam {knobs.num_beams}": dict(method="beam"),
        "all": {},
        f"temperature {knobs.temperature}": dict(temperature=knobs.temperature),
        f"top-k {knobs.top_k}": dict(top_k=knobs.top_k),
        f"top-p {knobs.top_p}": dict(top_p=knobs.top_p),
    }
    begun = prompts(knobs)
    written = {way: predictor(begun, seed=knobs.seed, **how) for way, how in ways.items()}
    return [
        {"prompt": prompt, "chosen by": way, "written": texts[number]}
        for number, prompt in enumerate(begun)
        for way, texts in written.items()
    ]


def write_report(out, data, measured, knobs, rows, written, history, unknown):
    """Prints the table and some samples, and writes `report.md` and `learning_curve.png`.

    Args:
        out: The run folder.
        data: `kzoo.data.Corpus`.
        measured: Name of the part that was measured.
        knobs: The settings.
        rows: List of dicts, the table of scores.
        written: What `samples` returned.
        history: What `kzoo.training.Resume.history` holds.
        unknown: Share of tokens of the measured part that the vocabulary lacks.
    """
    report.print_table(f"{data.name}, {measured} part", rows)
    for sample in written[:1] + written[3:4]:
        print(f"{sample['prompt']}{sample['written']}", end="\n\n")
    report.plot_learning_curve([history], ("loss", "perplexity"), out / "learning_curve.png")
    sizes = (f"{len(text):,} {name}" for name, text in language_parts.parts(data).items())
    wall, cpu = (sum(epoch[name] for epoch in history) / 60 for name in ("seconds", "cpu_seconds"))
    blocks = [
        f"- {x['chosen by']}, after {x['prompt']!r}\n\n```\n{x['prompt']}{x['written']}\n```"
        for x in written
    ]
    lines = [
        f"# {data.name}",
        f"{', '.join(sizes)} characters. Licence of the data: {data.licence}.\nTraining took "
        f"{wall:.1f} minutes, and {cpu:.1f} minutes of processor time, over {len(history)} epochs; "
        "the\nweights are those of the epoch with the lowest validation perplexity.",
        report.markdown_table(rows),
        _notes(knobs, measured, unknown),
        "![Learning curve](learning_curve.png)",
        "## Samples\n\nWritten by `float32.tflite`.",
        *blocks,
        "## Settings",
        report.settings(knobs),
    ]
    run_folder.write_report(out, "\n\n".join(lines) + "\n", rows)
    print(f"The report, the picture, the model and the files are in {out}")


def _notes(knobs, measured, unknown):
    """Returns how the numbers were measured."""
    seen = (
        f"The {measured} part is read as {knobs.batch_size} streams side by side, whose state is "
        f"carried on\nfrom window to window; the last {knobs.batch_size - 1} tokens at most are "
        "left out."
        if language_parts.is_recurrent(knobs.model)
        else f"The {measured} part is cut into windows of {knobs.window} tokens that do not "
        "overlap; a token is judged\nfrom those before it in its window."
    )
    lack = f" {100 * unknown:.2f} % of the tokens are\nunknown ones, which cost too few bits."
    return (
        "Loss is the mean of -log p of a token, in nats. The n-grams are interpolated (Witten and "
        "Bell), their\norder is the best on validation. "
        + seen
        + (lack if unknown else "")
        + "\nLatency is that of `greedy` in LiteRT's Interpreter on one thread, the prompt "
        "included; the\ndifference is the largest between a number of the file and of the Keras "
        "model."
    )
