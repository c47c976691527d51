"""Adagrad by rows changes the rows of a batch as its equation says, and no others."""

import keras
import numpy as np
import pytest
from keras import ops

from kzoo.layers import SparseEmbedding
from kzoo.training import SparseAdagrad

IDS = [np.array([[3, 5, 3], [0, 3, 8]]), np.array([[8, 8, 1], [5, 5, 5]])]


def model_and_table():
    layers = [keras.Input((3,), dtype="int32"), SparseEmbedding(9, 4, name="table")]
    layers += [keras.layers.Dense(2, name="dense")]
    model = keras.Sequential(layers)
    random = np.random.default_rng(3)
    for weight in model.weights:
        weight.assign(random.normal(size=weight.shape))
    return model, model.get_layer("table").embeddings


def expected_weights(model, batches, rate, by_rows):
    """Steps of Duchi et al. on half the sum of squares of `table[ids] @ kernel + bias`."""
    table, kernel, bias = (x.astype("float64") for x in model.get_weights())
    sums = [np.full_like(x, 0.1) for x in (table, kernel, bias)]
    for ids in batches:
        read = table[ids]
        errors = read @ kernel + bias
        by_place = errors @ kernel.T
        gradients = [np.zeros_like(table), np.einsum("btk,btd->kd", read, errors)]
        np.add.at(gradients[0], ids, by_place)
        gradients.append(errors.sum((0, 1)))
        squares = [gradient**2 for gradient in gradients]
        if by_rows:
            squares[0] = np.zeros_like(table)
            np.add.at(squares[0], ids, by_place**2)
        for x, total, gradient, square in zip(
            (table, kernel, bias), sums, gradients, squares, strict=True
        ):
            total += square
            x -= rate * gradient / np.sqrt(total + 1e-7)
    return table, kernel, bias


@pytest.mark.parametrize("jit_compile", [False, True])
def test_steps_are_those_of_the_equation(jit_compile):
    model, table = model_and_table()
    before = ops.convert_to_numpy(table)
    by_rows = keras.backend.backend() == "tensorflow"
    expected = expected_weights(model, IDS, 0.2, by_rows)
    optimizer = SparseAdagrad.from_config(SparseAdagrad(0.2).get_config())
    # The sum over batch and time of half the squares of two outputs each.
    loss = keras.losses.MeanSquaredError(reduction="sum")
    model.compile(optimizer, loss, jit_compile=jit_compile)
    for ids in IDS:
        model.train_on_batch(ids, np.zeros((2, 3, 2)))
    for weight, value in zip(model.get_weights(), expected, strict=True):
        np.testing.assert_allclose(weight, value, rtol=1e-4, atol=1e-5)
    unread = np.setdiff1d(np.arange(9), np.concatenate(IDS))
    np.testing.assert_array_equal(ops.convert_to_numpy(table)[unread], before[unread])


def test_goes_on_from_its_saved_sums(tmp_path):
    model, _ = model_and_table()
    model.compile(SparseAdagrad(0.2), "mse", jit_compile=False)
    model.train_on_batch(IDS[0], np.zeros((2, 3, 2)))
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    for each in (model, again):
        each.train_on_batch(IDS[1], np.zeros((2, 3, 2)))
    for one, other in zip(model.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)
