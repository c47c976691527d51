"""The commands of `kzoo` that run a file, or the model of a run."""

import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

import tyro


@dataclass
class Predict:
    """Classify texts, or tag their words, with a `.tflite` file alone."""

    # The `.tflite` file.
    file: tyro.conf.Positional[Path]
    # The texts; without any, one a line from standard input.
    texts: tyro.conf.Positional[tuple[str, ...]] = field(default_factory=tuple)

    def run(self):
        """Prints label, probability and text, separated by tabs; or each word with its tag."""
        from kzoo.export import Predictor

        predictor = Predictor(self.file)
        for text in self.texts or (line.rstrip("\n") for line in sys.stdin):
            if predictor.is_tagger:
                (row,) = predictor.tag([text])
                words = (f"{word}/{tag}" for word, tag, _ in row if not word.isspace())
                print(" ".join(words), flush=True)
                continue
            ((label, probability),) = predictor.classify([text])
            print(f"{label}\t{probability:.4f}\t{text}", flush=True)


@dataclass
class Translate:
    """Translate texts with a `.tflite` file alone, or with the Keras model of a run."""

    # The `.tflite` file, the run folder of a recipe, or the `model.keras` in it.
    model: tyro.conf.Positional[Path]
    # The texts; without any, one a line from standard input.
    texts: tyro.conf.Positional[tuple[str, ...]] = field(default_factory=tuple)
    # Greedy search, which is quicker than beam search.
    greedy: bool = False

    def run(self):
        """Prints one translation a line."""
        from kzoo.recipes.parts.writers import load_writer

        write = load_writer(self.model)
        for text in self.texts or (line.rstrip("\n") for line in sys.stdin):
            print(*write([text], beam=not self.greedy), flush=True)


@dataclass
class Chat:
    """Talk with a chatbot, line by line, until the input ends (Ctrl-D)."""

    # The `.tflite` file, the run folder of a recipe, or the `model.keras` in it.
    model: tyro.conf.Positional[Path]
    # Greedy search, which is quicker than beam search.
    greedy: bool = False

    def run(self):
        """Answers every line of standard input; shows a prompt where a person types."""
        from kzoo.recipes.parts.writers import load_writer

        write = load_writer(self.model)
        prompt = "> " if sys.stdin.isatty() else ""
        while True:
            try:
                line = input(prompt)
            except (EOFError, KeyboardInterrupt):
                return
            print(*write([line], beam=not self.greedy), flush=True)


@dataclass
class Generate:
    """Go on with a text, by a language model; what is written is shown while it is written."""

    # The `.tflite` file, the run folder of the recipe `language`, or the `model.keras` in it.
    model: tyro.conf.Positional[Path]
    # What to go on with; a \n is a line break.
    prompt: tyro.conf.Positional[str] = ""
    # How tokens are chosen.
    method: Literal["sample", "greedy", "beam"] = "sample"
    # Another seed samples another text.
    seed: int = 0
    # Of sampling: lower is more predictable.
    temperature: float = 0.8
    # Sample from so many tokens.
    top_k: int | None = None
    # Sample from the fewest tokens with this probability together.
    top_p: float = 1.0
    # Of sampling: above 1, tokens that the text has written already come back less often.
    repetition_penalty: float = 1.0

    def run(self):
        """Prints the prompt and what comes after it."""
        from kzoo.recipes.parts.writers import load_language_writer

        write = load_language_writer(self.model)
        prompt = self.prompt.replace("\\n", "\n")
        print(prompt, end="", flush=True)
        if self.method == "sample":
            how = self.temperature, self.top_k, self.top_p, self.repetition_penalty
            pieces = write.stream(prompt, self.seed, *how)
        else:
            pieces = write([prompt], self.method)
        for piece in pieces:
            print(piece, end="", flush=True)
        print()


@dataclass
class Caption:
    """Describe pictures with a `.tflite` file alone."""

    # The `.tflite` file.
    file: tyro.conf.Positional[Path]
    # The pictures: PNG or any other format; they are scaled to the size that the file takes.
    pictures: tyro.conf.Positional[tuple[Path, ...]]
    # Greedy search, which is quicker than beam search.
    greedy: bool = False

    def run(self):
        """Prints one caption a line."""
        from kzoo.export import CaptionPredictor
        from kzoo.recipes.parts.pictures import read_picture

        _check_given("pictures", self.pictures)
        predictor = CaptionPredictor(self.file)
        for path in self.pictures:
            picture = read_picture(path, predictor.picture_shape)
            print(*predictor(picture[None], beam=not self.greedy), flush=True)


