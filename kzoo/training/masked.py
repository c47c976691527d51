"""Batches of texts with hidden ids, to pretrain BERT."""

import numpy as np

from kzoo.training.masking import choose_steps, count_slots, find_words, hide
from kzoo.training.planned import LENGTHS, PlannedBatches, check_max_length, cut, pad, pad_lengths
from kzoo.training.text_rows import SentencePair


class MaskedBatches(PlannedBatches):
    """A data set for `fit` and `evaluate` of `kzoo.models.bert_pretrainer`.

    A row reads `[CLS] text [SEP]`, or `[CLS] first [SEP] second [SEP]`, padded to one of few
    lengths. Some of its ids are hidden, others in every epoch (Liu et al. 2019, arXiv 1907.11692,
    section 4.1), but never special ones. A batch is `(inputs, targets, weights)`, where

        inputs   ids, mask, segment_ids  (batch, length)   int32
                 masked_positions        (batch, slots)    int32, the steps that are guessed
        targets  masked_language         (batch, slots)    int32, what was there
                 next_sentence           (batch,)          int32, of pairs only: 0 where it is
        weights  the same names                            float32, 0 at unused slots

    so that the product with the vocabulary is taken at the guessed steps only: all rows of one
    length have as many slots.

    Args:
        texts: List of lists of ids, or of `SentencePair`; or, for fresh samples in every epoch, a
            function from the epoch to such a list.
        tokenizer: `kzoo.text.BertTokenizer`, which knows the special ids and the words.
        batch_tokens: Padded ids in a batch. It has at least one row.
        max_length: Longest row; the rest of a longer one is cut, the last `[SEP]` with it; 1,024 at
            most.
        mask_rate: Share of the ids of a row that are guessed, at least one.
        whole_words: Whether all pieces of a word are hidden together.
        shuffle: Whether to draw other batches and hide other ids in every epoch. An epoch depends
            on `seed` and its number alone, so that a resumed training sees what an unbroken one
            sees.
        seed: Integer.

    Example:

    >>> from kzoo.text import BertTokenizer
    >>> vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "b", "##c"]
    >>> batches = MaskedBatches([[5, 6, 7, 5, 6]], BertTokenizer(vocabulary), shuffle=False)
    >>> inputs, targets, weights = batches[0]
    >>> inputs["ids"].tolist(), inputs["masked_positions"].tolist()
    ([[2, 5, 6, 4, 5, 6, 3, 0]], [[3, 0]])
    >>> targets["masked_language"].tolist(), weights["masked_language"].tolist()
    ([[7, 0]], [[1.0, 0.0]])
    """

    def __init__(
        self,
        texts,
        tokenizer,
        batch_tokens=4096,
        max_length=LENGTHS[-1],
        mask_rate=0.15,
        whole_words=False,
        shuffle=True,
        seed=0,
    ):
        if batch_tokens < 1:
            raise ValueError(
                f"`batch_tokens` must be positive. Received: batch_tokens={batch_tokens}"
            )
        if not 0 < mask_rate < 1:
            raise ValueError(f"`mask_rate` must be in (0, 1). Received: mask_rate={mask_rate}")
        check_max_length(max_length)
        self.is_drawn = callable(texts)
        self.draw = texts if self.is_drawn else lambda epoch: texts
        self.tokenizer = tokenizer
        self.batch_tokens = batch_tokens
        self.max_length = max_length
        self.mask_rate = mask_rate
        self.continues = tokenizer.continues if whole_words else None
        self.random_ids = np.setdiff1d(
            np.arange(tokenizer.vocabulary_size), np.array(tokenizer.special_ids)
        )
        super().__init__(shuffle, seed)

    def load(self, epoch):
        """Draws the texts of an epoch and returns their number."""
        texts = self.draw(epoch)
        if not len(texts):
            raise ValueError("`texts` must hold at least one text. Received: none")
        self.pairs = texts if isinstance(texts[0], SentencePair) else None
        start, end = self.tokenizer.start_id, self.tokenizer.end_id
        if self.pairs is None:
            self.rows = [[start, *text, end] for text in texts]
        else:
            self.rows = [[start, *pair.first, end, *pair.second, end] for pair in texts]
        return len(self.rows)

    def plan(self, rows):
        """Returns `((length, slots), rows)` of every batch, the shortest first."""
        lengths = pad_lengths([len(row) for row in self.rows], self.max_length)

        def size(length):
            return max(1, self.batch_tokens // length)

        batches = [(self._shape(length), part) for length, part in cut(rows, lengths, size)]
        shapes = {shape for shape, _ in batches}
        self.filler = None
        if self.is_drawn and len(shapes) == 1:
            # Later epochs may have other lengths, and Keras takes an axis that it has not seen
            # change for a fixed one: a batch without weight changes it.
            self.filler = self._other_shape(*shapes)
            batches.append((self.filler, rows[:1]))
        return batches

    def _shape(self, length):
        return length, count_slots(length, self.mask_rate)

    def _other_shape(self, shape):
        """Returns the smallest shape that differs most from this one."""
        lengths = [length for length in LENGTHS if length < self.max_length] + [self.max_length]
        shapes = [self._shape(length) for length in lengths]
        return max(shapes, key=lambda other: (other[0] != shape[0]) + (other[1] != shape[1]))

    def __getitem__(self, index):
        """Returns `(inputs, targets, weights)` of a batch."""
        (length, slots), rows = self.batches[index]
        rng = np.random.default_rng([self.seed, self.epoch, index])
        ids = pad([self.rows[row] for row in rows], length)
        lengths = np.array([len(self.rows[row]) for row in rows])
        mask = (np.arange(length) < lengths[:, None]).astype("int32")
        positions = np.zeros((len(rows), slots), "int32")
        weights = np.zeros((len(rows), slots), "float32")
        for row, count, where, weight in zip(ids, lengths, positions, weights, strict=True):
            words = find_words(row[:count], self.tokenizer.special_ids, self.continues)
            steps = choose_steps(words, self.mask_rate, slots, rng)
            where[: len(steps)] = steps
            weight[: len(steps)] = 1
        used = weights > 0
        counts = float(self.batches[index][0] != self.filler)
        guessed = np.take_along_axis(ids, positions, axis=1) * used
        row, slot = np.nonzero(used)
        ids[row, positions[used]] = hide(
            guessed[row, slot], self.tokenizer.mask_id, self.random_ids, rng
        )
        inputs = {"ids": ids, "mask": mask, "segment_ids": np.zeros_like(ids)}
        inputs["masked_positions"] = positions
        targets, weights = {"masked_language": guessed}, {"masked_language": weights * counts}
        if self.pairs is not None:
            pairs = [self.pairs[row] for row in rows]
            first = np.array([len(pair.first) + 2 for pair in pairs])
            inputs["segment_ids"] = (np.arange(length) >= first[:, None]) * mask
            targets["next_sentence"] = np.array([pair.label for pair in pairs], "int32")
            weights["next_sentence"] = np.full(len(pairs), counts, "float32")
        return inputs, targets, weights
