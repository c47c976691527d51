"""Word2vec and FastText beside gensim: words a second, and how vectors agree with people.

    python -m benchmarks.word2vec [--data DIR] [--model cbow] [--words 600000]

Both train on the same sentences with the same settings, on two threads. First they take turns, an
epoch at a time, on the first words of the text (on busy cores, as fast as each gets on beside the
rest); then each trains from scratch on all of it, and is measured by WordSim-353.
"""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import keras
import tyro
from gensim.models import FastText, Word2Vec

import kzoo
from benchmarks.race import race
from benchmarks.recurrent_report import table
from kzoo.models import word_table
from kzoo.recipes.parts import embeddings_parts
from kzoo.recipes.parts.word_sentences import read_sentences
from kzoo.text import WordVectors


@dataclass
class Knobs:
    """What can be set from the command line."""

    data: Path | None = None  # Folder of the full data sets; without it, Shakespeare.
    words: int = 600_000  # Words of the text, with those too rare for a vector, in the race.
    seconds: float = 20.0  # How long the libraries take turns; 0 leaves the race out.
    train: bool = True  # Whether they train from scratch afterwards.
    model: Literal["skip_gram", "cbow", "fast_text"] = "skip_gram"  # What is trained.
    epochs: int = 5  # Epochs of training from scratch.
    embedding_dim: int = 100  # Width of a vector.
    window: int = 5  # Words of the largest window on each side.
    negatives: int = 5  # Noise words for each pair.
    sample: float = 1e-3  # Share above which a word is left out ever more often.
    min_count: int = 5  # Occurrences that a word needs.
    num_buckets: int = 65536  # Rows of FastText's table of n-grams of letters.
    jamo: bool = False  # Whether FastText spells Hangul syllables letter by letter; only kzoo can.
    batch_size: int | None = None  # Stretches of 64 words in a batch of kzoo's, as the recipe's.
    learning_rate: float = 0.025  # At the start; it falls to 0.0001 along a line.
    seed: int = 1  # Of both.


class Kzoo:
    """What the recipe trains; `epoch` trains one, `vectors` is what it learnt."""

    def __init__(self, knobs, vocabulary, sentences, epochs):
        keras.utils.set_random_seed(knobs.seed)
        self.vocabulary = vocabulary
        tokenizer = embeddings_parts.make_tokenizer(knobs, vocabulary)
        self.model = embeddings_parts.create_model(knobs, tokenizer)
        self.windows = embeddings_parts.batches(knobs, sentences, len(vocabulary))
        embeddings_parts.compile_model(self.model, knobs, epochs * len(self.windows))

    def epoch(self):
        """Trains one epoch."""
        self.model.fit(self.windows, verbose=0, shuffle=False)

    @property
    def vectors(self):
        """The vectors as they are now."""
        return WordVectors(self.vocabulary, word_table(self.model))


class Gensim:
    """The same by gensim."""

    def __init__(self, knobs, vocabulary, sentences, epochs):
        self.sentences = [[vocabulary[id] for id in ids if id > 3] for ids in sentences]
        options = dict(window=knobs.window, negative=knobs.negatives, sample=knobs.sample)
        options |= dict(sg=int(knobs.model != "cbow"), alpha=knobs.learning_rate, seed=knobs.seed)
        options |= dict(vector_size=knobs.embedding_dim, min_count=1, workers=2)
        if knobs.model == "fast_text":
            self.model = FastText(**options, bucket=knobs.num_buckets)
        else:
            self.model = Word2Vec(**options)
        self.model.build_vocab(self.sentences)
        self.epochs, self.done, self.rate = epochs, 0, knobs.learning_rate

    def epoch(self):
        """Trains one epoch."""
        rates = [
            max(self.rate * (1 - done / self.epochs), 1e-4) for done in (self.done, self.done + 1)
        ]
        self.model.train(
            self.sentences,
            total_examples=len(self.sentences),
            epochs=1,
            start_alpha=rates[0],
            end_alpha=rates[1],
        )
        self.done += 1

    @property
    def vectors(self):
        """The vectors as they are now."""
        return WordVectors(self.model.wv.index_to_key, self.model.wv.vectors)


def main(knobs):
    """Prints the tables."""
    corpus = kzoo.data.load_corpus("imdb_reviews" if knobs.data else "language_en", knobs.data)
    tests = embeddings_parts.tests(corpus, knobs.data)
    libraries = {"kzoo": Kzoo, "gensim": Gensim}
    if knobs.seconds:
        # The end of the text: in the middle of IMDb's, all reviews are of one kind.
        part = " ".join(corpus.train[-10 * knobs.words :].split(" ")[-knobs.words :])
        vocabulary, sentences = read_sentences(part, knobs.min_count, 10**6)
        runners = {n: make(knobs, vocabulary, sentences, 99) for n, make in libraries.items()}
        times = race({name: runner.epoch for name, runner in runners.items()}, knobs.seconds)
        count = sum(int((ids > 3).sum()) for ids in sentences)
        rates = {name: 1e3 * count / time for name, time in times.items()}
        row = {name: f"{rate:,.0f} words/s" for name, rate in rates.items()}
        print(f"{knobs.model}: an epoch of {count:,} words, {len(vocabulary) - 4:,} vectors")
        print(table([{**row, "kzoo to gensim": f"{rates['kzoo'] / rates['gensim']:.2f}"}]))
    if not knobs.train:
        return
    vocabulary, sentences = read_sentences(corpus.train, knobs.min_count, 10**6)
    count = sum(int((ids > 3).sum()) for ids in sentences)
    rows = []
    for name, make in libraries.items():
        runner = make(knobs, vocabulary, sentences, knobs.epochs)
        start = time.perf_counter()
        for _ in range(knobs.epochs):
            runner.epoch()
        seconds = time.perf_counter() - start
        row = {"library": name, "seconds": f"{seconds:.0f}"}
        row["words/s"] = f"{knobs.epochs * count / seconds:,.0f}"
        row |= embeddings_parts.scores(runner.vectors, tests)
        rows.append(row)
    print(
        f"{knobs.model}: {knobs.epochs} epochs of {count:,} words, {len(vocabulary) - 4:,} vectors"
    )
    print(table(rows))


if __name__ == "__main__":
    main(tyro.cli(Knobs, description=__doc__))
