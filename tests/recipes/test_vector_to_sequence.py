"""The recipe of sequences for classes on short runs: words, and melodies as MIDI files."""

import json

import mido
import pytest

import kzoo
from kzoo.export import SequencePredictor
from kzoo.recipes import vector_to_sequence
from kzoo.recipes.parts import command_line, midi
from tests.data.test_sequences import write_chorales
from tests.recipes.stopped import check_resumed, stop_and_resume

SIZES = ["--units", "8", "--embedding-dim", "8", "--epochs", "2", "--length", "6"]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run on two chorales that stopped in its second epoch, and was then run to its end."""
    folder = tmp_path_factory.mktemp("data")
    pieces = [
        [[60, 64, 67, 72], [59, 62, 67, 74], [60, 64, 67, 76]],
        [[57, 60, 64, 69], [56, 59, 64, 71], [57, 60, 64, 72]],
    ]
    write_chorales(folder, {"train": pieces * 4, "valid": pieces, "test": pieces})
    out = tmp_path_factory.mktemp("runs") / "stopped"
    arguments = ["--dataset", "jsb_chorales", "--data", str(folder), *SIZES]
    return out, *stop_and_resume(vector_to_sequence, out, arguments)


def test_goes_on_where_it_stopped(run):
    out, before, after = run
    check_resumed(before, after, epochs=2)
    assert sorted(path.name for path in out.iterdir()) == [
        *("checkpoint", "dynamic.tflite", "float16.tflite", "float32.tflite", "floor.json"),
        *("knobs.json", "learning_curve.png", "major_0.mid", "major_1.mid", "minor_0.mid"),
        *("minor_1.mid", "model.keras", "report.md", "scores.json", "tokenizer.json"),
    ]
    report = (out / "report.md").read_text()
    for part in ("n-grams of each class", "minor", "public domain", "NLL of a step"):
        assert part in report


def test_files_judge_as_the_model_does(run):
    rows = {row["model"]: row for row in json.loads((run[0] / "scores.json").read_text())}
    for name in ("loss of a token", "NLL of a step"):
        keras, file = (float(rows[model][name]) for model in ("Keras", "float32.tflite"))
        assert file == pytest.approx(keras, abs=2e-4)
    # Four tokens, the end with them, for each three steps.
    loss, step = (float(rows["Keras"][name]) for name in ("loss of a token", "NLL of a step"))
    assert step == pytest.approx(4 / 3 * loss, abs=2e-4)


def test_a_sample_is_music(run):
    out, *_ = run
    text = SequencePredictor(out / "dynamic.tflite")(["major"], seed=1, temperature=0.8)[0]
    track = mido.MidiFile(out / "major_0.mid").tracks[0]
    notes = [message.note for message in track if message.type == "note_on"]
    assert notes == [note for step in midi.steps(text) for note in step]


def test_chords_and_rests_take_a_quarter_each(tmp_path):
    midi.write("60 64 | | 62 |", tmp_path / "a.mid")
    file = mido.MidiFile(tmp_path / "a.mid")
    times, now = {}, 0
    for message in file.tracks[0]:
        now += message.time
        if message.type == "note_on":
            times[message.note] = now / file.ticks_per_beat
    assert times == {60: 0, 64: 0, 62: 2}
    assert now / file.ticks_per_beat == 3


def test_settings_fit_the_knobs():
    for name, settings in vector_to_sequence.SETTINGS.items():
        assert name in ["jsb_chorales", *kzoo.data.list_tagging()]
        vector_to_sequence.Knobs(**settings)


def test_a_missing_folder_is_one_line(tmp_path):
    arguments = ["--dataset", "jsb_chorales", "--out", str(tmp_path / "out")]
    with pytest.raises(SystemExit, match="jsb_chorales does not come with kzoo"):
        command_line.run(vector_to_sequence, arguments)
