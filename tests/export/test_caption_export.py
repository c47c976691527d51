"""One `.tflite` file takes a picture and writes its caption, as the Keras model does."""

import numpy as np
import pytest
from PIL import Image

from kzoo import cli
from kzoo.data import load_digits, render_scenes
from kzoo.decoding import beam_search, greedy
from kzoo.export import CaptionPredictor, ExportError, export_seq2seq, read_bundle, verify
from kzoo.export.runtimes import CompiledModelRuntime, InterpreterRuntime
from kzoo.models import Seq2SeqSteps, captioner
from kzoo.text import WordTokenizer

START, END, BANNED, LENGTH = 2, 3, (0, 1, 2), 6
SCENES = render_scenes(load_digits(), "test", 9, seed=2)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A model, its tokenizer, a folder with its file, and what was verified."""
    folder = tmp_path_factory.mktemp("captions")
    tokenizer = WordTokenizer.train(SCENES.captions, 100)
    model = captioner(
        vocabulary_size=tokenizer.vocabulary_size, filters=(2, 4, 4), embedding_dim=6, units=5
    )
    random = np.random.default_rng(1)
    for weight in model.trainable_weights:
        weight.assign(random.normal(0, 0.8, weight.shape))
    verification = export_seq2seq(
        model,
        folder / "float32.tflite",
        start_id=START,
        end_id=END,
        max_length=LENGTH,
        beam_size=3,
        num_results=2,
        banned_ids=BANNED,
        alignments=True,
        target_tokenizer=tokenizer,
        inputs=SCENES.pictures,
    )
    return model, tokenizer, folder, verification


def searched(model, pictures, beam):
    """What `kzoo.decoding` finds."""
    steps = Seq2SeqSteps(model)
    state, mask = steps.begin(pictures)
    arguments = [state, [START] * len(pictures), END, LENGTH]
    if not beam:
        return greedy(steps.attend, *arguments, banned_ids=BANNED, source_mask=mask)
    options = {"num_beams": 3, "num_results": 2, "source_mask": mask}
    return beam_search(steps.attend, *arguments, banned_ids=BANNED, **options)


def test_was_verified_on_real_pictures(run):
    verification = run[3]
    shapes = [(1, 64, 64, 1), (8, 64, 64, 1), (1, 64, 64, 1)]
    assert [case["pictures"] for case in verification.cases] == shapes
    assert verification.runtimes == ("Interpreter", "CompiledModel")
    assert verification.max_difference < 1e-4


@pytest.mark.parametrize("runtime", [InterpreterRuntime, CompiledModelRuntime])
@pytest.mark.parametrize("signature", ["greedy", "beam"])
def test_searches_as_python_does(run, runtime, signature):
    model, _, folder, _ = run
    decoded = searched(model, SCENES.pictures, signature == "beam")
    expected = {n: np.asarray(x) for n, x in decoded._asdict().items() if x is not None}
    outputs = runtime(folder / "float32.tflite", signature).run(
        {"pictures": SCENES.pictures}, {name: x.shape for name, x in expected.items()}
    )
    assert set(outputs) == set(expected)
    assert len(np.unique(expected["ids"].reshape(-1, LENGTH), axis=0)) > 1
    for name, x in expected.items():
        np.testing.assert_allclose(outputs[name], x, rtol=1e-4, atol=1e-5, err_msg=name)


def test_describes_pictures_with_the_file_alone(run):
    model, tokenizer, folder, _ = run
    predictor = CaptionPredictor(folder / "float32.tflite")
    assert predictor.picture_shape == (64, 64, 1)
    for beam in (False, True):
        ids = np.asarray(searched(model, SCENES.pictures, beam).ids)
        ids = ids[:, 0] if beam else ids
        assert predictor(SCENES.pictures, beam) == [tokenizer.detokenize(row) for row in ids]
    assert predictor(SCENES.pictures[..., 0]) == predictor(SCENES.pictures)
    assert predictor.best(SCENES.pictures[:1])[0][0][0] == predictor(SCENES.pictures[:1])[0]
    for beam, best in ((False, 0), (True, (0, 0))):
        words, grids = predictor.align(SCENES.pictures[0], beam)
        assert grids.shape == (len(words), 8, 8)
        expected = np.asarray(searched(model, SCENES.pictures[:1], beam).alignments)[best]
        np.testing.assert_allclose(grids.reshape(len(words), 64), expected[: len(words)], atol=1e-5)


def test_the_manifest_and_verify_know_pictures(run):
    model, _, folder, _ = run
    path = folder / "float32.tflite"
    (source,) = read_bundle(path).manifest["signatures"]["encode"]["inputs"]
    assert source == {"name": "pictures", "shape": [None, 64, 64, 1], "dtype": "uint8"}
    assert verify(path, model, SCENES.pictures[:1]).max_difference < 1e-4


def test_the_command_scales_pictures(run, tmp_path, capsys):
    path = run[2] / "float32.tflite"
    small, large = tmp_path / "small.png", tmp_path / "large.png"
    picture = Image.fromarray(SCENES.pictures[0, ..., 0])
    picture.save(small)
    picture.resize((128, 128), Image.Resampling.NEAREST).convert("RGB").save(large)
    cli.main(["caption", str(path), str(small), "--greedy"])
    (expected,) = CaptionPredictor(path)(SCENES.pictures[:1], beam=False)
    assert capsys.readouterr().out == expected + "\n"
    cli.main(["caption", str(path), str(small), str(large)])
    assert len(capsys.readouterr().out.splitlines()) == 2
    with pytest.raises(SystemExit, match="No such file"):
        cli.main(["caption", str(path), str(tmp_path / "missing.png")])


def test_what_is_wrong_is_named(run, tmp_path):
    predictor = CaptionPredictor(run[2] / "float32.tflite")
    with pytest.raises(ValueError, match=r"expected uint8 .* before \(64, 64, 1\), got float32"):
        predictor(SCENES.pictures.astype("float32"))
    with pytest.raises(ValueError, match=r"got uint8 of shape \(9, 64, 63, 1\)"):
        predictor(SCENES.pictures[:, :, :63])
    with pytest.raises(ExportError, match="is no encoder-decoder"):
        CaptionPredictor(__file__)
