"""Taggers: presets train, save and load; padding changes nothing; what is read out of them."""

import keras
import numpy as np
import pytest
from keras import ops

import kzoo
from kzoo.layers import bio_constraints
from kzoo.models import ensemble, tag_decoder, tagger
from kzoo.training import CRFLoss
from tests.weights import randomize

WORDS = np.array([[4, 5, 6, 7, 8], [9, 4, 0, 0, 0], [5, 0, 0, 0, 0]], "int32")
TAGS = np.array([[0, 1, 2, 0, 1], [2, 1, -1, -1, -1], [0, -1, -1, -1, -1]], "int32")
SIZES = {"vocabulary_size": 12, "num_tags": 3, "embedding_dim": 6, "units": 8}
LETTERS = {"character_vocabulary_size": 9, "character_dim": 4, "character_units": 4}
LETTERS |= {"character_order": 3, "character_ngram_dim": 2}
NAMES = ["O", "B-x", "I-x"]


def spell(words):
    """Characters of words, of different lengths: word 5 is two letters long, word 6 is three."""
    lengths = words % 4 + 1
    letters = (words[..., None] * 7 + np.arange(4) * 3) % 8 + 1
    counts = (np.arange(4) < lengths[..., None]) & (words[..., None] > 0)
    return np.where(counts, letters, 0).astype("int32")


INPUTS = {"words": WORDS, "characters": spell(WORDS)}


def read(model, inputs):
    """Tags and probabilities, as NumPy."""
    return run(tag_decoder(model), inputs)


def run(decoder, inputs):
    """What a `tag_decoder` finds; its long loop is slow when it is not a program."""
    decoder.jit_compile = False
    outputs = decoder.predict_on_batch(inputs)
    return outputs["tags"], outputs["probabilities"]


@pytest.mark.parametrize("name", kzoo.list_models("tagger_*"))
def test_preset_trains_saves_and_loads(name, tmp_path):
    model = kzoo.create_model(name, **SIZES, **LETTERS, token_dropout=0.0, dropout=0.0)
    is_crf = len(model.output_shape) == 4
    loss = CRFLoss() if is_crf else keras.losses.SparseCategoricalCrossentropy(ignore_class=-1)
    model.compile(keras.optimizers.Adam(0.03), loss, jit_compile=False)
    losses = model.fit(INPUTS, TAGS, epochs=12, verbose=0).history["loss"]
    assert losses[-1] < 0.8 * losses[0]
    tags, probabilities = read(model, INPUTS)
    assert tags.dtype == "int32"
    np.testing.assert_allclose(probabilities.sum(-1), 1, rtol=1e-5)
    decoder = tag_decoder(model)
    decoder.save(tmp_path / "model.keras")
    loaded = run(keras.saving.load_model(tmp_path / "model.keras"), INPUTS)
    np.testing.assert_array_equal(loaded[0], tags)
    np.testing.assert_array_equal(loaded[1], probabilities)


@pytest.mark.parametrize(
    ("cell", "head", "encoder"),
    [
        ("lstm", "crf", "lstm"),
        ("lstm", "crf", "cnn"),
        ("transformer", "softmax", "lstm"),
        ("sru_plus_plus", "softmax", "cnn"),
    ],
)
def test_padding_changes_nothing(cell, head, encoder):
    model = tagger(**SIZES, **LETTERS, cell=cell, head=head, character_encoder=encoder)
    tags, probabilities = read(randomize(model), INPUTS)
    for row, length in ((1, 2), (2, 1)):
        words = WORDS[row : row + 1, :length]
        letters = spell(words)
        letters = letters[:, :, : (letters > 0).sum(-1).max()]
        alone = read(model, {"words": words, "characters": letters})
        np.testing.assert_array_equal(tags[row, :length], alone[0][0])
        np.testing.assert_allclose(probabilities[row, :length], alone[1][0], atol=1e-5)


def test_letters_tell_unknown_words_apart():
    model = randomize(tagger(**SIZES, **LETTERS, cell="sru", head="softmax"))
    words = np.array([[1], [1]], "int32")
    letters = np.array([[[3, 4]], [[4, 3]]], "int32")
    _, probabilities = read(model, {"words": words, "characters": letters})
    assert abs(probabilities[0] - probabilities[1]).max() > 1e-3


def test_constraints_hold_in_what_is_read_out():
    model = randomize(tagger(**SIZES, constraints=bio_constraints(NAMES)), seed=3)
    rng = np.random.default_rng(0)
    tags, _ = read(model, {"words": rng.integers(1, 12, (60, 9)).astype("int32")})
    before = np.pad(tags, [[0, 0], [1, 0]])[:, :-1]
    assert (tags == 2).any()
    assert not ((tags == 2) & (before == 0)).any()


def test_characters_can_be_what_is_tagged():
    model = randomize(tagger(**SIZES, ngrams={"max_order": 3, "num_buckets": 50, "ngram_dim": 3}))
    assert [x.name for x in model.inputs] == ["words"]
    tags, _ = read(model, {"words": WORDS})
    assert tags.shape == WORDS.shape


def test_an_ensemble_of_chains_is_the_chain_of_their_mean():
    options = dict(**SIZES, **LETTERS, cell="sru")
    members = [randomize(tagger(**options, name=f"member_{i}"), seed=i) for i in range(2)]
    together = ensemble(members)
    potentials = [ops.convert_to_numpy(m(INPUTS)) for m in (*members, together)]
    np.testing.assert_allclose(potentials[2], (potentials[0] + potentials[1]) / 2, atol=1e-4)
    assert sorted(tag_decoder(together).output) == ["probabilities", "tags"]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"vocabulary_size": 0}, "`vocabulary_size` must be a positive integer"),
        ({"head": "svm"}, "`head` must be one of"),
        ({"cell": "elman"}, "`cell` must be one of"),
        ({"cell": "transformer", "connection": "highway"}, "`connection` must be None with cell"),
        ({"head": "softmax", "constraints": bio_constraints(NAMES)}, "`constraints` must be None"),
        ({**LETTERS, "character_encoder": "elman"}, "`character_encoder` must be one of"),
        ({**LETTERS, "character_units": 0}, "`character_units` must be a positive integer"),
        ({**LETTERS, "character_order": 0}, "`character_order` must be a positive integer"),
    ],
)
def test_wrong_arguments(wrong, message):
    with pytest.raises(ValueError, match=message):
        tagger(**{**SIZES, **wrong})
