"""Stretches of text with the pairs of words in them: what skip-gram and CBOW learn from."""

import numpy as np

from kzoo.training.prepared import PreparedBatches

FIRST_WORD = 4  # The ids before it are padding, unknown words, start and end.


class WordWindows(PreparedBatches):
    """A data set for `fit` of word2vec: skip-gram, or the continuous bag of words (CBOW).

    An epoch is the text without special tokens and with only some of its most frequent words: of
    one with share `f` in the text, each occurrence stays with probability `sqrt(t/f) + t/f`. Around
    each word a window of 1 to `window` words on either side is drawn, within its sentence.

    The text is cut into stretches of `LENGTH` words, which come in any order. All of a stretch
    share `NOISE` noise words, drawn with probability in proportion to `count^0.75`: so scores are
    products of matrices, and a row of a table is fetched once for all pairs of its word. The first
    and the last `window` words of a stretch are there for the windows of those between them.

    Source: Mikolov et al. 2013 (arXiv 1310.4546), section 2; noise words are shared as in Ji et al.
    2016, "Parallelizing Word2Vec in Shared and Distributed Memory" (arXiv 1604.04661).

    Args:
        sentences: List of sequences of ids; those below 4 are special tokens, and left out.
        vocabulary_size: Number of ids.
        bag: Whether the windows are for CBOW.
        window: Words of the largest window on each side.
        negatives: Noise words that a pair stands against; for CBOW, a word.
        sample: `t` above; 0 keeps all words.
        batch_size: Stretches in a batch. All of a batch move the rows at once: where a few words
            are most of a text, many stretches move them too far.
        seed: Integer. An epoch depends on it and its number alone, so that a resumed training sees
            what an unbroken one sees.

    A batch is `(inputs, targets)`, where inputs are

    - `ids`: int32 `(batch, LENGTH)`, 0 after the end of the text,
    - `noise`: int32 `(batch, NOISE)`,
    - `windows`, for CBOW: bool `(batch, LENGTH, LENGTH)`, True where a word is in the window of
      another one,

    and targets are those of `NegativeSamplingLoss`. For skip-gram they are for each word as
    input and all others as outputs, `(batch, LENGTH, LENGTH + NOISE)`; for CBOW,
    for each window and its word, `(batch, LENGTH, 1 + NOISE)`.

    Example:

    >>> windows = WordWindows([[4, 5, 6], [4, 1, 5]], 7, window=1, sample=0, batch_size=1)
    >>> inputs, targets = windows[0]
    >>> inputs["ids"][0, :6].tolist()
    [0, 4, 5, 6, 4, 5]
    >>> targets[0, 1:6, 1:6].astype(int).tolist()  # Pairs, within sentences.
    [[0, 1, 0, 0, 0], [1, 0, 1, 0, 0], [0, 1, 0, 0, 0], [0, 0, 0, 0, 1], [0, 0, 0, 1, 0]]
    """

    LENGTH = 64
    NOISE = 32

    def __init__(
        self,
        sentences,
        vocabulary_size,
        bag=False,
        window=5,
        negatives=5,
        sample=1e-3,
        batch_size=32,
        seed=0,
    ):
        super().__init__()
        if not 1 <= window < self.LENGTH // 2:
            raise ValueError(
                f"`window` must be in [1, {self.LENGTH // 2 - 1}]. Received: window={window}"
            )
        if batch_size < 1 or negatives < 1:
            raise ValueError(
                "`batch_size` and `negatives` must be positive. "
                f"Received: batch_size={batch_size}, negatives={negatives}"
            )
        self.ids, self.sentences = join_words(sentences)
        if not self.ids.size or self.ids.max() >= vocabulary_size:
            largest = self.ids.max(initial=0)
            raise ValueError(
                f"`sentences` must hold ids in [{FIRST_WORD}, {vocabulary_size - 1}]. "
                f"Received: {self.ids.size} of them, the largest {largest}"
            )
        self.bag = bag
        self.window = window
        self.negatives = negatives
        self.batch_size = batch_size
        self.seed = seed
        counts = np.bincount(self.ids, minlength=vocabulary_size).astype("float64")
        self.kept = keep_probabilities(counts, sample)
        self._expected_words = float(counts @ self.kept)
        self._noise = np.cumsum(counts**0.75) / np.sum(counts**0.75)
        steps = np.arange(self.LENGTH)
        distances = abs(steps[:, None] - steps)
        in_the_middle = (steps >= window) & (steps < self.LENGTH - window)
        # Of what is no pair, the distance is more than any window reaches.
        self._distances = np.where((distances > 0) & in_the_middle[:, None], distances, 127)
        self._distances = self._distances.astype("int8")
        self.start_epoch(0)

    def start_epoch(self, epoch):
        """Draws the words and the windows of an epoch."""
        self.epoch = epoch
        rng = np.random.default_rng([self.seed, epoch])
        stays = rng.random(self.ids.size, "float32") < self.kept[self.ids]
        ends = [self.window, self.LENGTH]
        self._ids = np.pad(self.ids[stays], ends)
        self._sentences = np.pad(self.sentences[stays], ends, constant_values=-1)
        self._reach = rng.integers(1, self.window + 1, self._ids.size, "int8")
        self._reach[self._sentences < 0] = 0
        stride = self.LENGTH - 2 * self.window
        starts = rng.permutation(np.arange(0, self._ids.size - sum(ends), stride))
        # Keras asks for as many batches in every epoch: chance leaves out, or repeats, a few.
        expected = -(-round(self._expected_words) // stride)
        self.starts = np.resize(starts, max(expected, 1))

    def on_epoch_end(self):
        """Draws the next epoch."""
        self.start_epoch(self.epoch + 1)

    def __len__(self):
        """Returns the number of batches, the same in all epochs."""
        return -(-len(self.starts) // self.batch_size)

    def __getitem__(self, index):
        """Returns `(inputs, targets)`."""
        starts = self.starts[index * self.batch_size : (index + 1) * self.batch_size]
        rng = np.random.default_rng([self.seed, self.epoch, index])
        size = len(starts), self.NOISE
        noise = np.searchsorted(self._noise, rng.random(size)).astype("int32")
        steps = starts[:, None] + np.arange(self.LENGTH)
        sentences = self._sentences[steps]
        pairs = self._distances <= self._reach[steps][:, :, None]
        pairs &= sentences[:, :, None] == sentences[:, None]
        inputs = {"ids": self._ids[steps], "noise": noise}
        seen = pairs.sum(axis=2, keepdims=True)
        if self.bag:
            inputs["windows"] = pairs
            pairs = seen = seen > 0
        against = np.repeat(seen * (-self.negatives / self.NOISE), self.NOISE, axis=2)
        return inputs, np.concatenate([pairs, against], axis=2, dtype="float32")


def join_words(sentences):
    """Returns the words of sentences one after the other, and the sentence of each, int32.

    Example:

    >>> [x.tolist() for x in join_words([[4, 1, 5], [6]])]
    [[4, 5, 6], [0, 0, 1]]
    """
    lengths = [len(sentence) for sentence in sentences]
    ids = np.concatenate([np.asarray(s, "int32") for s in sentences] or [np.zeros(0, "int32")])
    is_word = ids >= FIRST_WORD
    return ids[is_word], np.repeat(np.arange(len(lengths), dtype="int32"), lengths)[is_word]


def keep_probabilities(counts, sample):
    """Returns the probability with which an occurrence of each word stays in the text.

        min(1, sqrt(t / f) + t / f),    f = count / sum of counts

    Args:
        counts: Occurrences of each word.
        sample: `t`; 0 keeps all.

    Example:

    >>> keep_probabilities(np.array([90.0, 9.0, 1.0, 0.0]), sample=0.01).tolist()
    [0.11652036756277084, 0.4444444477558136, 1.0, 1.0]
    """
    if not sample:
        return np.ones(len(counts), "float32")
    ratio = sample * counts.sum() / np.maximum(counts, 1)
    return np.minimum(1, np.sqrt(ratio) + ratio).astype("float32")
