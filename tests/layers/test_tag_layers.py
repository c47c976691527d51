"""The small layers of taggers: hidden tokens, zeros at padding, the best class."""

import numpy as np
import pytest
from keras import ops
from keras.src import testing

from kzoo.layers import BestClass, TakeSteps, TokenDropout, ZeroMasked

STEPS = np.array([[2, 1], [1, 0]], "int32")


class Battery(testing.TestCase):
    """Gives access to `run_layer_test`."""

    def runTest(self):
        """Nothing: the tests below call the battery."""


@pytest.mark.parametrize(
    ("layer", "arguments", "inputs", "shape", "seeds"),
    [
        (TokenDropout, {"rate": 0.3}, np.array([[5, 7, 0]], "int32"), (1, 3), 1),
        (ZeroMasked, {}, np.ones((2, 3, 4), "float32"), (2, 3, 4), 0),
        (BestClass, {}, np.ones((2, 3, 4), "float32"), (2, 3), 0),
        (TakeSteps, {}, [np.ones((2, 3, 4), "float32"), STEPS], (2, 2, 4), 0),
    ],
)
def test_contract(layer, arguments, inputs, shape, seeds):
    Battery().run_layer_test(
        layer,
        init_kwargs=arguments,
        input_data=inputs,
        expected_output_shape=shape,
        expected_num_trainable_weights=0,
        expected_num_non_trainable_weights=0,
        expected_num_seed_generators=seeds,
        supports_masking=True,
        run_training_check=False,
    )


def test_tokens_are_hidden_in_training_alone_and_padding_never():
    ids = np.random.default_rng(0).integers(2, 50, (40, 60)).astype("int32")
    ids[:, 50:] = 0
    layer = TokenDropout(0.25)
    np.testing.assert_array_equal(ops.convert_to_numpy(layer(ids)), ids)
    hidden = ops.convert_to_numpy(layer(ids, training=True))
    changed = hidden != ids
    assert set(hidden[changed]) == {1}
    assert not changed[:, 50:].any()
    assert 0.2 < changed[:, :50].mean() < 0.3


def test_masked_steps_become_zero():
    x = np.arange(12, dtype="float32").reshape(1, 3, 4) + 1
    outputs = ops.convert_to_numpy(ZeroMasked()(x, mask=np.array([[True, False, True]])))
    np.testing.assert_array_equal(outputs[0], x[0] * [[1], [0], [1]])
    np.testing.assert_array_equal(ops.convert_to_numpy(ZeroMasked()(x)), x)


def test_the_best_class_is_the_first_of_equals():
    scores = np.array([[0.2, 0.7, 0.7], [3.0, -1.0, 2.0]], "float32")
    assert ops.convert_to_numpy(BestClass()(scores)).tolist() == [1, 0]


@pytest.mark.parametrize("rate", [-0.1, 1.0])
def test_wrong_rates(rate):
    with pytest.raises(ValueError, match=r"`rate` must be in \[0, 1\)"):
        TokenDropout(rate)


def test_steps_are_taken_by_position_and_position_zero_is_masked():
    random = np.random.default_rng(0)
    sequence = random.normal(size=(2, 3, 4)).astype("float32")
    positions = np.array([[2, 1, 0], [1, 9, 0]], "int32")
    taken = ops.convert_to_numpy(TakeSteps()([sequence, positions]))
    for row, steps in enumerate([[2, 1], [1, 2]]):
        np.testing.assert_array_equal(taken[row, :2], sequence[row, steps])
    mask = ops.convert_to_numpy(TakeSteps().compute_mask([sequence, positions]))
    assert mask.tolist() == [[True, True, False]] * 2
