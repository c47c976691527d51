"""Recognizers: presets train, save and load; padding changes nothing; what is read out of them."""

import keras
import numpy as np
import pytest
from keras import ops

import kzoo
from kzoo.data import DigitLines, SpokenStrings, load_digits, load_speech
from kzoo.layers import FrameLogProbabilities
from kzoo.models import ctc_decoder, ctc_recognizer, ctc_stream
from kzoo.models.recognizer import CTCDecoding
from kzoo.training import StringBatches, pad_strings
from tests.weights import randomize

SIZES = {"num_classes": 11, "filters": (4, 6), "units": 8}
PRESETS = kzoo.list_models("ctc_*")


def batches(name, count=4, **options):
    """Two strings of a digit, and two of two digits."""
    if "speech" in name:
        strings = SpokenStrings(load_speech(), "train", count, max_length=2, seed=2)
        return StringBatches(strings, 4, 128, "stream" not in name, shuffle=False, **options)
    strings = DigitLines(load_digits(), "train", count, max_length=2, seed=2)
    return StringBatches(strings, 4, shuffle=False, **options)


@pytest.mark.parametrize("name", PRESETS)
def test_preset_trains_saves_and_loads(name, tmp_path):
    options = {"augment": None} if "speech" in name else {}
    model = kzoo.create_model(name, **SIZES, dropout=0.0, **options)
    data = batches(name)
    # One batch takes less time than a program for it.
    model.compile(keras.optimizers.Adam(0.02), keras.losses.CTC(), run_eagerly=True)
    losses = model.fit(data, epochs=3, verbose=0).history["loss"]
    assert losses[-1] < 0.9 * losses[0]
    inputs, _ = data[0]
    frames = ops.convert_to_numpy(model(inputs))
    np.testing.assert_allclose(np.exp(frames).sum(axis=-1), 1, rtol=1e-5)
    decoder = ctc_decoder(model)
    found = decoder(inputs)
    decoder.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")(inputs)
    for key, x in found.items():
        np.testing.assert_array_equal(ops.convert_to_numpy(loaded[key]), ops.convert_to_numpy(x))


@pytest.mark.parametrize("name", ["ctc_ocr_lstm", "ctc_speech_gru"])
def test_padding_changes_nothing(name):
    model = randomize(kzoo.create_model(name, **SIZES))
    strings = batches(name).strings
    parts = [strings.draw(row)[0] for row in range(4)]
    hop = 128 if "speech" in name else None
    together = ops.convert_to_numpy(model(pad_strings(parts, hop)))
    # Odd and even lengths both.
    lengths = pad_strings(parts, hop)["lengths"]
    assert set(lengths % 2) == {0, 1}
    for row, part in enumerate(parts):
        alone = ops.convert_to_numpy(model(pad_strings([part], hop)))[0]
        assert len(alone) == -(-lengths[row] // 2)
        np.testing.assert_allclose(together[row, : len(alone)], alone, atol=2e-4)
        assert (together[row, len(alone) :, 0] == 0).all()
        assert (together[row, len(alone) :, 1:] == -8192).all()


def test_a_causal_recognizer_does_not_look_ahead():
    model = randomize(kzoo.create_model("ctc_speech_gru_stream", **SIZES))
    assert [tensor.name for tensor in model.inputs] == ["samples"]
    samples = np.random.default_rng(0).normal(scale=0.1, size=(1, 12, 128)).astype("float32")
    whole = ops.convert_to_numpy(model(samples))
    for hops in (1, 5):
        part = ops.convert_to_numpy(model(samples[:, :hops]))
        np.testing.assert_allclose(part, whole[:, :hops], atol=1e-5)
    stream = ctc_stream(model)(samples)
    best = np.argmax(whole[0], axis=-1)
    expected = [c if c != b else 0 for c, b in zip(best, [0, *best], strict=False)]
    assert ops.convert_to_numpy(stream["symbols"])[0].tolist() == expected
    np.testing.assert_allclose(stream["probabilities"], np.exp(whole), atol=1e-6)


def test_beams_and_the_best_path_are_read_out():
    model = randomize(ctc_recognizer(**SIZES))
    inputs, _ = batches("ocr")[0]
    frames = model(inputs)
    for beams, length in ((None, frames.shape[1]), (3, 5)):
        found = ctc_decoder(model, beams, max_length=5)(inputs)
        assert tuple(found["ids"].shape) == (len(frames), length)
        certainties = ops.convert_to_numpy(found["certainties"])
        assert ((certainties > 0) & (certainties <= 1)).all()


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_padding_makes_no_string_more_certain_in_half_precision(dtype):
    logits = np.random.default_rng(1).normal(size=(1, 5, 4))
    layer, mask = FrameLogProbabilities(dtype=dtype), np.array([[True, True, False, False, False]])
    _, certainties = CTCDecoding()(layer(logits, mask=mask))
    _, alone = CTCDecoding()(layer(logits[:, :2]))
    np.testing.assert_array_equal(certainties, alone)


def test_batches_hold_strings_of_about_equally_many_symbols():
    strings = DigitLines(load_digits(), "train", 50, max_length=3, vary=True)
    data = StringBatches(strings, 8, seed=3)
    seen = 0
    for inputs, ids in (data[index] for index in range(len(data))):
        # Zeros pad a string by one symbol at most.
        assert ids[:, 0].min() >= 1
        assert (ids == 0).sum(axis=1).max() <= 1
        assert inputs["pictures"].shape[0] == len(ids) <= 8
        assert inputs["pictures"].shape[2] == inputs["lengths"].max()
        seen += len(ids)
    assert seen == 50
    assert len(data) == 7
    first = data[0][0]["pictures"]
    data.on_epoch_end()
    assert data.epoch == 1
    data.start_epoch(0)
    np.testing.assert_array_equal(data[0][0]["pictures"], first)
    with pytest.raises(ValueError, match="`batch_size` must be positive"):
        StringBatches(strings, 0)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"num_classes": 0}, "`num_classes` must be a positive integer"),
        ({"filters": (4, 0)}, r"`filters\[1\]` must be a positive integer"),
        ({"reads": "video"}, "`reads` must be 'pictures' or 'samples'"),
        ({"causal": True}, "Pictures take no options of samples. Received: causal"),
        ({"num_mel_bins": 5}, "Received: num_mel_bins"),
        ({"cell": "elman"}, "`cell` must be one of"),
    ],
)
def test_wrong_arguments(wrong, message):
    with pytest.raises(ValueError, match=message):
        ctc_recognizer(**{**SIZES, **wrong})
