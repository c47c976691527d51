"""Poolings against NumPy, row by row."""

import numpy as np
import pytest

from kzoo.layers import AttentionPooling, MaxPooling, MeanPooling
from tests.layers.grid import BATCH, FEATURES, MASK, inputs
from tests.weights import randomize


def attention(rows, kernel, bias, query):
    """The weighted mean of Yang et al. 2016 for one row."""
    scores = np.tanh(rows @ kernel + bias) @ query[:, 0]
    weights = np.exp(scores) / np.exp(scores).sum()
    return weights @ rows


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("pooling", ["mean", "max", "attention"])
def test_equals_reference(pooling, masked):
    layer = {"mean": MeanPooling, "max": MaxPooling, "attention": lambda: AttentionPooling(4)}[
        pooling
    ]()
    x = inputs()
    layer.build(x.shape)
    weights = randomize(layer).get_weights()
    reduce = {
        "mean": lambda rows: rows.mean(axis=0),
        "max": lambda rows: rows.max(axis=0),
        "attention": lambda rows: attention(rows, *weights),
    }[pooling]
    mask = MASK if masked else np.ones_like(MASK)
    expected = [
        reduce(x[row][mask[row]]) if mask[row].any() else np.zeros(FEATURES) for row in range(BATCH)
    ]
    result = layer(x, mask=MASK if masked else None)
    np.testing.assert_allclose(result, expected, rtol=1e-5, atol=1e-6)


def test_attention_units_are_checked():
    with pytest.raises(ValueError, match="`units` must be a positive integer"):
        AttentionPooling(0)
