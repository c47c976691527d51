"""Holding rows out: the same every time, in proportion, and without leaks."""

import numpy as np
import pytest

from kzoo.data import hold_out


def test_rows_are_stratified_and_repeatable():
    texts = [f"text {i}" for i in range(1000)]
    labels = np.array([0] * 900 + [1] * 100)
    held = hold_out(texts, labels, 0.1)
    assert np.bincount(labels[held]).tolist() == [90, 10]
    assert (held == hold_out(texts, labels, 0.1)).all()
    assert (held != hold_out(texts, labels, 0.1, seed=5)).any()
    # The very rows, so that a change that would move published numbers cannot pass unseen.
    assert np.flatnonzero(held)[:5].tolist() == [9, 21, 40, 60, 72]


def test_equal_texts_stay_together_even_with_different_labels():
    texts = [f"text {i % 50}" for i in range(400)]
    labels = np.arange(400) % 2
    labels[:7] = 1 - labels[:7]
    held = hold_out(texts, labels, 0.2)
    inside = {text for text, out in zip(texts, held, strict=True) if out}
    outside = {text for text, out in zip(texts, held, strict=True) if not out}
    assert not inside & outside
    assert len(inside) == 10


def test_a_class_is_never_taken_whole():
    labels = np.array([0, 0, 1, 2, 2, 2])
    held = hold_out(list("abcdef"), labels, 0.9)
    assert np.bincount(labels[held], minlength=3).tolist() == [1, 0, 2]


@pytest.mark.parametrize("fraction", [0, 1, -0.5, float("nan")])
def test_fractions_outside_the_unit_interval_are_refused(fraction):
    with pytest.raises(ValueError, match="fraction: expected a number between 0 and 1, got"):
        hold_out(["a", "b"], np.array([0, 0]), fraction)


def test_nothing_to_hold_out_is_refused():
    with pytest.raises(ValueError, match="two different texts"):
        hold_out(["a", "a", "b"], np.array([0, 0, 1]), 0.5)


def test_each_row_is_in_one_fold():
    texts = [f"text {i % 83}" for i in range(200)]
    labels = np.array([0] * 150 + [1] * 50)
    labels = np.array([labels[i % 83] for i in range(200)])
    folds = [hold_out(texts, labels, 0.1, fold=fold) for fold in range(10)]
    assert np.sum(folds, axis=0).tolist() == [1] * 200
    assert (folds[0] == hold_out(texts, labels, 0.1)).all()


@pytest.mark.parametrize("fold", [-1, 10])
def test_folds_beyond_the_last_are_refused(fold):
    with pytest.raises(ValueError, match="fold: expected 0 to 9, got"):
        hold_out(["a", "b", "c"], np.array([0, 0, 0]), 0.1, fold=fold)
