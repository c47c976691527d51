"""One `.tflite` file reads, steps, draws, searches and scores as the Keras language model does."""

import keras
import numpy as np
import pytest
from keras import ops

from kzoo import cli
from kzoo.decoding import beam_search, greedy, sample
from kzoo.export import (
    PRECISIONS,
    ExportError,
    LanguageModelWriter,
    LanguagePredictor,
    VerificationError,
    export_language_model,
    read_bundle,
    verify,
)
from kzoo.export.runtimes import CompiledModelRuntime, InterpreterRuntime
from kzoo.export.sampling_cases import SamplingReference
from kzoo.models import LanguageModelSteps, language_model, transformer_language_model
from kzoo.text import CharacterTokenizer

TEXTS = ["to be", "or not\nto be", "be"]
LENGTH, END, BANNED = 7, 3, (0, 1, 2)
TOKENIZER = CharacterTokenizer.train(TEXTS, 30)
SETTINGS = dict(start_id=END, max_length=LENGTH, beam_size=3, num_results=2, banned_ids=BANNED)
DRAWING = dict(temperature=0.7, top_k=6, top_p=0.9, repetition_penalty=1.4)
PROMPTS = np.array([[3, 4, 5, 6], [3, 7, 0, 0]], "int32")
SEED = np.array([5, 9], "int32")
MODELS = {
    "sru": (language_model, dict(cell="sru", embedding_dim=6, units=5)),
    "transformer": (
        transformer_language_model,
        dict(embedding_dim=8, num_heads=2, hidden_dim=12, num_layers=2, positions="rotary"),
    ),
}


def make(name):
    """A model with weights that make it write something."""
    factory, sizes = MODELS[name]
    model = factory(vocabulary_size=TOKENIZER.vocabulary_size, **sizes)
    random = np.random.default_rng(1)
    for weight in model.trainable_weights:
        weight.assign(random.normal(0, 0.6, weight.shape))
    return model


@pytest.fixture(scope="module", params=MODELS)
def run(request, tmp_path_factory):
    """A model, its file, and how it was verified; the Transformer ends its texts.

    The Transformer has files of the other precisions beside it.
    """
    model, folder = make(request.param), tmp_path_factory.mktemp("run")
    path = folder / "float32.tflite"
    options = {**SETTINGS, "end_id": None, "tokenizer": TOKENIZER, "inputs": PROMPTS}
    if request.param == "sru":
        return model, path, export_language_model(model, path, **options), None
    paths = {name: folder / f"{name}.tflite" for name in PRECISIONS}
    files = export_language_model(model, paths, **{**options, "end_id": END})
    assert [(file.path, file.precision) for file in files] == [(p, n) for n, p in paths.items()]
    assert "FLOAT16" in files[1].constant_bytes
    return model, path, files[0], END


def drawing_arrays():
    """Inputs of `sample` and `draw` by name."""
    return {n: np.array(x, "int32" if n == "top_k" else "float32") for n, x in DRAWING.items()}


def decoded(model, end_id, method):
    """What `kzoo.decoding` gives, by name."""
    steps = LanguageModelSteps(model)
    rules = dict(end_id=end_id, max_length=LENGTH, banned_ids=BANNED)
    arguments = steps.step, *steps.begin(PROMPTS, LENGTH)
    if method == "greedy":
        found = greedy(*arguments, **rules)
    elif method == "beam":
        found = beam_search(*arguments, **rules, num_beams=3, num_results=2)
    else:
        found = sample(*arguments, **rules, seed=SEED, **DRAWING)
    return {n: ops.convert_to_numpy(x) for n, x in found._asdict().items() if x is not None}


def test_was_verified(run):
    model, path, verification, _ = run
    assert verification.max_difference < 1e-5
    assert verification.runtimes == ("Interpreter", "CompiledModel")
    assert [case["prompt_ids"] for case in verification.cases] == [(1, 4), (2, 4)]
    assert verify(path, model).max_difference < 1e-5


@pytest.mark.parametrize("run", ["sru"], indirect=True)
def test_no_run_is_wrong(run):
    """LiteRT alone computes one in ten of these Interpreters' later runs wrong."""
    model, path, *_ = run
    prompt = PROMPTS[:1]
    expected = ops.convert_to_numpy(model(prompt))[:, -1]
    for _ in range(60):
        runtime = InterpreterRuntime(path, "prefill")
        for _ in range(3):
            logits = runtime.run({"prompt_ids": prompt})["logits"]
            np.testing.assert_allclose(logits, expected, atol=1e-4)


