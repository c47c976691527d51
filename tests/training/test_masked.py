"""Texts with hidden ids: which are hidden, by what, and what is guessed."""

import itertools

import numpy as np
import pytest

from kzoo.text import BertTokenizer
from kzoo.training import (
    GuessAccuracy,
    MaskedBatches,
    SentencePair,
    filled_rows,
    sentence_pairs,
    single_lines,
)
from kzoo.training.masking import choose_steps, find_words

LETTERS = [f"{letter}{number}" for letter in "abcd" for number in range(20)]
VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *LETTERS, *(f"##{x}" for x in LETTERS)]
TOKENIZER = BertTokenizer(VOCABULARY)
START, END, MASK = 2, 3, 4


def texts(count=400, seed=0):
    """Returns texts of 1 to 40 ids, some of them unknown, of words of up to four pieces."""
    rng = np.random.default_rng(seed)
    rows = []
    for length in rng.integers(1, 41, count):
        row = rng.integers(5, len(VOCABULARY), length)
        row[rng.random(length) < 0.05] = 1
        rows.append(row.tolist())
    return rows


def batches_of(batches):
    return [batches[index] for index in range(len(batches))]


def guesses(batches):
    """Yields `(row before, row after, guessed steps)` of all rows."""
    for inputs, targets, weights in batches_of(batches):
        used = weights["masked_language"] > 0
        parts = inputs["ids"], inputs["mask"], inputs["masked_positions"], used
        for ids, mask, positions, use, right in zip(
            *parts, targets["masked_language"], strict=True
        ):
            before = ids.copy()
            before[positions[use]] = right[use]
            yield before[mask > 0], ids[mask > 0], positions[use]


def test_rows_are_whole_and_come_once():
    rows = texts()
    seen = [before.tolist() for before, _, _ in guesses(MaskedBatches(rows, TOKENIZER))]
    assert sorted(seen) == sorted([START, *row, END] for row in rows)


def test_a_share_of_the_ids_is_hidden_and_never_a_special_one():
    hidden = total = 0
    kept, fates = [], {"mask": 0, "same": 0, "other": 0}
    for before, after, steps in guesses(MaskedBatches(texts(2000), TOKENIZER)):
        ordinary = np.flatnonzero(before > 4)
        assert set(steps) <= set(ordinary)
        assert len(set(steps)) == len(steps)
        if len(ordinary):
            assert len(steps) == max(1, round(0.15 * len(ordinary)))
        hidden, total = hidden + len(steps), total + len(ordinary)
        kept.append(np.delete(before - after, steps))
        for step in steps:
            same = "same" if after[step] == before[step] else "other"
            fates["mask" if after[step] == MASK else same] += 1
            assert after[step] > 3
    assert not np.concatenate(kept).any()
    assert 0.14 < hidden / total < 0.18
    shares = {name: count / hidden for name, count in fates.items()}
    assert shares == pytest.approx({"mask": 0.8, "same": 0.1, "other": 0.1}, abs=0.03)


def test_whole_words_are_hidden_whole():
    batches = MaskedBatches(texts(), TOKENIZER, mask_rate=0.3, whole_words=True)
    several = 0
    for before, _, steps in guesses(batches):
        words = find_words(before, TOKENIZER.special_ids, TOKENIZER.continues)
        for word in words:
            assert len(set(word) & set(steps)) in (0, len(word))
        several += any(len(word) > 1 and word[0] in steps for word in words)
    assert several > 100


def test_a_special_id_ends_a_word():
    ids = np.array([START, 90, 5, 90, 1, 90, END])
    assert find_words(ids, TOKENIZER.special_ids, TOKENIZER.continues) == [[1], [2, 3], [5]]


def test_what_does_not_fit_is_left_out():
    rng = np.random.default_rng(1)
    for _ in range(20):
        assert choose_steps([[1, 2, 3], [4], [5]], 0.4, 2, rng) == [4, 5]
    assert choose_steps([], 0.15, 2, rng) == []


def test_an_epoch_depends_on_seed_and_number_alone():
    def hidden(batches):
        return [inputs["ids"].tolist() for inputs, _, _ in batches_of(batches)]

    batches = MaskedBatches(texts(), TOKENIZER, seed=3)
    first = hidden(batches)
    assert hidden(batches) == first
    batches.on_epoch_end()
    second = hidden(batches)
    assert second != first
    resumed = MaskedBatches(texts(), TOKENIZER, seed=3)
    resumed.start_epoch(1)
    assert hidden(resumed) == second
    assert hidden(MaskedBatches(texts(), TOKENIZER, seed=4)) != first
    still = MaskedBatches(texts(), TOKENIZER, shuffle=False)
    before = hidden(still)
    still.on_epoch_end()
    assert hidden(still) == before


