"""Layers of recognizers: spectra beside NumPy's transform, lengths, augmentation, frames."""

import keras
import numpy as np
import pytest
from keras import ops
from keras.src import testing

from kzoo.layers import (
    FrameLogProbabilities,
    LengthMasking,
    LogMel,
    NewSymbols,
    SpecAugment,
)
from kzoo.layers.log_mel import _product, mel_filters


class Battery(testing.TestCase):
    """Gives access to `run_layer_test`."""

    def runTest(self):
        """Nothing: the tests below call the battery."""


@pytest.mark.parametrize(
    ("layer", "arguments", "size", "seeds"),
    [
        (LogMel, {"num_mel_bins": 7, "fft_length": 64, "sequence_stride": 32}, 7, 0),
        (SpecAugment, {"frequency_mask_size": 3, "time_mask_size": 2}, 32, 1),
        (FrameLogProbabilities, {}, 32, 0),
    ],
)
def test_battery(layer, arguments, size, seeds):
    Battery().run_layer_test(
        layer,
        init_kwargs=arguments,
        input_shape=(2, 4, 32),
        expected_output_shape=(2, 4, size),
        expected_num_trainable_weights=0,
        expected_num_non_trainable_weights=0,
        expected_num_seed_generators=seeds,
        expected_num_non_trainable_variables=seeds,
        supports_masking=True,
        run_training_check=False,
    )


def test_length_masking_is_saved_and_runs_symbolically():
    layer = LengthMasking(stride=2, attach=True)
    again = LengthMasking.from_config(layer.get_config())
    sequences, lengths = keras.Input((None, 3, 2)), keras.Input((), dtype="int32")
    model = keras.Model([sequences, lengths], again([sequences, lengths]))
    found = ops.convert_to_numpy(model([np.ones((3, 4, 3, 2)), np.array([7, 3, 0])]))
    assert found.shape == (3, 4, 3, 2)
    assert found[:, :, 0, 0].tolist() == [[1, 1, 1, 1], [1, 1, 0, 0], [0, 0, 0, 0]]
    mask = layer.compute_mask([ops.ones((3, 4, 3)), ops.array([7, 3, 0])])
    assert ops.convert_to_numpy(mask).sum(axis=1).tolist() == [4, 2, 0]
    assert LengthMasking().compute_mask([ops.ones((1, 4, 3)), ops.array([3])]) is None
    with pytest.raises(ValueError, match="`stride` must be a positive integer"):
        LengthMasking(0)


@pytest.mark.parametrize(("length", "stride"), [(256, 128), (64, 16), (512, 128), (8, 8)])
def test_spectra_equal_those_of_numpy(length, stride):
    sound = np.random.default_rng(0).normal(scale=0.1, size=(2, 512 * 3)).astype("float32")
    layer = LogMel(20, fft_length=length, sequence_stride=stride)
    found = ops.convert_to_numpy(layer(sound.reshape(2, -1, stride)))
    before = np.pad(sound.astype("float64"), [[0, 0], [length - stride, 0]])
    filters = mel_filters(20, length // 2 + 1, 8000, 60, 4000)
    for hop in range(found.shape[1]):
        frame = before[:, hop * stride : hop * stride + length]
        window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(length) / length)
        power = abs(np.fft.rfft(frame * window)) ** 2
        np.testing.assert_allclose(found[:, hop], np.log(power @ filters + 1e-5), atol=1e-3)


def test_a_tone_sounds_where_its_filter_is():
    filters = mel_filters(30, 129, 8000, 60, 4000)
    np.testing.assert_allclose(filters[10:100].sum(axis=1), 1, atol=1e-6)
    for frequency in (300, 1000, 2500):
        tone = np.sin(2 * np.pi * frequency * np.arange(1280) / 8000).reshape(1, -1, 128)
        found = ops.convert_to_numpy(LogMel(30)(tone.astype("float32")))[0, 5]
        assert np.argmax(found) == np.argmax(filters[round(frequency / 31.25)])


