"""Recognizers leave as files, with spectra and decoding inside; streams hear chunk by chunk."""

import numpy as np
import pytest

import kzoo
from kzoo.export import (
    PRECISIONS,
    Export,
    ExportError,
    RecognitionPredictor,
    StreamingPredictor,
    export_many,
    export_streaming,
)
from kzoo.models import ctc_decoder, ctc_stream
from kzoo.training import pad_strings

RNG = np.random.default_rng(0)
PICTURES = [RNG.uniform(size=(12, width)).astype("float32") for width in (61, 40, 33)]
SOUNDS = [RNG.normal(scale=0.1, size=n).astype("float32") for n in (128 * 40, 3000, 128 * 21)]
SIZES = {"num_classes": 4, "filters": (4, 4), "units": 6}
DETAILS = {"symbols": ["a", "b", "c"], "separator": "-"}
# What is decoded, in which precisions: greedily and by beams, pictures and sound.
FILES = {
    "pictures": ("ctc_ocr_lstm", None, PRECISIONS),
    "samples": ("ctc_speech_gru", 3, ("float32",)),
}


def make(name):
    """A model with random weights that is sure of what it says."""
    options = {} if "speech" in name else {"height": 12}
    model = kzoo.create_model(name, **SIZES, **options)
    rng = np.random.default_rng(5)
    for weight in model.trainable_weights:
        weight.assign(rng.normal(scale=0.5, size=weight.shape))
    logits = model.get_layer("logits")
    logits.kernel.assign(4 * logits.kernel)
    return model


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """The export and the verification of every file, by kind and precision."""
    folder, exports = tmp_path_factory.mktemp("recognizers"), {}
    for kind, (name, beams, precisions) in FILES.items():
        inputs = pad_strings(SOUNDS, 128) if kind == "samples" else pad_strings(PICTURES)
        decoder = ctc_decoder(make(name), beams, max_length=6)
        for precision in precisions:
            path = folder / f"{kind}_{precision}.tflite"
            options = dict(inputs=inputs, details=DETAILS, lengths=(3, 70))
            exports[kind, precision] = Export(decoder, path, precision, **options)
    verified = export_many(list(exports.values()))
    return dict(zip(exports, zip(exports.values(), verified, strict=True), strict=True))


def cases():
    return [(kind, p) for kind, (_, _, precisions) in FILES.items() for p in precisions]


@pytest.mark.parametrize(("kind", "precision"), cases())
def test_runs_in_both_runtimes(files, kind, precision):
    _, verification = files[kind, precision]
    assert verification.runtimes == ("Interpreter", "CompiledModel")
    assert not [operator for operator in verification.operators if "FLEX" in operator.upper()]
    assert verification.max_difference <= verification.tolerance


@pytest.mark.parametrize("kind", ["pictures", "samples"])
def test_the_file_alone_recognizes_strings(files, kind):
    export, verification = files[kind, "float32"]
    predictor = RecognitionPredictor(verification.path)
    parts = PICTURES if kind == "pictures" else SOUNDS
    assert (predictor.height, predictor.hop) == ((12, None) if kind == "pictures" else (None, 128))
    found = predictor(parts)
    outputs = export.model(pad_strings(parts, predictor.hop))
    ids, certainties = (np.array(outputs[name]) for name in ("ids", "certainties"))
    assert [string for string, _ in found] == [
        "-".join("abc"[i - 1] for i in row if i) for row in ids
    ]
    assert any(len(string) > 2 for string, _ in found)
    np.testing.assert_allclose([c for _, c in found], certainties, atol=1e-4)
    with pytest.raises(ValueError, match="parts: expected arrays of shape"):
        predictor([np.zeros((3, 3, 3))])
    with pytest.raises(ValueError, match="expected finite numbers"):
        predictor([np.full(parts[0].shape, np.nan)])


def test_a_stream_hears_what_the_whole_does(tmp_path):
    model = ctc_stream(make("ctc_speech_gru_stream"))
    inputs = pad_strings(SOUNDS, 128)["samples"]
    labels = ["-", "a", "b", "c"]
    path = tmp_path / "stream.tflite"
    verification = export_streaming(model, path, 4, inputs=inputs, labels=labels, lengths=(4, 20))
    assert verification.runtimes == ("Interpreter", "CompiledModel")
    predictor = StreamingPredictor(path)
    chunks = [predictor(inputs[:, start : start + 4]) for start in range(0, 40, 4)]
    for name, whole in model(inputs).items():
        found = np.concatenate([chunk[name] for chunk in chunks], axis=1)
        np.testing.assert_allclose(found, np.array(whole), atol=1e-5)
    assert len(np.unique(found)) > 1
    with pytest.raises(ExportError, match="is no recognizer"):
        RecognitionPredictor(path)
