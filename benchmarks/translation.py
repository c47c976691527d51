"""Latency of a translated sentence in LiteRT and in ONNX Runtime, with the same weights.

    python -m benchmarks.translation [--data FOLDER] [--files FOLDER]

prints milliseconds per sentence: batch 1, one thread, the median over real sentences. kzoo runs a
whole search in one signature of its `.tflite` file; ONNX Runtime runs an encoder and a step that
PyTorch exported, with the loop in NumPy. Sentences are 50 of the embedded Korean-English test
split, or of multi30k's with `--data`, each with the sizes of the recipe. The weights are untrained
and the end id is never chosen, so that every sentence takes the same number of steps in both.
int8 is kzoo's precision "dynamic" and ONNX Runtime's `quantize_dynamic`.
"""

import statistics
import tempfile
import time
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import keras
import numpy as np
import tyro

import kzoo
from benchmarks.recurrent_report import table
from benchmarks.translation_peers import END, START, OnnxTranslator
from kzoo.export import Seq2SeqPredictor, export_seq2seq
from kzoo.recipes import translation
from kzoo.recipes.parts import command_line
from kzoo.text import SentencePieceTokenizer

SENTENCES, BEAMS = 50, 4
PRECISIONS = {"float32": "float32", "int8": "dynamic"}
LIBRARIES = ("ai-edge-litert", "onnxruntime", "torch")


@dataclass
class Knobs:
    """What can be set from the command line."""

    data: Path | None = None  # Folder of the full data sets, for multi30k.
    files: Path | None = None  # Folder that keeps the files for the next run.
    steps: int = 16  # Ids that every sentence takes.
    rounds: int = 3  # Times that every sentence is translated.


def main(knobs):
    """Prints the table."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = knobs.files or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        name = "multi30k" if knobs.data else "translation_ko_en"
        sentences, runners = prepare(folder, name, knobs)
        print(", ".join(f"{library} {version(library)}" for library in LIBRARIES))
        lengths = [sentence.shape[1] for sentence in sentences]
        print(
            f"{name}: {len(sentences)} sentences of {statistics.mean(lengths):.1f} ids on average"
        )
        for search in ("greedy", "beam"):
            same_ids(
                sentences[:5], *(runners[side, "float32"] for side in ("kzoo", "ONNX")), search
            )
        rows = []
        for search in ("greedy", "beam"):
            times = race(sentences, {n: getattr(r, search) for n, r in runners.items()}, knobs)
            row = {"search": search if search == "greedy" else f"beam {BEAMS}"}
            row |= {f"{side} {precision}": f"{t:.2f}" for (side, precision), t in times.items()}
            for precision in PRECISIONS:
                ratio = times["ONNX", precision] / times["kzoo", precision]
                row[f"{precision} ratio"] = f"{ratio:.2f}"
            rows.append(row)
        print(table(rows))


class Litert:
    """The signatures of a `.tflite` file."""

    def __init__(self, path):
        self.predictor = Seq2SeqPredictor(path)

    def greedy(self, source):
        """Returns the list of ids."""
        return self.predictor.search(source, beam=False)["ids"][0].tolist()

    def beam(self, source):
        """Returns the best list of ids."""
        return self.predictor.search(source)["ids"][0, 0].tolist()


def prepare(folder, name, knobs):
    """Returns the source ids of the sentences and the runners by library and precision."""
    recipe = command_line.parse(
        translation.Knobs, translation.SETTINGS, translation.__doc__, ["--dataset", name]
    )
    size = recipe.vocabulary_size
    data = kzoo.data.load_translation(name, knobs.data)
    tokenizer = SentencePieceTokenizer.train(data.train.sources, size)
    sentences = [tokenizer([text]) for text in data.test.sources[:SENTENCES]]
    keras.utils.set_random_seed(0)
    model = kzoo.create_model(
        "seq2seq_gru_bahdanau",
        source_vocabulary_size=size,
        target_vocabulary_size=size,
        embedding_dim=recipe.embedding_dim,
        units=recipe.units,
    )
    never = np.zeros(size, "float32")
    never[END] = -1e3
    model.get_layer("decoder").bias.assign(never)
    files = {p: folder / f"{name}_{knobs.steps}_{p}.tflite" for p in PRECISIONS.values()}
    if not all(path.exists() for path in files.values()):
        options = {"max_length": knobs.steps, "beam_size": BEAMS, "inputs": sentences[0]}
        export_seq2seq(model, files, start_id=START, end_id=END, **options)
    runners = {("kzoo", name): Litert(files[kind]) for name, kind in PRECISIONS.items()}
    for precision in PRECISIONS:
        translator = OnnxTranslator(model, folder, knobs.steps, precision)
        runners["ONNX", precision] = translator
    return sentences, runners


def same_ids(sentences, first, second, search):
    """Raises unless both write the same ids."""
    for sentence in sentences:
        ids = [getattr(runner, search)(sentence) for runner in (first, second)]
        np.testing.assert_array_equal(*ids)


def race(sentences, runners, knobs):
    """Lets the runners take turns at every sentence; returns median milliseconds by runner."""
    times = {name: [] for name in runners}
    for run in runners.values():
        run(sentences[0])
    for sentence in sentences * knobs.rounds:
        for name, run in runners.items():
            start = time.perf_counter()
            run(sentence)
            times[name].append(1e3 * (time.perf_counter() - start))
    return {name: statistics.median(values) for name, values in times.items()}


if __name__ == "__main__":
    main(tyro.cli(Knobs, description=__doc__))
