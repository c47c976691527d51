"""Keras's own battery of layer tests: serialization, symbolic calls, mixed precision, training."""

import numpy as np
import pytest
from keras.src import testing

from kzoo.layers import (
    CELLS,
    AttentionPooling,
    Bidirectional,
    MaxPooling,
    MeanPooling,
    NGramEmbedding,
    Recurrent,
)
from tests.layers.grid import CELL_CASES, predict

WEIGHTS = {"simple_rnn": 3, "lstm": 3, "gru": 3, "sru": 2}


class Battery(testing.TestCase):
    """Gives access to `run_layer_test`."""

    def runTest(self):
        """Nothing: the tests below call the battery."""


@pytest.mark.parametrize("return_sequences", [False, True])
@pytest.mark.parametrize("case", CELL_CASES)
def test_recurrent(case, return_sequences):
    name, arguments = CELL_CASES[case]
    Battery().run_layer_test(
        Recurrent,
        init_kwargs={
            "cell": CELLS[name](5, **arguments),
            "return_sequences": return_sequences,
            "go_backwards": not return_sequences,
            "dropout": 0.2,
        },
        input_shape=(3, 4, 6),
        expected_output_shape=(3, 4, 5) if return_sequences else (3, 5),
        expected_num_trainable_weights=WEIGHTS[name],
        expected_num_non_trainable_weights=0,
        expected_num_seed_generators=1,
        supports_masking=True,
    )


@pytest.mark.parametrize(
    ("case", "merge_mode"),
    list(zip(CELL_CASES, ["concat", "sum", "ave", "mul", "concat"], strict=True)),
)
def test_bidirectional(case, merge_mode):
    name, arguments = CELL_CASES[case]
    Battery().run_layer_test(
        Bidirectional,
        init_kwargs={"layer": Recurrent(CELLS[name](5, **arguments)), "merge_mode": merge_mode},
        input_shape=(3, 4, 6),
        expected_output_shape=(3, 10 if merge_mode == "concat" else 5),
        expected_num_trainable_weights=2 * WEIGHTS[name],
        expected_num_non_trainable_weights=0,
        expected_num_seed_generators=2,
        supports_masking=True,
    )


@pytest.mark.parametrize(
    ("layer", "arguments", "weights"),
    [(MeanPooling, {}, 0), (MaxPooling, {}, 0), (AttentionPooling, {"units": 4}, 3)],
)
def test_pooling(layer, arguments, weights):
    Battery().run_layer_test(
        layer,
        init_kwargs=arguments,
        input_shape=(3, 4, 6),
        expected_output_shape=(3, 6),
        expected_num_trainable_weights=weights,
        expected_num_non_trainable_weights=0,
        expected_num_seed_generators=0,
        supports_masking=True,
    )


def test_ngram_embedding():
    Battery().run_layer_test(
        NGramEmbedding,
        init_kwargs={
            "input_dim": 9,
            "output_dim": 4,
            "max_order": 3,
            "num_buckets": 11,
            "ngram_dim": 2,
        },
        input_data=np.array([[1, 2, 8, 0], [3, 0, 0, 0]], "int32"),
        expected_output_shape=(2, 4, 8),
        expected_num_trainable_weights=3,
        expected_num_non_trainable_weights=2,
        expected_num_seed_generators=0,
        supports_masking=True,
    )


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
@pytest.mark.parametrize("case", CELL_CASES)
def test_mixed_precision_stays_finite_and_close(case, policy):
    name, arguments = CELL_CASES[case]
    x = np.random.default_rng(0).normal(size=(2, 1000, 6)).astype("float32")
    layer = Recurrent(CELLS[name](8, **arguments), return_sequences=True)
    expected = predict(layer, x)
    mixed = Recurrent(
        CELLS[name](8, dtype=policy, **arguments), return_sequences=True, dtype=policy
    )
    mixed.build(x.shape)
    mixed.set_weights(layer.get_weights())
    outputs = predict(mixed, x).astype("float32")
    tolerance = 0.02 if policy == "mixed_float16" else 0.15
    np.testing.assert_allclose(outputs, expected, atol=tolerance)
