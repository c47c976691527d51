"""Batches of pairs: what is fed and what is asked for, the budget, the order, dynamic time."""

import itertools

import keras
import numpy as np
import pytest

from kzoo.training import PairBatches
from kzoo.training.planned import _most_different

RNG = np.random.default_rng(0)
SOURCES = [list(RNG.integers(4, 99, RNG.integers(0, 40))) for _ in range(150)]
TARGETS = [list(RNG.integers(4, 99, RNG.integers(0, 30))) for _ in range(150)]


def rows(batches):
    """Returns every pair of an epoch, without padding, start and end."""
    pairs = []
    for index in range(len(batches)):
        inputs, labels, weights = batches[index]
        for source, target, label, weight in zip(
            inputs["source_ids"], inputs["target_ids"], labels, weights, strict=True
        ):
            length = int(weight.sum())
            assert weight[:length].all()
            assert target[0] == 2
            assert target[1:length].tolist() == label[: length - 1].tolist()
            assert not target[length:].any()
            assert not label[length:].any()
            label = label[:length].tolist()
            pairs.append((source[source > 0].tolist(), label))
    return pairs


@pytest.mark.parametrize("shuffle", [False, True])
def test_every_pair_once_with_start_and_end(shuffle):
    batches = PairBatches(SOURCES, TARGETS, 200, shuffle=shuffle)
    expected = [(s, [*t, 3]) for s, t in zip(SOURCES, TARGETS, strict=True)]
    assert sorted(rows(batches)) == sorted(expected)


def test_types_and_shapes():
    inputs, labels, weights = PairBatches(SOURCES, TARGETS, 200)[0]
    assert inputs.keys() == {"source_ids", "target_ids"}
    assert {inputs["source_ids"].dtype, inputs["target_ids"].dtype, labels.dtype} == {
        np.dtype("int32")
    }
    assert weights.dtype == "float32"
    assert inputs["target_ids"].shape == labels.shape == weights.shape
    assert len(inputs["source_ids"]) == len(labels)


def test_long_sides_are_cut():
    source, target = list(range(10, 50)), list(range(10, 40))
    batches = PairBatches([source], [target], max_length=20, start_id=7, end_id=8)
    inputs, labels, weights = batches[0]
    assert inputs["source_ids"].tolist() == [source[:20]]
    assert inputs["target_ids"].tolist() == [[7, *target[:19]]]
    assert labels.tolist() == [target[:20]]
    assert weights.sum() == 20
    assert PairBatches([source], [target], max_length=31, end_id=8)[0][1][0, 30] == 8


def test_batches_keep_to_the_budget_and_to_few_lengths():
    batches = PairBatches(SOURCES, TARGETS, 200)
    shapes = [(len(rows), *shape) for shape, rows in batches.batches]
    assert max(count * max(shape) for count, *shape in shapes) <= 200
    assert {length for _, *shape in shapes for length in shape} <= {8, 12, 16, 24, 32, 48}
    # Nor are they half empty, but for the last one of a target length.
    plan = sorted(PairBatches(SOURCES, TARGETS, 200, shuffle=False).batches, key=lambda b: b[0])
    for target in {shape[1] for shape, _ in plan}:
        bucket = [(shape, rows) for shape, rows in plan if shape[1] == target]
        padded = [len(rows) * max(shape) for shape, rows in bucket]
        assert sum(padded) > 200 * (len(bucket) - 1) * 0.6


def test_a_row_over_the_budget_is_a_batch():
    batches = PairBatches([[5] * 30] * 3, [[6]] * 3, batch_tokens=1)
    assert [batch[1].shape for batch in (batches[i] for i in range(len(batches)))] == [(1, 8)] * 3


def test_epochs_differ_and_repeat():
    batches = PairBatches(SOURCES, TARGETS, 200, seed=3)
    first = rows(batches)
    batches.on_epoch_end()
    second = rows(batches)
    assert first != second
    assert sorted(first) == sorted(second)
    again = PairBatches(SOURCES, TARGETS, 200, seed=3)
    again.start_epoch(1)
    assert rows(again) == second
    assert rows(PairBatches(SOURCES, TARGETS, 200, seed=4)) != first


def test_fresh_samples_in_every_epoch():
    batches = PairBatches(lambda epoch: [[epoch + 5]] * 4, lambda epoch: [[epoch + 6]] * 4)
    assert rows(batches) == [([5], [6, 3])] * 4
    batches.on_epoch_end()
    assert rows(batches) == [([6], [7, 3])] * 4


def test_results_return_to_the_order_of_the_pairs():
    batches = PairBatches(SOURCES, TARGETS, 200, shuffle=False)
    results = np.array([[len(source), len(label) - 1] for source, label in rows(batches)])
    expected = [[len(s), len(t)] for s, t in zip(SOURCES, TARGETS, strict=True)]
    np.testing.assert_array_equal(batches.restore_order(results), expected)
    with pytest.raises(ValueError, match="`shuffle`"):
        PairBatches(SOURCES, TARGETS).restore_order(results)


@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize(
    "lengths",
    [
        [(7, 7), (7, 20), (20, 20)],
        [(20, 7), (7, 20), (20, 20)],
        [(7, 7), (7, 20)],
        [(7, 7), (20, 7), (30, 7)],
        [(7, 7)],
    ],
)
def test_keras_takes_every_shape(lengths, shuffle):
    """Keras reads from the first two batches which axes are dynamic."""
    lengths = [pair for pair in lengths for _ in range(30)]
    sources, targets = ([[4] * pair[side] for pair in lengths] for side in (0, 1))
    batches = PairBatches(sources, targets, 200, shuffle=shuffle)
    ids = {name: keras.Input((None,), dtype="int32", name=name) for name in ("source_ids",)}
    ids["target_ids"] = keras.Input((None,), dtype="int32", name="target_ids")
    source, target = (keras.layers.Embedding(9, 5)(x) for x in ids.values())
    source = keras.ops.mean(source, axis=1, keepdims=True)
    model = keras.Model(ids, keras.layers.Dense(9)(target + source))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("sgd", loss)
    assert np.isfinite(model.fit(batches, epochs=2, verbose=0).history["loss"]).all()


def test_the_shapes_in_front_differ_in_every_axis_that_differs():
    lengths = (8, 16, 24)
    for count in (1, 2, 3, 4):
        for shapes in itertools.product(itertools.product(lengths, repeat=2), repeat=count):
            front = _most_different(list(shapes))
            for axis in (0, 1):
                everywhere = len({shape[axis] for shape in shapes})
                assert min(2, everywhere) == len({shapes[index][axis] for index in front})
            assert len(front) == min(2, count)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((SOURCES, TARGETS[:3]), "must have the same length"),
        (([], []), "at least 1"),
        ((SOURCES, TARGETS, 0), "`batch_tokens` must be positive"),
        ((SOURCES, TARGETS, 8, 5000), "`max_length` must be in"),
    ],
)
def test_bad_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        PairBatches(*arguments)
