"""Readers of spoken digits: formats, who is in which part, and what is wrong with a file."""

import gzip
import io
import lzma
import tarfile
import wave

import numpy as np
import pytest

from kzoo.data import load_speech, read_wave

SPEAKERS = ("george", "jackson", "lucas", "nicolas")


def sound(samples=(100, -200), rate=8000, channels=1, width=2):
    """The bytes of a wave file."""
    file = io.BytesIO()
    with wave.open(file, "wb") as written:
        written.setframerate(rate)
        written.setnchannels(channels)
        written.setsampwidth(width)
        written.writeframes(np.array(samples, f"<i{width}").tobytes())
    return file.getvalue()


def write_archive(folder, files):
    (folder / "fsdd").mkdir(exist_ok=True)
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:xz") as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(f"recordings/{name}")
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    (folder / "fsdd" / "recordings.tar.xz").write_bytes(packed.getvalue())
    return folder


def all_files():
    return {
        f"{digit}_{speaker}_{number}.wav": sound([digit, number])
        for digit in range(10)
        for speaker in SPEAKERS
        for number in (0, 4, 5, 9, 10, 12)
    }


def test_the_official_test_is_the_first_five_recordings(tmp_path):
    data = load_speech("fsdd", write_archive(tmp_path, all_files()))
    numbers = [round(float(samples[1] * 2**15)) for samples in data.samples]
    assert {numbers[row] for row in data.parts["test"]} == {0, 4}
    assert {numbers[row] for row in data.parts["validation"]} == {5, 9}
    assert {numbers[row] for row in data.parts["train"]} == {10, 12}
    digits = [round(float(samples[0] * 2**15)) for samples in data.samples]
    assert data.labels.tolist() == digits


@pytest.mark.parametrize("speaker", ["george", "lucas", "nicolas"])
def test_who_is_held_out_is_in_no_other_part(speaker, tmp_path):
    data = load_speech(f"fsdd_{speaker}", write_archive(tmp_path, all_files()))
    assert {data.speakers[row] for row in data.parts["test"]} == {speaker}
    assert len(data.parts["test"]) == 60
    for part in ("train", "validation"):
        assert {data.speakers[row] for row in data.parts[part]} == {*SPEAKERS} - {speaker}
    rows = np.concatenate(list(data.parts.values()))
    assert sorted(rows) == list(range(240))


def test_the_embedded_set_is_whole():
    data = load_speech()
    assert len(data.samples) == 60
    who = {part: {data.speakers[row] for row in rows} for part, rows in data.parts.items()}
    assert who["validation"] == {"theo"}
    assert who["test"] == {"yweweler"}
    for rows in data.parts.values():
        assert set(data.labels[rows]) == set(range(10))


def test_channels_are_averaged(tmp_path):
    (tmp_path / "a.wav").write_bytes(sound([100, 300, -100, 100], channels=2))
    np.testing.assert_allclose(read_wave(tmp_path / "a.wav"), np.array([200, 0]) / 2**15)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (sound(rate=16000), r"a\.wav: expected 8000 samples a second of 16 bits, got 16000 of 16"),
        (sound(width=4), r"a\.wav: expected 8000 samples a second of 16 bits, got 8000 of 32"),
        (sound([]), r"a\.wav: cut short"),
        (sound()[:-2], r"a\.wav: cut short: 2 bytes of 2 samples"),
        (b"RIFFxxxx", r"a\.wav: expected a wave file"),
    ],
)
def test_a_broken_recording_is_named(data, message, tmp_path):
    (tmp_path / "a.wav").write_bytes(data)
    with pytest.raises(ValueError, match=message):
        read_wave(tmp_path / "a.wav")
    write_archive(tmp_path, {**all_files(), "0_george_0.wav": data})
    with pytest.raises(ValueError, match=message.replace("a", r"recordings/0_george_0", 1)):
        load_speech("fsdd", tmp_path)


def test_what_is_wrong_with_the_archive_is_named(tmp_path):
    with pytest.raises(ValueError, match="name: expected one of fsdd, fsdd_george"):
        load_speech("timit")
    with pytest.raises(ValueError, match="fsdd_lucas does not come with kzoo"):
        load_speech("fsdd_lucas")
    write_archive(tmp_path, {**all_files(), "ten_george_1.wav": sound()})
    with pytest.raises(ValueError, match=r"ten_george_1\.wav: expected a name like 7_jackson_12"):
        load_speech("fsdd", tmp_path)
    write_archive(tmp_path, {"0_george_12.wav": sound()})
    with pytest.raises(ValueError, match="expected recordings for validation, got none"):
        load_speech("fsdd", tmp_path)
    path = tmp_path / "fsdd" / "recordings.tar.xz"
    write_archive(tmp_path, all_files())
    packed = bytearray(gzip.compress(lzma.decompress(path.read_bytes())))
    packed[len(packed) // 2] ^= 255
    (path.parent / "recordings.tar.gz").write_bytes(packed)
    with pytest.raises(ValueError, match=r"recordings\.tar\.gz: damaged or cut short"):
        load_speech("fsdd", tmp_path)
    (path.parent / "recordings.tar.gz").unlink()
    path.write_bytes(lzma.compress(b"no tar" * 100)[:-20])
    with pytest.raises(ValueError, match=r"recordings\.tar\.xz: damaged or cut short"):
        load_speech("fsdd", tmp_path)