@pytest.mark.parametrize("run", ["sru"], indirect=True)
def test_another_model_is_found(run):
    model, path, *_ = run
    with pytest.raises(VerificationError, match=r"'prefill'.* differs"):
        verify(path, keras.models.clone_model(model))


@pytest.mark.parametrize("runtime", [InterpreterRuntime, CompiledModelRuntime])
@pytest.mark.parametrize("method", ["greedy", "beam", "sample"])
def test_writes_as_python_does(run, runtime, method):
    model, path, _, end_id = run
    expected = decoded(model, end_id, method)
    inputs = {"prompt_ids": PROMPTS}
    if method == "sample":
        inputs |= {"seed": SEED, **drawing_arrays()}
    outputs = runtime(path, method).run(inputs, {name: x.shape for name, x in expected.items()})
    for name, x in expected.items():
        np.testing.assert_allclose(outputs[name], x, rtol=1e-4, atol=1e-5, err_msg=name)


def test_a_client_steps_with_names_alone(run):
    model, path, _, end_id = run
    bundle = read_bundle(path)
    names = [spec["name"] for spec in bundle.manifest["signatures"]["prefill"]["outputs"]]
    assert names == ["logits", *bundle.manifest["language"]["state"]]
    prefill, step = (InterpreterRuntime(path, name) for name in ("prefill", "step"))
    state, written = prefill.run({"prompt_ids": PROMPTS[:1]}), []
    while len(written) < LENGTH and end_id not in written:
        logits = state.pop("logits")
        logits[:, list(BANNED)] = -np.inf
        written.append(int(logits.argmax()))
        outputs = step.run({"ids": np.array(written[-1:], "int32"), **state})
        state = {name.removeprefix("next_"): x for name, x in outputs.items()}
    ids = decoded(model, end_id, "greedy")["ids"][0]
    assert ids[: len(written)].tolist() == written
    for signature, golden in bundle.golden.items():
        specs = bundle.manifest["signatures"][signature]
        inputs = {
            s["name"]: np.array(golden["inputs"][s["name"]], s["dtype"]) for s in specs["inputs"]
        }
        outputs = InterpreterRuntime(path, signature).run(inputs)
        for name, x in golden["outputs"].items():
            np.testing.assert_allclose(outputs[name], np.array(x), rtol=1e-4, atol=1e-5)


def test_the_file_and_the_model_write_the_same_texts(run):
    model, path, _, end_id = run
    predictor = LanguagePredictor(path)
    writer = LanguageModelWriter(model, TOKENIZER, **{**SETTINGS, "end_id": end_id})
    prompts = ["to", "", "or not\n"]
    for method in ("greedy", "beam", "sample"):
        texts = predictor(prompts, method, seed=3, **DRAWING)
        assert texts == writer(prompts, method, seed=3, **DRAWING)
        assert [predictor([x], method, 3 + n, **DRAWING)[0] for n, x in enumerate(prompts)] == texts
    pieces = list(predictor.stream("to", seed=3, **DRAWING))
    assert "".join(pieces) == texts[0]
    assert list(writer.stream("to", seed=3, **DRAWING)) == pieces
    assert predictor(["to"], seed=3) != predictor(["to"], seed=4)
    assert predictor([]) == []


@pytest.mark.parametrize("run", ["sru"], indirect=True)
def test_a_penalty_makes_texts_repeat_less(run):
    predictor, different = LanguagePredictor(run[1]), []
    for penalty in (0.5, 1.0, 30.0):
        how = dict(seed=3, top_k=6, repetition_penalty=penalty)
        texts = predictor(["to", "", "or", "be"], **how)
        assert "".join(predictor.stream("to", **how)) == texts[0]
        assert [len(text) for text in texts] == [LENGTH] * 4
        different.append(sum(len(set(text)) for text in texts))
    assert different[0] < different[1] < different[2]


def test_scores_texts(run):
    model, path, *_ = run
    ids = np.array([[3, 4, 5, 6], [3, 7, 4, 0]], "int32")
    logits = ops.log_softmax(model(ids))
    expected = np.take_along_axis(ops.convert_to_numpy(logits)[:, :-1], ids[:, 1:, None], 2)[..., 0]
    expected[1, 2] = 0
    found = LanguagePredictor(path).score(ids)
    np.testing.assert_allclose(found[:, 1:], expected, rtol=1e-4, atol=1e-5)
    assert not found[:, 0].any()


