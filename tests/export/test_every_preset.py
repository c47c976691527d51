"""Every registered model leaves as verified files, as its recipe writes them."""

import json
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pytest

import kzoo
from kzoo import models
from kzoo.export import (
    PRECISIONS,
    Export,
    export_language_model,
    export_many,
    export_seq2seq,
    export_streaming,
    export_tflite,
)
from kzoo.export.flatbuffer import operators
from kzoo.models.registry import _MODELS
from kzoo.recipes import captioning, language, translation, vector_to_sequence
from kzoo.recipes.parts.embeddings_files import LENGTHS, TOLERANCES
from kzoo.training import pad_strings
from tests.export import (
    test_fault_export,
    test_forecaster_export,
    test_recognizer_export,
    test_tagger_export,
)
from tests.weights import randomize

RNG = np.random.default_rng(0)
VOCABULARY, FEATURES = 40, 16
IDS = np.array([[3, 4, 5, 6, 7], [3, 9, 8, 0, 0], [3, 4, 0, 0, 0]], "int32")
PICTURES = RNG.integers(0, 256, (3, 8, 8, 1)).astype("uint8")
LINES = [RNG.uniform(size=(12, width)).astype("float32") for width in (37, 20)]
SOUNDS = [RNG.normal(scale=0.1, size=128 * hops).astype("float32") for hops in (24, 11)]
MEASUREMENTS = RNG.normal(7, 5, (4, 40, FEATURES)).astype("float32")
SEARCH = dict(start_id=2, end_id=3, max_length=3, beam_size=2, banned_ids=(0, 1, 2))
# Written in every precision by other tests.
ELSEWHERE = {
    *test_fault_export.MODELS,
    *test_forecaster_export.PRESETS,
    *test_tagger_export.PRESETS,
    test_recognizer_export.FILES["pictures"][0],
    # What a recipe trains by default, its test writes.
    *(recipe.Knobs.model for recipe in (captioning, language, translation, vector_to_sequence)),
    # Their factory without options, in test_seq2seq.py.
    *("transformer_seq2seq_base", "transformer_seq2seq_big"),
}


def paths(folder, precisions=PRECISIONS):
    return {precision: folder / f"{precision}.tflite" for precision in precisions}


def precisions_of(model):
    """What writes has many signatures: int8 has to do for what is no default.

    Their factories are written in every precision by test_seq2seq.py and test_language.py.
    """
    writers = "seq2seq", "language_model", "transformer_seq2seq", "transformer_language_model"
    return PRECISIONS[-1:] if model.name in writers else PRECISIONS


def plain(model, folder, **options):
    files = paths(folder).items()
    return export_many([Export(model, path, name, **options) for name, path in files])


def stream(model, folder, chunk_size, **options):
    files = paths(folder).items()
    return [export_streaming(model, path, chunk_size, name, **options) for name, path in files]


def of_texts(model, folder):
    # More steps than one block of a loop.
    return plain(model, folder, lengths=(3, 20))


def of_measurements(model, folder):
    return plain(model, folder, inputs=MEASUREMENTS, lengths=(3, 20))


def of_steps(model, folder):
    return stream(model, folder, 1, inputs=MEASUREMENTS, lengths=(20,))


def of_strings(model, folder):
    names = {tensor.name for tensor in model.inputs}
    inputs = pad_strings(SOUNDS, 128) if "samples" in names else pad_strings(LINES)
    if "lengths" not in names:
        inputs = inputs["samples"]
        return stream(models.ctc_stream(model), folder, 4, inputs=inputs, lengths=(12,))
    decoder = models.ctc_decoder(model, 2 if "samples" in names else None, max_length=6)
    return plain(decoder, folder, inputs=inputs, lengths=(20,))


def of_pairs(model, folder):
    return export_seq2seq(model, paths(folder, precisions_of(model)), **SEARCH, inputs=IDS)


def of_pictures(model, folder):
    return export_seq2seq(model, paths(folder), **SEARCH, inputs=PICTURES)


def of_labels(model, folder):
    return export_seq2seq(model, paths(folder), **SEARCH, inputs=[0, 2, 1])


def of_prompts(model, folder):
    return export_language_model(model, paths(folder, precisions_of(model)), **SEARCH, inputs=IDS)


def find_words(model):
    """Returns what finds nearest words, and words that are known."""
    inputs = {"words": RNG.integers(4, VOCABULARY, (4, 8))}
    subwords = None
    if model.name == "fast_text":
        subwords = model.get_layer("word_vectors")
        letters = RNG.integers(1, 9, (VOCABULARY, 5))
        subwords.adapt(letters)
        inputs["characters"] = letters[inputs["words"]]
    table = models.word_table(model, both=model.name == "glove")
    return models.nearest_words(table, 4, subwords), inputs


def of_words(model, folder):
    finder, inputs = find_words(model)
    return plain(finder, folder, inputs=inputs, lengths=LENGTHS, tolerance=TOLERANCES)


class Family(NamedTuple):
    """How the models of a factory are made small, and written.

    Attributes:
        sizes: Arguments that take the place of a preset's own.
        write: Function of a model and a folder that returns the verification of each file.
    """

    sizes: dict
    write: Callable


