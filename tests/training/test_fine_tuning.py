"""What fine-tuning needs: the learning rates of steps and layers, and batches."""

import keras
import numpy as np
import pytest
from keras import ops

from kzoo.training import (
    AdversarialAdamW,
    AdversarialTraining,
    BertBatches,
    LayerwiseAdamW,
    LinearWarmup,
)


def test_rates_grow_and_fall_in_a_line():
    rates = [float(LinearWarmup(2.0, 3, 11)(step)) for step in range(12)]
    assert rates == pytest.approx([0.5, 1.0, 1.5, 2.0, *np.linspace(1.75, 0, 8)])
    assert float(LinearWarmup(2.0, 0, 4)(0)) == 2.0
    again = LinearWarmup.from_config(LinearWarmup(2.0, 3, 11).get_config())
    assert float(again(1)) == 1.0
    with pytest.raises(ValueError, match="`warmup_steps` must be in"):
        LinearWarmup(1.0, 5, 5)


def numpy_adamw(variable, gradients, rate, decay):
    """Returns a variable after AdamW, as in Loshchilov and Hutter 2019, Algorithm 2."""
    first = second = 0.0
    for step, gradient in enumerate(gradients, 1):
        variable = variable - 0.1 * decay * variable
        first = 0.9 * first + 0.1 * gradient
        second = 0.999 * second + 0.001 * gradient**2
        corrected = second / (1 - 0.999**step)
        variable = variable - rate * first / (1 - 0.9**step) / (np.sqrt(corrected) + 1e-7)
    return variable


def test_every_layer_has_its_rate_and_vectors_do_not_decay():
    layers = [keras.Input((3,)), keras.layers.Dense(4, name="low"), keras.layers.Dense(2)]
    model = keras.Sequential(layers)
    rng = np.random.default_rng(0)
    variables = model.trainable_variables
    before = [rng.normal(size=variable.shape).astype("float32") for variable in variables]
    steps = [[rng.normal(size=value.shape).astype("float32") for value in before] for _ in range(3)]
    for variable, value in zip(variables, before, strict=True):
        variable.assign(value)
    optimizer = LayerwiseAdamW(0.1, 0.2, {"low": 0.25})
    optimizer = LayerwiseAdamW.from_config(optimizer.get_config())
    # What the user leaves out is left out beside the vectors.
    optimizer.exclude_from_weight_decay(variables[2:3])
    optimizer.build(variables)
    for gradients in steps:
        optimizer.apply([ops.convert_to_tensor(gradient) for gradient in gradients])
    for index, (variable, value) in enumerate(zip(variables, before, strict=True)):
        gradients = [step[index] for step in steps]
        rate, decay = 0.025 if index < 2 else 0.1, 0.2 if index == 0 else 0.0
        expected = numpy_adamw(value, gradients, rate, decay)
        np.testing.assert_allclose(ops.convert_to_numpy(variable), expected, rtol=1e-4, atol=1e-6)


def slopes(table, kernel, ids, targets):
    """Gradients of `mean((mean of the rows @ kernel - target)^2)`."""
    means = table[ids].mean(axis=1)
    errors = 2 * (means @ kernel - targets) / len(ids)
    d_table = np.zeros_like(table)
    np.add.at(d_table, ids, np.repeat((errors @ kernel.T)[:, None] / ids.shape[1], ids.shape[1], 1))
    return d_table, means.T @ errors


def test_an_adversary_moves_the_table_before_the_second_half_of_a_step():
    layers = [keras.Input((2,), dtype="int32"), keras.layers.Embedding(6, 3, name="embedding")]
    layers += [keras.layers.GlobalAveragePooling1D(), keras.layers.Dense(1, use_bias=False)]
    model = keras.Sequential(layers)
    rng = np.random.default_rng(0)
    values = [rng.normal(size=w.shape).astype("float32") for w in model.weights]
    model.set_weights(values)
    optimizer = AdversarialAdamW(0.1, 0.0, {"embedding": 0.5}, step_length=0.7)
    optimizer = AdversarialAdamW.from_config(optimizer.get_config())
    training = AdversarialTraining(model)
    training.compile(optimizer, "mse")
    history = [[], []]
    for _ in range(3):
        # No batch has the last two rows.
        ids, targets = rng.integers(0, 4, (5, 2)), rng.normal(size=(5, 1)).astype("float32")
        training.train_on_batch(ids.astype("int32"), targets)
        now = [
            numpy_adamw(value, gradients, rate, 0.0) if gradients else value
            for value, gradients, rate in zip(values, history, (0.05, 0.1), strict=True)
        ]
        there = slopes(*now, ids, targets)
        moved = now[0] + 0.7 * there[0] / np.linalg.norm(there[0]), now[1]
        for gradients, *both in zip(history, there, slopes(*moved, ids, targets), strict=True):
            gradients.append(sum(both) / 2)
    for found, value, gradients, rate in zip(
        model.get_weights(), values, history, (0.05, 0.1), strict=True
    ):
        expected = numpy_adamw(value, gradients, rate, 0.0)
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(model.get_weights()[0][4:], values[0][4:], atol=1e-6)


def test_an_adversary_needs_a_table_and_a_step():
    with pytest.raises(ValueError, match="`step_length` must be positive"):
        AdversarialAdamW(step_length=0)
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    with pytest.raises(ValueError, match="Received: embedding"):
        AdversarialAdamW().build(model.trainable_variables)


def test_adversarial_training_is_saved_and_goes_on(tmp_path):
    def make():
        keras.utils.set_random_seed(0)
        layers = [keras.Input((2,)), keras.layers.Dense(3, name="embedding"), keras.layers.Dense(1)]
        training = AdversarialTraining(keras.Sequential(layers))
        training.compile(AdversarialAdamW(0.1), "mse")
        training.optimizer.build(training.trainable_variables)
        return training

    x, y = np.ones((4, 2), "float32"), np.zeros((4, 1), "float32")
    first, second = make(), make()
    first.train_on_batch(x, y)
    first.save_weights(tmp_path / "half.weights.h5")
    second.load_weights(tmp_path / "half.weights.h5")
    for training in (first, second):
        training.train_on_batch(x, y)
    for one, other in zip(first.get_weights(), second.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5)
    again = AdversarialTraining.from_config(first.get_config())
    assert tuple(again(x).shape) == again.compute_output_shape((4, 2)) == (4, 1)


def test_batches_know_what_is_padding():
    # An id of 0 within a text is no padding.
    batches = BertBatches([[2, 0, 7, 3], [2, 3], [2, 9, 3]], [1, 0, 2], 3, shuffle=False)
    inputs, labels = batches[0]
    assert {name: x.dtype.name for name, x in inputs.items()} == dict.fromkeys(inputs, "int32")
    assert list(inputs) == ["ids", "mask", "segment_ids"]
    assert inputs["mask"][:, :5].tolist() == [[1, 1, 1, 1, 0], [1, 1, 0, 0, 0], [1, 1, 1, 0, 0]]
    assert not inputs["segment_ids"].any()
    assert labels.tolist() == [1, 0, 2]
