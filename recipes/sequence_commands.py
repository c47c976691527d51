"""The commands of `kzoo` that run a file on a class."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro


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

        predictor = SequencePredictor(self.file)
        count = self.count if self.method == "sample" else 1
        drawn = {"seed": self.seed, "temperature": self.temperature}
        for text in predictor([self.label] * count, self.method, **drawn):
            print(text)


SequenceCommand = Annotated[Sample, tyro.conf.subcommand("sample")]
