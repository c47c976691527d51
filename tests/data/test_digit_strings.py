"""Strings of digits: reproducible, of the digits that they say, and of one part alone."""

import numpy as np
import pytest

from kzoo.data import DigitLines, SpokenStrings, load_digits, load_speech

MAKERS = {"lines": (DigitLines, load_digits()), "speech": (SpokenStrings, load_speech())}


@pytest.mark.parametrize("vary", [False, True])
@pytest.mark.parametrize("kind", MAKERS)
def test_a_string_depends_on_seed_row_and_epoch_alone(kind, vary):
    make, data = MAKERS[kind]
    options = dict(count=50, max_length=4, vary=vary)
    one, other = make(data, "train", seed=3, **options), make(data, "train", seed=3, **options)
    for row in (7, 0):
        for found, expected in zip(one.draw(row, 2), other.draw(row, 2), strict=True):
            np.testing.assert_array_equal(found, expected)
    again = make(data, "train", seed=4, **options).draw(7, 2)[0]
    for other in (again, one.draw(7, 1)[0], one.draw(8, 2)[0]):
        assert not np.array_equal(other, one.draw(7, 2)[0])


@pytest.mark.parametrize("kind", MAKERS)
def test_all_lengths_are_as_frequent(kind):
    make, data = MAKERS[kind]
    strings = make(data, "test", 4000)
    assert len(strings) == 4000
    counts = np.bincount(strings.lengths())
    assert counts[0] == 0
    assert (abs(counts[1:] - 500) < 100).all()
    for row in range(20):
        assert len(strings.draw(row)[1]) == strings.lengths()[row]


def test_strings_of_training_grow():
    lines = DigitLines(MAKERS["lines"][1], "train", 300, vary=True)
    assert [lines.lengths(epoch).max() for epoch in (0, 1, 5, 6, 9)] == [2, 3, 7, 8, 8]


def test_a_line_holds_the_ink_of_its_digits_and_no_others():
    data = MAKERS["lines"][1]
    lines = DigitLines(data, "validation", 30)
    used = []
    lines.compose = lambda rows, random: (
        used.append(rows) or DigitLines.compose(lines, rows, random)
    )
    for row in range(30):
        picture, digits = lines.draw(row)
        assert picture.dtype == "float32"
        assert picture.shape[0] == 32
        assert picture.max() <= 1
        assert not picture[:, :3].any()
        assert not picture[:, -3:].any()
        assert set(used[-1]) <= set(data.parts["validation"])
        np.testing.assert_array_equal(digits, data.labels[used[-1]])
        # Gray below the threshold, at the sides of a digit, is cut off.
        ink = data.images[used[-1]].sum() / 255
        assert 0.97 * ink < picture.sum() <= ink + 1e-3


def test_variation_moves_ink_and_keeps_most_of_it():
    plain, varied = (
        DigitLines(MAKERS["lines"][1], "train", 40, max_length=2, vary=vary) for vary in (0, 1)
    )
    shares = [varied.draw(row)[0].sum() / plain.draw(row)[0].sum() for row in range(40)]
    assert 0.5 < min(shares) < 0.95
    assert max(shares) < 2


def test_a_string_is_spoken_by_one_speaker():
    data = MAKERS["speech"][1]
    strings = SpokenStrings(data, "train", 40)
    speakers = set()
    for seed in range(40):
        rows = strings.pool(np.random.default_rng(seed))
        (speaker,) = {data.speakers[row] for row in rows}
        speakers.add(speaker)
    assert speakers == {"george", "jackson", "lucas", "nicolas"}


def test_speech_is_the_recordings_with_silence_around():
    data = MAKERS["speech"][1]
    strings = SpokenStrings(data, "test", 1)
    samples = strings.compose([data.parts["test"][3]], np.random.default_rng(0))
    recorded = data.samples[data.parts["test"][3]]
    assert 800 <= len(samples) - len(recorded) <= 4000
    start = int(np.argmax(np.correlate(samples, recorded)))
    np.testing.assert_allclose(samples[start : start + len(recorded)], recorded, atol=1e-3)
    assert 0 < abs(samples[:start]).max() < 1e-3


def test_played_faster_the_pitch_is_higher():
    tone = np.sin(2 * np.pi * 400 * np.arange(8000) / 8000)
    strings = SpokenStrings(MAKERS["speech"][1], "test", 1)
    strings.digits = type("Tone", (), {"samples": [tone]})
    strings.vary = True
    lengths, peaks = [], []
    for seed in range(8):
        samples = strings.compose([0], np.random.default_rng(seed))
        loud = np.flatnonzero(abs(samples) > 0.3 * abs(samples).max())
        lengths.append(loud[-1] - loud[0])
        spectrum = abs(np.fft.rfft(samples))
        peaks.append(np.argmax(spectrum) * 8000 / len(samples))
    order = np.argsort(lengths)
    assert lengths[order[0]] < 7500
    assert lengths[order[-1]] > 8500
    np.testing.assert_allclose(np.array(peaks) * lengths, 400 * 8000, rtol=0.05)


def test_an_unknown_part_is_named():
    with pytest.raises(ValueError, match="part: expected one of train, validation, test, got 'x'"):
        DigitLines(MAKERS["lines"][1], "x", 3)
