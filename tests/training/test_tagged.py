"""Batches of tagged sentences."""

import numpy as np
import pytest

from kzoo.training import TaggedBatches

WORDS = [[5] * n for n in (3, 9, 2, 30, 8)]
LETTERS = [[[7] * (1 + i % 11) for i in range(len(row))] for row in WORDS]
TAGS = [[i % 4 for i in range(len(row))] for row in WORDS]


def test_every_sentence_comes_once_and_padding_is_told_apart():
    batches = TaggedBatches(WORDS, LETTERS, TAGS, batch_size=2)
    seen = []
    for index in range(len(batches)):
        inputs, tags = batches[index]
        (length, letters), rows = batches.batches[index]
        assert inputs["words"].shape == tags.shape == (len(rows), length)
        assert inputs["characters"].shape == (len(rows), length, letters)
        np.testing.assert_array_equal(inputs["words"] > 0, tags >= 0)
        for row, words, spelled, tagged in zip(
            rows, inputs["words"], inputs["characters"], tags, strict=True
        ):
            count = len(WORDS[row])
            assert words[:count].tolist() == WORDS[row]
            assert tagged[:count].tolist() == TAGS[row]
            assert (spelled > 0).sum(-1)[:count].tolist() == [len(x) for x in LETTERS[row]]
            seen.append(int(row))
    assert sorted(seen) == [0, 1, 2, 3, 4]


def test_long_sentences_are_cut_and_tags_may_be_missing():
    batches = TaggedBatches(WORDS, None, None, max_length=10, shuffle=False)
    assert all(list(batches[i][0]) == ["words"] for i in range(len(batches)))
    assert max(batches[i][0]["words"].shape[1] for i in range(len(batches))) == 10


def test_an_epoch_depends_on_seed_and_number_alone():
    one, other = (TaggedBatches(WORDS, LETTERS, TAGS, 1, seed=3) for _ in range(2))
    one.on_epoch_end()
    other.start_epoch(1)
    assert [rows.tolist() for _, rows in one.batches] == [r.tolist() for _, r in other.batches]


def test_wrong_arguments():
    with pytest.raises(ValueError, match="`tags` must have one entry for each word"):
        TaggedBatches([[5, 6]], None, [[1]])
    with pytest.raises(ValueError, match="`characters` must have one entry for each word"):
        TaggedBatches([[5, 6]], [[[1]]], None)
    with pytest.raises(ValueError, match="`words` must hold at least one sentence"):
        TaggedBatches([])
    with pytest.raises(ValueError, match="`batch_size` must be positive"):
        TaggedBatches([[5]], batch_size=0)
