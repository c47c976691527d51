"""Transformer encoder-decoders: presets, steps beside the whole, padding, and decoding."""

import keras
import numpy as np
import pytest
from keras import ops

import kzoo
from kzoo.decoding import beam_search, greedy
from kzoo.models import Seq2SeqSteps, transformer_seq2seq

SOURCE = np.array([[4, 5, 6, 7, 0], [8, 9, 0, 0, 0], [0, 0, 0, 0, 0]], "int32")
TARGET = np.array([[2, 5, 7, 6], [2, 9, 9, 0], [2, 0, 0, 0]], "int32")
SIZES = {"embedding_dim": 8, "num_heads": 2, "hidden_dim": 12, "num_layers": 1, "dropout": 0.0}
VOCABULARIES = {"source_vocabulary_size": 12, "target_vocabulary_size": 11}
START, END = 2, 3

CASES = {
    "original": dict(num_layers=2),
    "shared_table": dict(share_embeddings=True, source_vocabulary_size=11),
    "learned": dict(positions="learned", max_length=9, normalize_first=True, num_decoder_layers=2),
    "rotary": dict(positions="rotary", num_key_value_heads=1, normalization="rms_norm"),
    "alibi": dict(positions="alibi", activation="swiglu", use_bias=False, tie_embeddings=False),
}


def make(name):
    """Returns a model of a case with random weights, biases included."""
    model = transformer_seq2seq(**{**VOCABULARIES, **SIZES, **CASES[name]})
    rng = np.random.default_rng(3)
    for weight in model.trainable_weights:
        weight.assign(rng.normal(scale=0.5, size=weight.shape))
    return model


def logits(model, source, target):
    """Returns the logits of all steps at once."""
    return ops.convert_to_numpy(model({"source_ids": source, "target_ids": target}))


@pytest.mark.parametrize("name", kzoo.list_models("transformer_*"))
def test_preset_is_built_to_size(name):
    sizes = {key: size for key, size in SIZES.items() if key != "dropout"}
    model = kzoo.create_model(name, **VOCABULARIES, **sizes)
    assert model.output_shape == (None, None, 11)


def test_it_trains_saves_and_loads(tmp_path):
    model = transformer_seq2seq(**VOCABULARIES, **{**SIZES, "dropout": 0.1})
    inputs = {"source_ids": SOURCE, "target_ids": TARGET}
    labels, weights = np.roll(TARGET, -1, axis=1), (TARGET > 0).astype("float32")
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    # XLA takes longer to compile than the test to run.
    model.compile(keras.optimizers.Adam(0.01), loss, weighted_metrics=[], jit_compile=False)
    history = model.fit(inputs, labels, sample_weight=weights, epochs=8, verbose=0).history
    assert history["loss"][-1] < 0.9 * history["loss"][0]
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(logits(loaded, SOURCE, TARGET), logits(model, SOURCE, TARGET))


def test_the_shared_table_stays_one_table(tmp_path):
    model = make("shared_table")
    assert len([w for w in model.weights if w.shape == (11, 8)]) == 1
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert len(loaded.weights) == len(model.weights)
    np.testing.assert_array_equal(logits(loaded, SOURCE, TARGET), logits(model, SOURCE, TARGET))


@pytest.mark.parametrize("name", CASES)
def test_steps_equal_the_whole(name):
    model = make(name)
    whole = logits(model, SOURCE, TARGET)
    assert whole.std() > 0.1
    steps = Seq2SeqSteps(model, max_length=6)
    state, _ = steps.begin(SOURCE)
    assert state["blocks"][0][0].shape[1] == 6
    for t in range(TARGET.shape[1]):
        one, state = steps.step(TARGET[:, t], state)
        np.testing.assert_allclose(one, whole[:, t], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", CASES)
def test_padding_and_batch_change_nothing(name):
    model = make(name)
    together = logits(model, SOURCE, TARGET)
    alone = logits(model, SOURCE[1:2, :2], TARGET[1:2, :2])
    assert np.isfinite(together).all()
    np.testing.assert_allclose(together[1:2, :2], alone, rtol=1e-4, atol=1e-5)


def test_greedy_and_beam_give_in_a_batch_what_they_give_alone():
    steps = Seq2SeqSteps(make("rotary"))

    def decode(source):
        state, mask = steps.begin(source)
        start = np.full(len(source), START)
        found = greedy(steps.attend, state, start, END, 5, source_mask=mask)
        beams = beam_search(steps.step, state, start, END, 5, num_beams=3)
        arrays = (found.ids, beams.ids, beams.scores, found.alignments[:, :, :2])
        return [ops.convert_to_numpy(x) for x in arrays]

    pairs = zip(decode(SOURCE[:2]), decode(SOURCE[1:2, :2]), strict=True)
    for together, alone in pairs:
        np.testing.assert_allclose(together[1:2], alone, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (dict(num_heads=3), "`num_heads` must divide `embedding_dim`"),
        (dict(num_layers=0), "`num_layers` must be a positive integer"),
        (dict(positions="none"), "`positions` must be one of"),
        (dict(share_embeddings=True), "`share_embeddings` needs two vocabularies of one size"),
    ],
)
def test_wrong_arguments(wrong, message):
    with pytest.raises(ValueError, match=message):
        transformer_seq2seq(**{**VOCABULARIES, **SIZES, **wrong})
