"""The commands of `kzoo` that ask a file about words."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro


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

        finder = NeighbourFinder(self.file)
        for word in self.words:
            found = (f"{name} {cosine:.3f}" for name, cosine in finder(word, self.count))
            print(f"{word}\t{', '.join(found)}")


WordCommand = Annotated[Neighbours, tyro.conf.subcommand("neighbours")]
