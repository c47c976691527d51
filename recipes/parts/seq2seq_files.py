"""The files of an encoder-decoder: written, verified, and measured through each file alone."""

import statistics
import time
import warnings

from kzoo.export import Seq2SeqPredictor, export_seq2seq, export_seq2seq_saved_model
from kzoo.recipes.parts import generation, run_folder
from kzoo.text import Tokenizer

# Real sentences that each file is verified with, and sentences that it is measured on, at most.
VERIFIED, MEASURED = 200, 1000


def export_files(model, out, tokenizers, knobs, sources):
    """Writes `float32.tflite`, `float16.tflite`, `dynamic.tflite` and the folder `saved_model`.

    Args:
        model: A model of `kzoo.models`, with an encoder and a decoder.
        out: The run folder.
        tokenizers: Tokenizer of what is read, and of what is written.
        knobs: Settings with `max_length`, `num_beams` and `length_penalty`.
        sources: Real texts to verify with.

    Returns:
        List of `kzoo.export.Verification`, one for each `.tflite` file.
    """
    reader, writer = tokenizers
    options = dict(
        source_tokenizer=reader,
        target_tokenizer=writer,
        max_length=knobs.max_length,
        beam_size=knobs.num_beams,
        num_results=1,
        length_penalty=knobs.length_penalty,
        banned_ids=Tokenizer.unwritten_ids,
        max_source_length=knobs.max_length,
    )
    export_seq2seq_saved_model(model, out / "saved_model", **options)
    options |= dict(start_id=Tokenizer.start_id, end_id=Tokenizer.end_id)
    options |= dict(inputs=reader(generation.spread(sources, VERIFIED)))
    options |= dict(alignments=("greedy",) if model.get_layer("decoder").attends else ())
    return export_seq2seq(model, run_folder.files(out), **options)


def measure(files, part, score):
    """Writes the texts of a part with each file, greedily and by beam search, one text at a time.

    Args:
        files: What `export_files` returned.
        part: `kzoo.data.TextPairs`; of a longer one, `MEASURED` evenly spread pairs.
        score: Function from two lists, of texts written and of references, to a dict of strings.

    Returns:
        Rows of the table, and a table of samples of the last file.
    """
    part = type(part)(*(generation.spread(side, MEASURED) for side in (part.sources, part.targets)))
    rows = []
    for file in files:
        predictor, written = Seq2SeqPredictor(file.path), {}
        beams = predictor.manifest["seq2seq"]["beam_size"]
        for way, beam in (("greedy", False), (f"beam {beams}", True)):
            written[way], milliseconds = _write(predictor, part.sources, beam)
            row = {"model": f"{file.path.name}, {way}", **score(written[way], part.targets)}
            row |= {"size": f"{file.size_bytes / 1e6:.2f} MB", "latency": f"{milliseconds:.1f} ms"}
            rows.append(row)
    return rows, generation.sample_table(part, written)


def _write(predictor, texts, beam):
    """Returns what is written for each text, and the median of the milliseconds it took."""
    written, times = [], []
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".* sequences were cut", category=UserWarning)
        for text in texts:
            start = time.perf_counter()
            written += predictor([text], beam)
            times.append(1e3 * (time.perf_counter() - start))
    return written, statistics.median(times)


def notes(part):
    """Returns sentences on what the table says of files."""
    count = len(generation.spread(part.sources, MEASURED))
    return [
        "- latency: median of a text at a time, from text to text, in LiteRT's Interpreter on one "
        "thread.",
        f"- The files were measured on {count} of {len(part)} pairs of the test split; the samples "
        "are what `dynamic.tflite` writes.",
    ]