def test_shapes_go_by_length_and_the_first_two_batches_differ_in_all_of_them():
    shapes = [
        (*inputs["ids"].shape, inputs["masked_positions"].shape[1])
        for inputs, _, _ in batches_of(MaskedBatches(texts(), TOKENIZER, batch_tokens=256))
    ]
    assert all(one != other for one, other in zip(*shapes[:2], strict=True))
    slots = {length: {s for _, n, s in shapes if n == length} for _, length, _ in shapes}
    assert slots[24] == {4}
    assert all(len(found) == 1 for found in slots.values())
    assert all(rows * length <= 256 for rows, length, _ in shapes)


def test_keras_learns_that_lengths_change_where_an_epoch_has_but_one():
    epochs = [[[5] * 20] * 9, [[5] * 3] * 9, [[5] * 9, [6] * 30]]
    batches = MaskedBatches(lambda epoch: epochs[epoch % 3], TOKENIZER, max_length=24)
    for count in (9, 9, 2):
        shapes = [
            (*x["ids"].shape, x["masked_positions"].shape[1]) for x, _, _ in batches_of(batches)
        ]
        assert all(one != other for one, other in zip(shapes[0][1:], shapes[1][1:], strict=True))
        rows = [
            weights["masked_language"].any(axis=1).sum() for _, _, weights in batches_of(batches)
        ]
        assert sum(rows) == count
        batches.on_epoch_end()
    still = MaskedBatches(epochs[0], TOKENIZER)
    assert len(still) == 1


def test_pairs_have_segments_and_a_label():
    pairs = [SentencePair([5, 6], [7], 0), SentencePair([8], [9, 10, 11], 1)]
    inputs, targets, weights = MaskedBatches(pairs, TOKENIZER, shuffle=False)[0]
    assert inputs["segment_ids"].tolist() == [[0, 0, 0, 0, 1, 1, 0, 0], [0, 0, 0, 1, 1, 1, 1, 0]]
    assert inputs["mask"].sum(axis=1).tolist() == [6, 7]
    assert targets["next_sentence"].tolist() == [0, 1]
    assert weights["next_sentence"].tolist() == [1, 1]
    assert (inputs["ids"][:, [0]] == START).all()


def test_lines_and_filled_rows_lose_nothing():
    documents = [[[5] * 3, [6] * 9, []], [[7] * 2, [8] * 2, [9] * 2]]
    everything = [id for document in documents for line in document for id in line]
    for rows in (single_lines(documents, 4), filled_rows(documents, 4)):
        assert [id for row in rows for id in row] == everything
        assert max(map(len, rows)) <= 4
    assert filled_rows(documents, 4)[-2:] == [[7, 7, 8, 8], [9, 9]]


def test_half_of_the_second_texts_go_on():
    # Line m of document n holds the ids 100 n + m, so that what goes on is known.
    documents = [[[100 * n + m] for m in range(50)] for n in range(20)]
    pairs = sentence_pairs(documents, 12, np.random.default_rng(0))
    labels = [pair.label for pair in pairs]
    assert 0.4 < np.mean(labels) < 0.62
    for first, second, label in pairs:
        assert len(first) + len(second) <= 12
        assert min(len(first), len(second)) >= 1
        assert (first[-1] + 1 == second[0]) == (label == 0)
        assert (first[0] // 100 == second[0] // 100) == (label == 0)
        for text in (first, second):
            assert all(b == a + 1 for a, b in itertools.pairwise(text))
    firsts = {id for pair in pairs for id in pair.first}
    goes_on = {id for pair in pairs if not pair.label for id in pair.second}
    assert firsts | goes_on == {id for document in documents for line in document for id in line}


def test_long_lines_are_cut_to_fit():
    documents = [[[1] * 30, [2] * 30], [[3] * 30, [], [4] * 30]]
    for first, second, _ in sentence_pairs(documents, 9, np.random.default_rng(0)):
        assert len(first) + len(second) <= 9
        assert min(len(first), len(second)) >= 1


def test_one_document_has_no_other():
    with pytest.raises(ValueError, match="`documents` must be at least two"):
        sentence_pairs([[[1], [2]], [[]]], 9, np.random.default_rng(0))
    with pytest.raises(ValueError, match="`length` must be at least 2"):
        sentence_pairs([[[1]], [[2]]], 1, np.random.default_rng(0))


def test_accuracy_counts_every_guess_alike():
    metric = GuessAccuracy()
    logits = np.eye(3, dtype="float32")
    metric.update_state([[0, 1, 0]], logits[[[0, 1, 1]]], [[1, 1, 1]])
    metric.update_state([[2]], logits[[[0]]], [[1]])
    metric.update_state([[1, 0]], logits[[[1, 2]]], [[1, 0]])
    assert float(metric.result()) == pytest.approx(3 / 5)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (dict(batch_tokens=0), "`batch_tokens` must be positive"),
        (dict(mask_rate=1.0), r"`mask_rate` must be in \(0, 1\)"),
        (dict(max_length=0), "`max_length` must be in"),
        (dict(texts=[]), "`texts` must hold at least one text"),
    ],
)
def test_bad_arguments_are_named(changes, message):
    with pytest.raises(ValueError, match=message):
        MaskedBatches(**{"texts": [[5]], "tokenizer": TOKENIZER, **changes})
