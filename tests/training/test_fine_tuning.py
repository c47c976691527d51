"""What fine-tuning needs: the learning rates of steps and layers, and batches."""

import keras
import numpy as np
import pytest
from keras import ops

from kzoo.training import BertBatches, LayerwiseAdamW, LinearWarmup


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
    optimizer.build(variables)
    for gradients in steps:
        optimizer.apply([ops.convert_to_tensor(gradient) for gradient in gradients])
    for index, (variable, value) in enumerate(zip(variables, before, strict=True)):
        gradients = [step[index] for step in steps]
        rate, decay = 0.025 if index < 2 else 0.1, 0.2 if value.ndim > 1 else 0.0
        expected = numpy_adamw(value, gradients, rate, decay)
        np.testing.assert_allclose(ops.convert_to_numpy(variable), expected, rtol=1e-4, atol=1e-6)


def test_batches_know_what_is_padding():
    # An id of 0 within a text is no padding.
    batches = BertBatches([[2, 0, 7, 3], [2, 3], [2, 9, 3]], [1, 0, 2], 3, shuffle=False)
    inputs, labels = batches[0]
    assert {name: x.dtype.name for name, x in inputs.items()} == dict.fromkeys(inputs, "int32")
    assert list(inputs) == ["ids", "mask", "segment_ids"]
    assert inputs["mask"][:, :5].tolist() == [[1, 1, 1, 1, 0], [1, 1, 0, 0, 0], [1, 1, 1, 0, 0]]
    assert not inputs["segment_ids"].any()
    assert labels.tolist() == [1, 0, 2]