ENCODER = {"units": 32, "dropout": 0.0}
TEXTS = {"vocabulary_size": VOCABULARY, "embedding_dim": 32, "dropout": 0.0}
PAIRS = {"source_vocabulary_size": VOCABULARY, "target_vocabulary_size": VOCABULARY}
PAIRS |= {"embedding_dim": 32, "dropout": 0.0}
BLOCKS = {"num_heads": 4, "hidden_dim": 32, "num_layers": 1}
WORDS = {"vocabulary_size": VOCABULARY, "embedding_dim": 48}
MEASURED = {"num_features": FEATURES, "statistics": ([7.0] * FEATURES, [25.0] * FEATURES)}
MEASURED |= ENCODER
STRINGS = {"num_classes": 4, "height": 12, "filters": (4, 4), **ENCODER}
SHOWN = {"picture_shape": (8, 8, 1), "filters": (4, 8)}
FAMILIES = {
    models.text_classifier: Family({**TEXTS, "units": 32, "num_classes": 3}, of_texts),
    models.sequence_classifier: Family({**MEASURED, "num_classes": 3}, of_measurements),
    models.sequence_regressor: Family(MEASURED, of_measurements),
    models.anomaly_scorer: Family(MEASURED, of_steps),
    models.sequence_labeller: Family({**MEASURED, "num_classes": 3}, of_steps),
    models.ctc_recognizer: Family(STRINGS, of_strings),
    models.seq2seq: Family({**PAIRS, "units": 32}, of_pairs),
    models.transformer_seq2seq: Family({**PAIRS, **BLOCKS}, of_pairs),
    models.captioner: Family({**TEXTS, **SHOWN, "units": 32}, of_pictures),
    models.vector_to_sequence: Family({**TEXTS, "num_classes": 3, "units": 32}, of_labels),
    models.language_model: Family({**TEXTS, "units": 32, "num_layers": 1}, of_prompts),
    models.transformer_language_model: Family({**TEXTS, **BLOCKS}, of_prompts),
    models.bert: Family({**TEXTS, **BLOCKS}, of_texts),
    models.skip_gram: Family(WORDS, of_words),
    models.cbow: Family(WORDS, of_words),
    models.glove: Family(WORDS, of_words),
    models.nnlm: Family(WORDS, of_words),
    models.fast_text: Family({**WORDS, "num_buckets": 50}, of_words),
}


# Those of the recipes, a classifier and a tagger of words, are written by their tests.
HEADS = {
    "question_answerer": models.bert_question_answerer,
    "sentence_encoder": models.bert_sentence_encoder,
    "tagger": lambda encoder: models.bert_tagger(encoder, 3),
    "masked_language_model": models.bert_masked_language_model,
}


@pytest.fixture(scope="module")
def write(tmp_path_factory):
    """A function that writes the files of a preset, and says in which precisions.

    Presets that differ in what is made small here, and in nothing else, share their files.
    """
    found = {}

    def write_once(name):
        preset = _MODELS[name]
        if preset.func not in FAMILIES:
            pytest.fail(f"FAMILIES: name here how models of {preset.func.__name__} are written")
        sizes, write = FAMILIES[preset.func]
        key = preset.func.__name__, json.dumps({**preset.keywords, **sizes}, sort_keys=True)
        if key not in found:
            model = randomize(kzoo.create_model(name, **sizes), scale=0.2)
            found[key] = write(model, tmp_path_factory.mktemp(name)), precisions_of(model)
        return found[key]

    return write_once


def check(files, precisions=PRECISIONS):
    assert tuple(file.precision for file in files) == precisions
    for file in files:
        assert file.runtimes == ("Interpreter", "CompiledModel")
        _, custom = operators(file.path.read_bytes())
        assert not [*custom, *(x for x in file.operators if "FLEX" in x.upper())]
        assert file.max_difference <= file.tolerance
    *floats, dynamic = files
    assert "INT8" in dynamic.constant_bytes
    if floats:
        sizes = [sum(file.constant_bytes.values()) for file in files]
        assert sizes[0] > max(sizes[1:])
        assert "FLOAT16" in floats[1].constant_bytes


@pytest.mark.parametrize("name", sorted({*kzoo.list_models()} - ELSEWHERE))
def test_every_preset_leaves_in_its_precisions(name, write):
    check(*write(name))


@pytest.mark.parametrize("name", HEADS)
def test_every_head_of_bert_leaves_in_every_precision(name, tmp_path):
    encoder = kzoo.create_model("bert_tiny", **FAMILIES[models.bert].sizes)
    check(plain(randomize(HEADS[name](encoder), scale=0.2), tmp_path, lengths=(20,)))


def test_what_others_write_is_registered():
    assert set(kzoo.list_models()) >= ELSEWHERE


def test_what_has_no_vector_has_neighbours_in_half_precision(tmp_path):
    model = randomize(models.skip_gram(**WORDS))
    options = dict(inputs=IDS, lengths=LENGTHS, tolerance=TOLERANCES)
    export_tflite(find_words(model)[0], tmp_path / "model.tflite", "float16", **options)
