"""A SavedModel of a language model has the signatures, the state and the numbers of the file.

That of a recurrent one, whose texts have no end, is written and verified by the recipe's test.
"""

import numpy as np
import pytest
import tensorflow as tf

from kzoo.export import (
    LanguagePredictor,
    VerificationError,
    export_language_model,
    export_language_saved_model,
    language_saved_model,
    read_bundle,
)
from tests.export.test_language import (
    DRAWING,
    END,
    PROMPTS,
    SEED,
    SETTINGS,
    TOKENIZER,
    drawing_arrays,
    make,
)

TEXTS = ["to", "", "or not\n"]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A file and the folder beside it."""
    folder, model = tmp_path_factory.mktemp("run"), make("transformer")
    options = {**SETTINGS, "end_id": END, "tokenizer": TOKENIZER, "inputs": PROMPTS}
    export_language_model(model, folder / "model.tflite", **options)
    assert export_language_saved_model(model, folder / "saved", **options) < 1e-5
    return folder / "model.tflite", tf.saved_model.load(str(folder / "saved")).signatures


def arrays(tensors):
    """Arrays by name."""
    return {name: x.numpy() for name, x in tensors.items()}


def test_has_the_names_shapes_and_types_of_the_file(run):
    path, signatures = run
    manifest = read_bundle(path).manifest
    assert set(signatures) == {*manifest["signatures"], "greedy_text", "sample_text"}
    for name, sides in manifest["signatures"].items():
        _, inputs = signatures[name].structured_input_signature
        found = {n: (list(x.shape), x.dtype.name) for n, x in inputs.items()}
        assert found == {spec["name"]: (spec["shape"], spec["dtype"]) for spec in sides["inputs"]}
        found = {n: x.dtype.name for n, x in signatures[name].structured_outputs.items()}
        assert found == {spec["name"]: spec["dtype"] for spec in sides["outputs"]}


def test_every_signature_gives_what_the_file_gives(run):
    path, signatures = run
    predictor = LanguagePredictor(path)
    settings = drawing_arrays()
    cases = {
        "prefill": {"prompt_ids": PROMPTS},
        "greedy": {"prompt_ids": PROMPTS},
        "beam": {"prompt_ids": PROMPTS},
        "score": {"ids": PROMPTS},
        "sample": {"prompt_ids": PROMPTS, "seed": SEED, **settings},
    }
    # What the folder has read, the file goes on with, and the other way round.
    state = arrays(signatures["prefill"](prompt_ids=tf.constant(PROMPTS)))
    logits = state.pop("logits")
    cases["step"] = {"ids": np.array([4, 5], "int32"), **state}
    remembered = {"generator": np.zeros((2, 3), "int32"), "chosen": np.zeros_like(logits)}
    remembered["chosen"][:, 4:8] = 1
    cases["draw"] = {"logits": logits, "seed": SEED, **remembered, **settings}
    assert set(cases) == set(read_bundle(path).manifest["signatures"])
    for name, inputs in cases.items():
        found = arrays(signatures[name](**{n: tf.constant(x) for n, x in inputs.items()}))
        expected = predictor.run(name, inputs)
        assert set(found) == set(expected)
        for output, x in expected.items():
            where = f"{name}, {output}"
            np.testing.assert_allclose(found[output], x, rtol=1e-4, atol=1e-5, err_msg=where)


def test_texts_are_those_of_the_file(run):
    path, signatures = run
    predictor, text = LanguagePredictor(path), tf.constant(TEXTS)
    greedy = signatures["greedy_text"](text=text)
    assert [x.decode() for x in greedy["text"].numpy()] == predictor(TEXTS, "greedy")
    assert greedy["scores"].shape == (3,)
    seed = tf.range(7, 10)
    drawing = {name: tf.constant(x) for name, x in DRAWING.items()}
    sample = signatures["sample_text"](text=text, seed=seed, **drawing)
    assert [x.decode() for x in sample["text"].numpy()] == predictor(TEXTS, seed=7, **DRAWING)


def test_other_texts_are_found(tmp_path, monkeypatch):
    def join(tokenizer, ids):
        return tf.fill([tf.shape(ids)[0]], "to be")

    monkeypatch.setattr(language_saved_model, "detokenize_lines_graph", join)
    path = tmp_path / "saved"
    options = {**SETTINGS, "tokenizer": TOKENIZER, "inputs": PROMPTS[:1]}
    with pytest.raises(VerificationError, match="'greedy_text' writes other texts"):
        export_language_saved_model(make("sru"), path, **options)
    assert not path.exists()
