"""The recipe of captions on a few scenes: it stops, goes on, reports and exports."""

import json

import numpy as np
import pytest

import kzoo
from kzoo.export import CaptionPredictor
from kzoo.recipes import captioning
from kzoo.recipes.parts import captioning_parts, command_line
from kzoo.recipes.parts.pictures import read_picture
from kzoo.text import WordTokenizer
from tests.recipes.stopped import check_resumed, stop_and_resume

SIZES = [*("--units", "8", "--embedding-dim", "8", "--epochs", "2"), *("--language", "ko")]
SIZES += ["--scenes", "96", "--held-out", "10", "--num-beams", "2"]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run that stopped in its second epoch, and was then run again to its end."""
    out = tmp_path_factory.mktemp("runs") / "stopped"
    return out, *stop_and_resume(captioning, out, SIZES)


def test_goes_on_where_it_stopped(run):
    out, before, after = run
    check_resumed(before, after, epochs=2)
    assert "val_exact_match" in after[0]
    assert sorted(path.name for path in out.iterdir()) == [
        *("attention.png", "checkpoint", "dynamic.tflite", "float16.tflite", "float32.tflite"),
        *("floor.json", "knobs.json", "learning_curve.png", "model.keras", "report.md"),
        *("scene_0.png", "scene_1.png", "scene_2.png", "scenes.png", "scores.json"),
        "tokenizer.json",
    ]
    report = (out / "report.md").read_text()
    for part in ("most frequent caption", "nearest", "에 있다", "sacreBLEU", "CC BY-SA 3.0"):
        assert part in report


def test_files_score_what_the_model_scores(run):
    rows = {row["model"]: row for row in json.loads((run[0] / "scores.json").read_text())}
    names = "exact match", "BLEU", "attention on the digit"
    for way in ("greedy", "beam 2"):
        model, file = rows[f"Keras, {way}"], rows[f"float32.tflite, {way}"]
        assert [model.get(name) for name in names] == [file.get(name) for name in names]
    assert {f"{precision}.tflite, greedy" for precision in ("float16", "dynamic")} < set(rows)


def test_a_scene_is_described_from_its_picture(run):
    out, *_ = run
    predictor = CaptionPredictor(out / "float32.tflite")
    picture = read_picture(out / "scene_1.png", predictor.picture_shape)
    digits = kzoo.data.load_digits()
    scenes = kzoo.data.render_scenes(digits, "test", 10, "ko", seed=[1, 2, 0])
    np.testing.assert_array_equal(picture, scenes.pictures[1])


def test_peaks_of_attention_count_where_they_are_on_the_named_digit():
    tokenizer = WordTokenizer.train(["one above two", "one left of two and below six"], 30)
    boxes = np.full((2, 3, 2), -1)
    boxes[0, :2] = [(0, 0), (30, 2)]
    boxes[1] = [(40, 40), (40, 10), (10, 42)]
    scenes = kzoo.data.Scenes(np.zeros((2, 64, 64, 1), "uint8"), ["", ""], boxes)
    ids = np.zeros((2, 8), "int32")
    grids = np.zeros((2, 8, 8, 8), "float32")
    for row, (caption, places) in enumerate(
        [
            # The first peak is beside the digit; the second one is on its last pixels.
            ("one above two", [(2, 2), None, (6, 1)]),
            # The third digit is not named.
            ("one left of two", [(6, 6), None, None, (5, 2)]),
        ]
    ):
        words = tokenizer.tokenize(caption)
        ids[row, : len(words)] = words
        for step, place in enumerate(places):
            if place:
                grids[row, step, *place] = 1
    share = captioning_parts.share_of_peaks(ids, grids, tokenizer, scenes, "en")
    # The middles: (20, 20) is out of 0 to 19; (52, 12) is out of 30 to 49; two of three are in.
    assert share == pytest.approx(100 * 2 / 5)


def test_settings_fit_the_knobs():
    for name, settings in captioning.SETTINGS.items():
        assert name in kzoo.data.list_digits()
        captioning.Knobs(**settings)


def test_a_missing_folder_is_one_line(tmp_path):
    arguments = ["--dataset", "mnist_t10k", "--out", str(tmp_path / "out")]
    with pytest.raises(SystemExit, match="mnist_t10k does not come with kzoo"):
        command_line.run(captioning, arguments)