def test_the_command_streams(run, capsys):
    _, path, *_ = run
    predictor = LanguagePredictor(path)
    options = ["--seed", "3", "--top-k", "4", "--repetition-penalty", "1.5"]
    cli.main(["generate", str(path), "or not\\nto", *options])
    how = dict(temperature=0.8, top_k=4, repetition_penalty=1.5)
    (text,) = predictor(["or not\nto"], seed=3, **how)
    assert capsys.readouterr().out == f"or not\nto{text}\n"
    cli.main(["generate", str(path), "to", "--method", "beam"])
    assert capsys.readouterr().out == f"to{predictor(['to'], 'beam')[0]}\n"


@pytest.mark.parametrize("run", ["transformer"], indirect=True)
def test_a_cache_has_room_for_the_text(run):
    predictor = LanguagePredictor(run[1])
    state = predictor.run("prefill", {"prompt_ids": PROMPTS})
    assert state["blocks_1_1"].shape == (2, 4 + LENGTH, 2, 4)
    # A row that is padded gives what it gives alone.
    alone = predictor.run("prefill", {"prompt_ids": PROMPTS[1:, :2]})
    np.testing.assert_allclose(state["logits"][1:], alone["logits"], atol=1e-5)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (dict(temperature=0), "temperature: expected a number above 0"),
        (dict(top_k=0), "top_k: expected an integer of at least 1"),
        (dict(top_k=2.5), "top_k: expected an integer of at least 1"),
        (dict(temperature=1e-60), "temperature: expected a number above 0"),
        (dict(temperature=float("inf")), "temperature: expected a number above 0"),
        (dict(temperature="hot"), "temperature: expected a number above 0"),
        (dict(seed=2**31), "seed: expected an integer of 32 bits"),
        (dict(top_p=1.5), r"top_p: expected a number in \(0, 1\]"),
        (dict(repetition_penalty=0), "repetition_penalty: expected a number above 0"),
        (dict(repetition_penalty=-1.3), "repetition_penalty: expected a number above 0"),
        (dict(method="best"), "method: expected one of"),
        (dict(prompts="to"), "prompts: expected a list of str"),
    ],
)
def test_bad_arguments_are_named(arguments, message):
    writer = LanguageModelWriter(make("sru"), TOKENIZER, **SETTINGS, end_id=END)
    with pytest.raises(ValueError, match=message):
        writer(**{"prompts": ["to"], **arguments})


def test_texts_need_a_tokenizer():
    with pytest.raises(ValueError, match="prompts: there is no tokenizer"):
        LanguageModelWriter(make("sru"), None, **SETTINGS, end_id=END)(["to"])


def test_what_cannot_be_exported_is_refused(tmp_path):
    plain = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)], name="plain")
    path = tmp_path / "m.tflite"
    with pytest.raises(ExportError, match=r"a layer 'decoder' .* got 'plain'"):
        export_language_model(plain, path, **SETTINGS)
    for options, message in [
        ({"precision": "int3"}, "precision: expected one of"),
        ({"end_id": 99}, "`end_id` must be below the vocabulary_size"),
        ({"tokenizer": "words"}, "tokenizer: expected an object with to_json"),
    ]:
        with pytest.raises(ValueError, match=message):
            export_language_model(make("sru"), path, **{**SETTINGS, **options})
    assert list(tmp_path.iterdir()) == []
    path.write_bytes(b"nothing")
    with pytest.raises(ExportError, match="is no language model"):
        LanguagePredictor(path)


@pytest.mark.parametrize("run", ["sru"], indirect=True)
def test_other_draws_are_found(run, monkeypatch):
    model, path, *_ = run
    original = SamplingReference.run

    def draw_others(self, name, *arrays):
        outputs = original(self, name, *arrays)
        if name == "sample":
            outputs["ids"] = np.where(outputs["ids"] == 4, 5, 4).astype("int32")
        return outputs

    monkeypatch.setattr(SamplingReference, "run", draw_others)
    with pytest.raises(VerificationError, match="'sample' draws other ids"):
        verify(path, model, PROMPTS)
