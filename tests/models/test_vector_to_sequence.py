"""Models that write a sequence for a class or a vector: presets, steps, what they are asked for."""

import keras
import numpy as np
import pytest
from keras import ops

import kzoo
from kzoo.models import Seq2SeqSteps, vector_to_sequence

SIZES = {"vocabulary_size": 11, "embedding_dim": 6, "units": 8}
TARGET = np.array([[2, 5, 7, 6], [2, 9, 9, 0], [2, 4, 0, 0]], "int32")
SOURCES = {
    "labels": np.array([0, 2, 1], "int32"),
    "vectors": np.random.default_rng(4).normal(size=(3, 5)).astype("float32"),
}
CASES = {
    "labels": dict(num_classes=3, num_layers=2, cell="projected_lstm"),
    "vectors": dict(vector_size=5, cell="sru"),
}


def make(name):
    """Returns a model of a case with random weights, biases included."""
    model = vector_to_sequence(**SIZES, **CASES[name])
    rng = np.random.default_rng(3)
    for weight in model.trainable_weights:
        weight.assign(rng.normal(scale=0.5, size=weight.shape))
    return model


@pytest.mark.parametrize("name", kzoo.list_models("vector_to_sequence_*"))
def test_preset_learns_what_a_class_writes(name, tmp_path):
    model = kzoo.create_model(name, **SIZES, num_classes=3, dropout=0.0)
    inputs = {"labels": SOURCES["labels"], "target_ids": TARGET}
    labels, weights = np.roll(TARGET, -1, axis=1), (TARGET > 0).astype("float32")
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.1), loss, weighted_metrics=[], jit_compile=False)
    history = model.fit(inputs, labels, sample_weight=weights, epochs=15, verbose=0).history
    assert history["loss"][-1] < 0.5 * history["loss"][0]
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded(inputs), model(inputs))


@pytest.mark.parametrize("name", CASES)
def test_steps_equal_the_walk_and_rows_are_alone(name):
    model, sources = make(name), SOURCES[name]
    steps = Seq2SeqSteps(model)
    state, _ = steps.begin(sources)
    stepped = []
    for t in range(TARGET.shape[1]):
        one, state = steps.step(TARGET[:, t], state)
        stepped.append(ops.convert_to_numpy(one))
    walked = ops.convert_to_numpy(model({name: sources, "target_ids": TARGET}))
    np.testing.assert_allclose(np.stack(stepped, axis=1), walked, rtol=1e-4, atol=1e-5)
    alone = ops.convert_to_numpy(model({name: sources[1:2], "target_ids": TARGET[1:2]}))
    np.testing.assert_allclose(walked[1:2], alone, rtol=1e-4, atol=1e-5)
    # What is asked for reaches the last step.
    same = ops.convert_to_numpy(model({name: sources, "target_ids": np.repeat(TARGET[:1], 3, 0)}))
    assert np.abs(same[0, -1] - same[1, -1]).max() > 1e-2


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (dict(), "Either `num_classes` or `vector_size` must be given"),
        (dict(num_classes=3, vector_size=4), "Either `num_classes` or `vector_size`"),
        (dict(num_classes=0), "`num_classes` must be a positive integer"),
        (dict(vector_size=2.5), "`vector_size` must be a positive integer"),
        (dict(num_classes=3, cell="lstn"), "`cell` must be one of"),
    ],
)
def test_wrong_arguments(wrong, message):
    with pytest.raises(ValueError, match=message):
        vector_to_sequence(**SIZES, **wrong)
