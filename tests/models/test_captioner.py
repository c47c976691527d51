"""Captioners: presets, the step beside the walk, alignments over the grid, wrong arguments."""

import keras
import numpy as np
import pytest
from keras import ops

import kzoo
from kzoo.decoding import beam_search, greedy
from kzoo.models import Seq2SeqSteps, captioner

START, END = 2, 3
SIZES = {
    "vocabulary_size": 11,
    "picture_shape": (16, 8, 2),
    "filters": (4, 6),
    "embedding_dim": 6,
    "units": 8,
}
PICTURES = np.random.default_rng(5).integers(0, 256, (3, 16, 8, 2)).astype("uint8")
TARGET = np.array([[2, 5, 7, 6], [2, 9, 9, 0], [2, 4, 0, 0]], "int32")
CASES = {
    "tell": dict(attention=None, cell="windowed_qrnn"),
    "attend": dict(attention="bahdanau"),
    "coverage": dict(attention="coverage", cell="gru"),
}


def make(name):
    """Returns a model of a case with random weights, biases included."""
    model = captioner(**SIZES, **CASES[name])
    rng = np.random.default_rng(3)
    for weight in model.trainable_weights:
        weight.assign(rng.normal(scale=0.5, size=weight.shape))
    return model


def logits(model, pictures, target):
    """Returns the logits of the walk."""
    return ops.convert_to_numpy(model({"pictures": pictures, "target_ids": target}))


@pytest.mark.parametrize("name", kzoo.list_models("captioner_*"))
def test_preset_trains_saves_and_loads(name, tmp_path):
    model = kzoo.create_model(name, **{**SIZES, "dropout": 0.0})
    inputs = {"pictures": PICTURES, "target_ids": TARGET}
    labels, weights = np.roll(TARGET, -1, axis=1), (TARGET > 0).astype("float32")
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.05), loss, weighted_metrics=[], jit_compile=False)
    history = model.fit(inputs, labels, sample_weight=weights, epochs=8, verbose=0).history
    assert history["loss"][-1] < 0.7 * history["loss"][0]
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(logits(loaded, PICTURES, TARGET), logits(model, PICTURES, TARGET))


@pytest.mark.parametrize("name", CASES)
def test_steps_equal_the_walk_and_rows_are_alone(name):
    model = make(name)
    state, _ = Seq2SeqSteps(model).begin(PICTURES)
    stepped = []
    for t in range(TARGET.shape[1]):
        one, state = Seq2SeqSteps(model).step(TARGET[:, t], state)
        stepped.append(ops.convert_to_numpy(one))
    walked = logits(model, PICTURES, TARGET)
    assert walked.std() > 0.1
    np.testing.assert_allclose(np.stack(stepped, axis=1), walked, rtol=1e-4, atol=1e-5)
    alone = logits(model, PICTURES[1:2], TARGET[1:2])
    np.testing.assert_allclose(walked[1:2], alone, rtol=1e-4, atol=1e-5)


def test_every_place_of_the_grid_is_attended_to():
    steps = Seq2SeqSteps(make("attend"))
    assert not steps.reads_ids
    # 16 x 8 pixels, halved twice.
    assert steps.places == 8
    # A picture without ink counts as any other: 0 is no padding.
    pictures = np.concatenate([PICTURES[:1], np.zeros_like(PICTURES[:1])])
    state, mask = steps.begin(pictures)
    found = greedy(steps.attend, state, [START] * 2, END, 4, min_length=4, source_mask=mask)
    alignments = ops.convert_to_numpy(found.alignments)
    assert alignments.shape == (2, 4, 8)
    np.testing.assert_allclose(alignments.sum(-1), 1, rtol=1e-5)
    assert (alignments > 0).all()
    assert alignments.std() > 0
    beams = beam_search(steps.step, state, [START] * 2, END, 4, num_beams=2)
    assert tuple(beams.ids.shape) == (2, 2, 4)


def test_what_stands_where_is_known_without_attention():
    """The same ink at another place gives other first states."""
    model = make("tell")
    shifted = np.zeros((2, 16, 8, 2), "uint8")
    shifted[0, :4, :4], shifted[1, 8:12, 4:] = 200, 200
    _, state, *_ = model.get_layer("encoder").predict(shifted, verbose=0)
    assert np.abs(state[0] - state[1]).max() > 1e-2


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (dict(units=0), "`units` must be a positive integer"),
        (dict(picture_shape=(16, 6, 1)), r"multiples of 2 \*\* len\(filters\) = 4"),
        (dict(picture_shape=(16, 16)), r"`picture_shape` must be \(height, width, channels\)"),
        (dict(filters=()), "`picture_shape` must be"),
        (dict(cell="lstn"), "`cell` must be one of"),
        (dict(attention="bahdanow"), "`attention` must be None or one of"),
    ],
)
def test_wrong_arguments(wrong, message):
    with pytest.raises(ValueError, match=message):
        captioner(**{**SIZES, **wrong})
