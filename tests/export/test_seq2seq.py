"""One `.tflite` file encodes, steps and searches as the Keras encoder-decoder does."""

import io
import json

import keras
import numpy as np
import pytest

from kzoo import cli
from kzoo.decoding import beam_search, gnmt_length_penalty, greedy
from kzoo.export import (
    Seq2SeqPredictor,
    VerificationError,
    export_seq2seq,
    read_bundle,
    runtimes,
    verify,
)
from kzoo.export.runtimes import CompiledModelRuntime, InterpreterRuntime
from kzoo.export.seq2seq_programs import Programs
from kzoo.models import Seq2SeqSteps, seq2seq, transformer_seq2seq
from kzoo.text import WordTokenizer
from tests.weights import randomize

START, END, BANNED = 2, 3, (0, 1, 2)
SOURCES = ["ein guter Film", "ein Film", "guter guter Film ein", "Film"]
TARGETS = ["a good film", "a film", "good good film a", "film"]
LENGTH = 12


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A model, its tokenizers, and a folder with all that a recipe leaves, and a `.tflite` file."""
    folder = tmp_path_factory.mktemp("run")
    tokenizers = [WordTokenizer.train(texts, 20) for texts in (SOURCES, TARGETS)]
    source, target = tokenizers
    model = randomize(
        seq2seq(
            source_vocabulary_size=source.vocabulary_size,
            target_vocabulary_size=target.vocabulary_size,
            embedding_dim=6,
            units=5,
        )
    )
    model.save(folder / "model.keras")
    source.save(folder / "source_tokenizer.json")
    target.save(folder / "target_tokenizer.json")
    knobs = {"max_length": str(LENGTH), "length_penalty": "0.6", "num_beams": "3"}
    (folder / "knobs.json").write_text(json.dumps(knobs))
    verification = export_seq2seq(
        model,
        folder / "model.tflite",
        start_id=START,
        end_id=END,
        max_length=LENGTH,
        beam_size=3,
        num_results=2,
        length_penalty=0.6,
        banned_ids=BANNED,
        alignments=True,
        source_tokenizer=source,
        target_tokenizer=target,
        max_source_length=6,
        inputs=source(SOURCES),
    )
    return model, tokenizers, folder, verification


def searched(model, source_ids, beam):
    """What `kzoo.decoding` finds."""
    steps = Seq2SeqSteps(model)
    state, mask = steps.begin(source_ids)
    arguments = [state, [START] * len(source_ids), END, LENGTH]
    if not beam:
        return greedy(steps.attend, *arguments, banned_ids=BANNED, source_mask=mask)
    options = {"num_beams": 3, "num_results": 2, "length_penalty": gnmt_length_penalty(0.6)}
    return beam_search(steps.attend, *arguments, banned_ids=BANNED, source_mask=mask, **options)


def test_was_verified_on_the_real_inputs(run):
    verification = run[3]
    assert [case["source_ids"] for case in verification.cases] == [(1, 3), (4, 4)]
    assert verification.runtimes == ("Interpreter", "CompiledModel")
    assert verification.max_difference < 1e-5
    assert verification.lowering == {"recurrent_0": "loop", "backward_recurrent_0": "loop"}


@pytest.mark.parametrize("runtime", [InterpreterRuntime, CompiledModelRuntime])
@pytest.mark.parametrize("signature", ["greedy", "beam"])
def test_searches_as_python_does(run, runtime, signature):
    model, _, folder, _ = run
    source_ids = np.array([[4, 5, 6, 4, 4, 5, 6], [6, 4, 0, 0, 0, 0, 0]], "int32")
    decoded = searched(model, source_ids, signature == "beam")
    expected = {n: np.asarray(x) for n, x in decoded._asdict().items() if x is not None}
    outputs = runtime(folder / "model.tflite", signature).run(
        {"source_ids": source_ids}, {name: x.shape for name, x in expected.items()}
    )
    assert set(outputs) == set(expected) == {"ids", "lengths", "scores", "alignments"}
    for name, x in expected.items():
        np.testing.assert_allclose(outputs[name], x, rtol=1e-4, atol=1e-5, err_msg=name)


def test_an_interpreter_runs_its_largest_shape_first(run, monkeypatch):
    """Otherwise LiteRT gives wrong numbers in about one of a hundred runs on longer inputs."""
    started, ran = [], []

    class Spy(runtimes.Interpreter):
        def get_signature_runner(self, signature):
            started.append(len(ran))
            runner = super().get_signature_runner(signature)

            def record(source_ids):
                ran.append(source_ids.shape)
                return runner(source_ids=source_ids)

            record.get_input_details = runner.get_input_details
            return record

    monkeypatch.setattr(runtimes, "Interpreter", Spy)
    runtime = InterpreterRuntime(run[2] / "model.tflite", "beam")
    shapes = [(1, 5), (1, 3), (1, 9), (4, 2), (2, 9), (4, 9)]
    found = [runtime.run({"source_ids": np.full(shape, 5, "int32")}) for shape in shapes]
    # Each new one begins with one row more, and with room for all that came before.
    assert [ran[index] for index in started] == [(2, 5), (2, 9), (5, 9)]
    assert ran[:5] == [(2, 5), (1, 5), (1, 3), (2, 9), (1, 9)]
    assert ran[5:] == [(5, 9), (4, 2), (2, 9), (4, 9)]
    for one, other in zip(found[4].values(), found[5].values(), strict=True):
        np.testing.assert_array_equal(one, other[:2])


def test_a_loop_over_step_needs_the_manifest_alone(run):
    path = run[2] / "model.tflite"
    search = read_bundle(path).manifest["seq2seq"]
    assert search["memory"] == ["memory_0", "memory_1", "memory_2"]
    assert search["state"] == ["states_0_0", "states_0_1"]
    encode, step, greedy = (InterpreterRuntime(path, n) for n in ("encode", "step", "greedy"))
    source_ids = np.array([[4, 5, 6]], "int32")
    state, ids = encode.run({"source_ids": source_ids}), [search["start_id"]]
    while len(ids) <= search["max_length"] and search["end_id"] not in ids:
        outputs = step.run({"ids": np.array(ids[-1:], "int32"), **state})
        assert set(outputs) == {"logits", "next_states_0_0", "next_states_0_1"}
        outputs["logits"][:, search["banned_ids"]] = -np.inf
        ids.append(int(outputs["logits"][0].argmax()))
        state |= {name: outputs[f"next_{name}"] for name in search["state"]}
    found = greedy.run({"source_ids": source_ids})
    assert found["ids"][0, : found["lengths"][0]].tolist() == ids[1:]


def test_any_client_can_replay_the_golden_batches(run):
    path = run[2] / "model.tflite"
    bundle = read_bundle(path)
    assert set(bundle.golden) == {"encode", "step", "greedy", "beam"}
    for signature, golden in bundle.golden.items():
        specs = bundle.manifest["signatures"][signature]
        inputs = {
            s["name"]: np.array(golden["inputs"][s["name"]], s["dtype"]) for s in specs["inputs"]
        }
        outputs = InterpreterRuntime(path, signature).run(inputs)
        for spec in specs["outputs"]:
            expected = np.array(golden["outputs"][spec["name"]], spec["dtype"])
            assert [w in (None, n) for w, n in zip(spec["shape"], expected.shape, strict=True)]
            np.testing.assert_allclose(outputs[spec["name"]], expected, rtol=1e-4, atol=1e-5)


def test_verify_finds_another_model(run):
    model, (source, _), folder, _ = run
    assert verify(folder / "model.tflite", model, source(SOURCES)).max_difference < 1e-5
    other = randomize(keras.models.clone_model(model))
    bias = other.get_layer("decoder").bias
    bias.assign(np.arange(bias.shape[0]))
    with pytest.raises(VerificationError, match=r"'step'.*'logits' differs"):
        verify(folder / "model.tflite", other, source(SOURCES))


def test_writes_texts_as_the_model_does(run):
    model, (source, target), folder, _ = run
    predictor = Seq2SeqPredictor(folder / "model.tflite")
    texts = [*SOURCES, "", "größer 🎬"]
    for beam in (False, True):
        ids = np.asarray(searched(model, source(texts), beam).ids)
        ids = ids[:, 0] if beam else ids
        assert predictor(texts, beam=beam) == [target.detokenize(row) for row in ids]
    assert predictor([]) == []
    best = predictor.best(["ein Film"])[0]
    assert len(best) == 2
    assert best[0][0] == predictor(["ein Film"])[0]
    assert best[0][1] >= best[1][1]


def test_long_sources_are_cut_with_a_warning(run):
    predictor = Seq2SeqPredictor(run[2] / "model.tflite")
    long = "ein guter Film ein guter Film"
    with pytest.warns(UserWarning, match="1 of 2 sequences were cut to 6 steps"):
        texts = predictor([f"{long} Film", "Film"])
    assert texts == predictor([long, "Film"])


@pytest.mark.parametrize("beam", [False, True])
def test_aligns_what_it_writes(run, beam):
    model, (source, target), folder, _ = run
    predictor = Seq2SeqPredictor(folder / "model.tflite")
    tokens, written, weights = predictor.align("ein guter Film", beam)
    decoded = searched(model, source(["ein guter Film"]), beam)
    best = (0, 0) if beam else (0,)
    ids = np.asarray(decoded.ids)[best][: int(decoded.lengths[best])]
    assert tokens == ["ein", "guter", "Film"]
    assert written == [target.vocabulary[id] for id in ids]
    np.testing.assert_allclose(weights, decoded.alignments[best][: len(written)], atol=1e-5)
    np.testing.assert_allclose(weights.sum(axis=-1), 1, rtol=1e-5)


def test_beams_are_verified_with_their_alignments(run, monkeypatch):
    model, (source, _), folder, _ = run
    beam = Programs.beam

    def look_elsewhere(programs, sources):
        found = beam(programs, sources)
        return {**found, "alignments": found["alignments"][:, ::-1]}

    monkeypatch.setattr(Programs, "beam", look_elsewhere)
    with pytest.raises(VerificationError, match=r"'beam'.*'alignments' differs"):
        verify(folder / "model.tflite", model, source(SOURCES))


@pytest.mark.parametrize("way", ["model.tflite", "model.keras", "."])
def test_the_commands_write_from_the_file_and_from_the_run(run, way, capsys, monkeypatch):
    _, _, folder, _ = run
    expected = Seq2SeqPredictor(folder / "model.tflite")(SOURCES)
    cli.main(["translate", str(folder / way), *SOURCES])
    assert capsys.readouterr().out.splitlines() == expected
    monkeypatch.setattr("sys.stdin", io.StringIO("\n".join(SOURCES[:2])))
    cli.main(["chat", str(folder / way)])
    assert capsys.readouterr().out.splitlines() == expected[:2]


def test_translate_reads_lines_and_searches_greedily(run, capsys, monkeypatch):
    path = run[2] / "model.tflite"
    monkeypatch.setattr("sys.stdin", io.StringIO("\n".join(SOURCES) + "\n"))
    cli.main(["translate", str(path), "--greedy"])
    expected = Seq2SeqPredictor(path)(SOURCES, beam=False)
    assert capsys.readouterr().out.splitlines() == expected


def test_the_caches_of_a_transformer_are_state(tmp_path):
    model = transformer_seq2seq(
        source_vocabulary_size=9,
        target_vocabulary_size=12,
        embedding_dim=8,
        num_heads=2,
        hidden_dim=8,
        num_layers=2,
    )
    paths = {name: tmp_path / f"{name}.tflite" for name in ("float32", "float16", "dynamic")}
    rules = {"start_id": START, "end_id": END, "max_length": 5}
    files = export_seq2seq(model, paths, **rules, alignments=("beam",))
    assert [(file.path, file.precision) for file in files] == [(p, n) for n, p in paths.items()]
    assert files[0].max_difference < 1e-5
    assert "FLOAT16" in files[1].constant_bytes
    manifest = read_bundle(paths["float32"]).manifest
    assert "blocks_1_1" in manifest["seq2seq"]["state"]
    assert "memory_1_1" in manifest["seq2seq"]["memory"]
    greedy, beam = (manifest["signatures"][name]["outputs"] for name in ("greedy", "beam"))
    assert [spec["name"] for spec in greedy] == ["ids", "lengths", "scores"]
    assert beam[-1] == {"name": "alignments", "shape": [None, 4, 5, None], "dtype": "float32"}
    # Room for the longest text, and no more.
    shapes = {s["name"]: s["shape"] for s in manifest["signatures"]["step"]["inputs"]}
    assert 5 in shapes["blocks_1_1"]