def test_no_constant_of_the_spectra_is_quantized():
    layer = LogMel(80, fft_length=1024, sequence_stride=256)
    first, _, last = layer._factors
    real = ops.matmul
    for matrix in (first, last, layer._filters):
        rows = np.random.default_rng(0).normal(size=(3, len(matrix))).astype("float32")
        shapes = []

        def product(x, y, shapes=shapes):
            shapes.append(y.shape)
            return real(x, y)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(ops, "matmul", product)
            found = ops.convert_to_numpy(_product(ops.convert_to_tensor(rows), matrix))
        np.testing.assert_allclose(found, rows @ matrix, atol=1e-4)
        assert max(int(np.prod(shape)) for shape in shapes) < 1024


def test_hop_by_hop_and_in_half_precision():
    sound = np.random.default_rng(0).normal(scale=0.1, size=(1, 9, 128)).astype("float32")
    whole = ops.convert_to_numpy(LogMel()(sound))
    assert LogMel().memory == 1
    for hop in range(1, 9):
        part = ops.convert_to_numpy(LogMel()(sound[:, hop - 1 : hop + 1]))[:, 1]
        np.testing.assert_allclose(part, whole[:, hop], atol=1e-5)
    mixed = LogMel(dtype="mixed_float16")(sound)
    assert keras.backend.standardize_dtype(mixed.dtype) == "float16"
    np.testing.assert_allclose(ops.convert_to_numpy(mixed), whole, atol=5e-3)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"fft_length": 100}, "`fft_length` must be a power of two"),
        ({"sequence_stride": 100}, "`sequence_stride` must be a divisor of fft_length=256"),
        ({"max_freq": 5000}, "`min_freq` and `max_freq` must be increasing"),
    ],
)
def test_wrong_arguments_of_spectra_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        LogMel(**arguments)
    with pytest.raises(ValueError, match=r"`inputs` must have shape \(batch, time, 128\)"):
        LogMel()(np.ones((1, 2, 64)))


def test_augmentation_hides_bands_and_spans_of_the_sizes_asked_for():
    layer = SpecAugment(1, 6, 1, 4, seed=3)
    found = ops.convert_to_numpy(layer(np.ones((300, 20, 30), "float32"), training=True))
    assert set(np.unique(found)) == {0.0, 1.0}
    bands = (found.max(axis=1) == 0).sum(axis=1)
    spans = (found.max(axis=2) == 0).sum(axis=1)
    assert set(bands) == set(range(7))
    assert set(spans) == set(range(5))
    # Everything else is as it was.
    np.testing.assert_array_equal(
        found.sum(axis=(1, 2)), (30 - bands) * (20 - spans).astype("float32")
    )
    starts = (found.max(axis=1) == 0).argmax(axis=1)[bands > 0]
    assert starts.min() == 0
    assert starts.max() >= 24
    with pytest.raises(ValueError, match="`time_masks` must be an integer of at least 0"):
        SpecAugment(time_masks=-1)


def test_frames_that_are_padding_say_the_blank_to_the_loss():
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(2, 9, 5)).astype("float32")
    lengths, ids = np.array([9, 6]), np.array([[1, 1, 4], [3, 2, 4]])
    mask = np.arange(9) < lengths[:, None]
    frames = FrameLogProbabilities()(ops.convert_to_tensor(logits), mask=mask)
    expected = [
        ops.convert_to_numpy(keras.losses.ctc(ids[row, None], logits[row, None, :length]))[0]
        for row, length in enumerate(lengths)
    ]
    found = ops.convert_to_numpy(keras.losses.ctc(ids, frames))
    np.testing.assert_allclose(found, expected, rtol=1e-4)
    alone = logits[0] - np.log(np.exp(logits[0]).sum(axis=-1, keepdims=True))
    np.testing.assert_allclose(ops.convert_to_numpy(frames)[0], alone, atol=1e-5)


def test_new_symbols_are_those_of_the_best_path():
    path = np.array([[2, 2, 0, 2, 1, 1], [0, 0, 3, 3, 0, 0]], "int32")
    found = ops.convert_to_numpy(NewSymbols()(path))
    assert found.tolist() == [[2, 0, 0, 2, 1, 0], [0, 0, 3, 0, 0, 0]]
