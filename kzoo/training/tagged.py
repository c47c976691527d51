"""Batches of tagged sentences."""

import numpy as np

from kzoo.training.planned import (
    LENGTHS,
    PlannedBatches,
    check_max_length,
    cut,
    pad,
    pad_lengths,
    pad_tags,
    round_up,
)


class TaggedBatches(PlannedBatches):
    """A data set for `fit` and `predict` of sentences whose every word has a tag.

    A batch is `(inputs, tags)`, or `inputs` without tags, each padded to one of few lengths: the
    inputs are int32 `words`, `(batch, length)`, and `characters`, `(batch, length, letters)`, both
    padded with 0; the tags are int32 `(batch, length)`, padded with -1.

    Args:
        words: List of lists of word ids (id 0 is padding).
        characters: List of lists of lists of character ids, one a word; None for no such input.
        tags: List of lists of tag ids; None for `predict`.
        batch_size: Sentences in a batch.
        max_length: Longer sentences are cut; 1,024 at most.
        shuffle: Whether to draw other batches in every epoch, see `PlannedBatches`.
        seed: Integer.

    Example:

    >>> batches = TaggedBatches([[7, 5, 6]], [[[9], [8, 9], [9]]], [[1, 0, 2]])
    >>> inputs, tags = batches[0]
    >>> inputs["words"].tolist(), inputs["characters"].shape
    ([[7, 5, 6, 0, 0, 0, 0, 0]], (1, 8, 8))
    >>> tags.tolist()
    [[1, 0, 2, -1, -1, -1, -1, -1]]
    """

    def __init__(
        self,
        words,
        characters=None,
        tags=None,
        batch_size=32,
        max_length=LENGTHS[-1],
        shuffle=True,
        seed=0,
    ):
        if batch_size < 1:
            raise ValueError(f"`batch_size` must be positive. Received: batch_size={batch_size}")
        check_max_length(max_length)
        for name, side in (("characters", characters), ("tags", tags)):
            if side is not None and [len(row) for row in side] != [len(row) for row in words]:
                raise ValueError(f"`{name}` must have one entry for each word, and have not.")
        self.words = words
        self.characters = characters
        self.tags = tags
        self.batch_size = batch_size
        self.max_length = max_length
        super().__init__(shuffle, seed)

    def load(self, epoch):
        """Returns the number of sentences."""
        if not self.words:
            raise ValueError("`words` must hold at least one sentence. Received: none")
        return len(self.words)

    def plan(self, rows):
        """Returns `((length, letters), rows)` of every batch, the shortest first."""
        lengths = pad_lengths([len(sentence) for sentence in self.words], self.max_length)
        batches = cut(rows, lengths, self.batch_size)
        return [((length, self._letters(part)), part) for length, part in batches]

    def _letters(self, rows):
        if self.characters is None:
            return 0
        words = (word for row in rows for word in self.characters[row][: self.max_length])
        longest = max([1, *map(len, words)])
        return round_up(longest)

    def __getitem__(self, index):
        """Returns a batch."""
        (length, letters), rows = self.batches[index]
        inputs = {"words": pad([self.words[row] for row in rows], length)}
        if self.characters is not None:
            inputs["characters"] = np.zeros((len(rows), length, letters), "int32")
            for target, row in zip(inputs["characters"], rows, strict=True):
                spelled = self.characters[row][:length]
                target[: len(spelled)] = pad(spelled, letters)
        if self.tags is None:
            return (inputs,)
        return inputs, pad_tags([self.tags[row] for row in rows], length)