@dataclass
class Recognize:
    """Read lines off pictures, or listen to recordings, with a `.tflite` file alone."""

    # The `.tflite` file.
    file: tyro.conf.Positional[Path]
    # Pictures in any format, wave files, or arrays as `.npy`, as the file reads them.
    inputs: tyro.conf.Positional[tuple[Path, ...]]

    def run(self):
        """Prints string, certainty and file, separated by tabs, one a line."""
        from kzoo.export import RecognitionPredictor
        from kzoo.recipes.parts.pictures import read_input

        _check_given("inputs", self.inputs)
        predictor = RecognitionPredictor(self.file)
        for path in self.inputs:
            ((string, certainty),) = predictor([read_input(path, predictor.height)])
            print(f"{string}\t{certainty:.4f}\t{path}", flush=True)


@dataclass
class Sample:
    """Write sequences for a class with a `.tflite` file of `vector_to_sequence` alone."""

    # The `.tflite` file.
    file: tyro.conf.Positional[Path]
    # The class, by its name.
    label: tyro.conf.Positional[str]
    # How many to write; greedy and beam search write one.
    count: int = 5
    # How tokens are chosen.
    method: Literal["sample", "greedy", "beam"] = "sample"
    # Another seed samples others.
    seed: int = 0
    # Of sampling: lower is more predictable.
    temperature: float = 0.8

    def run(self):
        """Prints one sequence a line."""
        from kzoo.export import SequencePredictor
        from kzoo.layers.checks import check_sizes

        check_sizes(count=self.count)
        predictor = SequencePredictor(self.file)
        count = self.count if self.method == "sample" else 1
        drawn = {"seed": self.seed, "temperature": self.temperature}
        for text in predictor([self.label] * count, self.method, **drawn):
            print(text)


@dataclass
class Forecast:
    """Go on with the series of a CSV file, with a `.tflite` file alone."""

    # The `.tflite` file.
    file: tyro.conf.Positional[Path]
    # The series: a CSV file with the columns that the model reads, plain, .gz or .xz.
    series: tyro.conf.Positional[Path]

    def run(self):
        """Prints a CSV table: one line for each step after the last one of the series."""
        from kzoo.data import read_table
        from kzoo.export import ForecastPredictor

        predictor = ForecastPredictor(self.file)
        table = read_table(self.series, **predictor.details["reading"])
        print("step", *predictor.names, sep=",")
        for step, row in enumerate(predictor.forecast(table.values), start=1):
            print(step, *(f"{value:.6g}" for value in row.ravel()), sep=",")


@dataclass
class Watch:
    """Judge the measurements of a machine one after the other, with a `.tflite` file alone."""

    # The `.tflite` file, of the recipe `fault_detection` or `anomaly_detection`.
    file: tyro.conf.Positional[Path]
    # The measurements of one run: a table with the columns that the model reads, a line for each
    # step, plain, .gz or .xz.
    series: tyro.conf.Positional[Path]

    def run(self):
        """Prints step, label (if any), score and "alarm" (if one is on), separated by tabs."""
        from kzoo.data import read_table
        from kzoo.export import FaultPredictor

        predictor = FaultPredictor(self.file)
        table = read_table(self.series, **predictor.details["reading"])
        for step, row in enumerate(table.values, start=1):
            if (found := predictor(row)) is not None:
                label = [] if found.label is None else [found.label]
                alarm = ["alarm"] if found.alarm else []
                print(step, *label, f"{found.score:.4f}", *alarm, sep="\t")


@dataclass
class Neighbours:
    """Find the words most similar to some words, with a `.tflite` file or a table alone."""

    # The `.tflite` file, or a table of vectors: .txt in the form of word2vec, or .npz.
    file: tyro.conf.Positional[Path]
    # The words.
    words: tyro.conf.Positional[tuple[str, ...]]
    # Number of neighbours.
    count: int = 10

    def run(self):
        """Prints one line for each word: the word, and its neighbours with their cosines."""
        from kzoo.export import NeighbourFinder
        from kzoo.layers.checks import check_sizes

        check_sizes(count=self.count)
        _check_given("words", self.words)
        finder = NeighbourFinder(self.file)
        for word in self.words:
            found = (f"{name} {cosine:.3f}" for name, cosine in finder(word, self.count))
            print(f"{word}\t{', '.join(found)}")


def _check_given(name, values):
    if not values:
        raise ValueError(f"`{name}` must be one or more. Received: none")


FileCommand = (
    Annotated[Predict, tyro.conf.subcommand("predict")]
    | Annotated[Translate, tyro.conf.subcommand("translate")]
    | Annotated[Chat, tyro.conf.subcommand("chat")]
    | Annotated[Generate, tyro.conf.subcommand("generate")]
    | Annotated[Caption, tyro.conf.subcommand("caption")]
    | Annotated[Recognize, tyro.conf.subcommand("recognize")]
    | Annotated[Sample, tyro.conf.subcommand("sample")]
    | Annotated[Forecast, tyro.conf.subcommand("forecast")]
    | Annotated[Watch, tyro.conf.subcommand("watch")]
    | Annotated[Neighbours, tyro.conf.subcommand("neighbours")]
)
