"""Batches of tagged sentences for a BERT."""

from kzoo.training.planned import (
    LENGTHS,
    PlannedBatches,
    check_max_length,
    cut,
    pad_lengths,
    pad_tags,
    round_up,
)


class BertTaggedBatches(PlannedBatches):
    """A data set for `fit` and `predict` of sentences whose every word has a tag.

    A batch is `(inputs, tags)`, each padded to one of few lengths: the inputs are those of
    `kzoo.models.bert_word_tagger`, the tags are int32 `(batch, words)`, padded with -1.

    Args:
        tokenizer: A `kzoo.text.BertTaggingTokenizer`.
        sentences: List of lists of words.
        tags: List of lists of tag ids.
        batch_size: Sentences in a batch.
        shuffle: Whether to draw other batches in every epoch, see `PlannedBatches`.
        seed: Integer.

    Example:

    >>> from kzoo.text import BertTaggingTokenizer, BertTokenizer, TaggingTokenizer
    >>> pieces = BertTokenizer(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "in", "a"])
    >>> words = TaggingTokenizer.train([["in", "a"]])
    >>> tokenizer = BertTaggingTokenizer(pieces, words)
    >>> inputs, tags = BertTaggedBatches(tokenizer, [["in", "a"]], [[1, 0]])[0]
    >>> inputs["words"].tolist(), tags.tolist()
    ([[1, 2, 0, 0, 0, 0, 0, 0]], [[1, 0, -1, -1, -1, -1, -1, -1]])
    """

    def __init__(self, tokenizer, sentences, tags, batch_size=32, shuffle=True, seed=0):
        if batch_size < 1:
            raise ValueError(f"`batch_size` must be positive. Received: batch_size={batch_size}")
        check_max_length(tokenizer.pieces.max_length or LENGTHS[-1])
        if [len(row) for row in tags] != [len(row) for row in sentences]:
            raise ValueError("`tags` must have one entry for each word, and have not.")
        self.tokenizer = tokenizer
        self.rows = [tokenizer.row(words) for words in sentences]
        self.tags = tags
        self.batch_size = batch_size
        super().__init__(shuffle, seed)

    def load(self, epoch):
        """Returns the number of sentences."""
        if not self.rows:
            raise ValueError("`sentences` must hold at least one sentence. Received: none")
        return len(self.rows)

    def plan(self, rows):
        """Returns `((length, words, letters), rows)` of every batch, the shortest first."""
        lengths = pad_lengths([len(ids) for ids, _, _ in self.rows], LENGTHS[-1])
        batches = cut(rows, lengths, self.batch_size)
        return [((length, *self._shape(part)), part) for length, part in batches]

    def _shape(self, rows):
        _, *shape = self.tokenizer.shape([self.rows[row] for row in rows])
        return map(round_up, shape)

    def __getitem__(self, index):
        """Returns a batch."""
        shape, rows = self.batches[index]
        inputs = self.tokenizer.join([self.rows[row] for row in rows], shape)
        # Words that were cut have no tag.
        tags = [self.tags[row][: len(self.rows[row][1])] for row in rows]
        return inputs, pad_tags(tags, shape[1])
