"""A BERT that tags words: what it reads, padding, saving, arguments."""

import keras
import numpy as np
import pytest
from keras import ops

from kzoo.models import bert_word_tagger, create_model, tag_decoder

SIZES = dict(vocabulary_size=30, embedding_dim=16, num_heads=2, hidden_dim=16, num_layers=1)
SENTENCES = [
    ([2, 5, 6, 7, 8, 3], [1, 3, 4], [[4, 5], [6, 0], [7, 8]]),
    ([2, 9, 3], [1], [[9, 0]]),
]


def inputs(sentences, length=8, words=4, letters=3):
    shapes = {name: (length,) for name in ("ids", "mask", "segment_ids")}
    shapes |= {"words": (words,), "characters": (words, letters)}
    arrays = {k: np.zeros((len(sentences), *shape), "int32") for k, shape in shapes.items()}
    for index, (ids, begins, spelled) in enumerate(sentences):
        arrays["ids"][index, : len(ids)] = ids
        arrays["mask"][index, : len(ids)] = 1
        arrays["words"][index, : len(begins)] = begins
        arrays["characters"][index, : len(spelled), :2] = spelled
    return arrays


def encoder():
    return create_model("bert_tiny", **SIZES)


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(3)
    options = dict(character_vocabulary_size=12, character_encoder="cnn", character_units=4)
    return bert_word_tagger(encoder(), 5, **options)


def test_a_word_is_read_at_its_first_piece():
    first = encoder()
    model = bert_word_tagger(first, 5, head="softmax")
    batch = {name: x for name, x in inputs(SENTENCES).items() if name != "characters"}
    found = ops.convert_to_numpy(model(batch))
    steps = first({name: x for name, x in batch.items() if name != "words"})["sequence"]
    expected = ops.convert_to_numpy(model.get_layer("probabilities")(steps))
    np.testing.assert_allclose(found[0, :3], expected[0, [1, 3, 4]], atol=1e-6)
    np.testing.assert_allclose(found[1, :1], expected[1, [1]], atol=1e-6)


def test_a_padded_sentence_gives_what_it_gives_alone(model):
    decoder = tag_decoder(model)
    together = decoder(inputs(SENTENCES))
    for index, sentence in enumerate(SENTENCES):
        ids, begins, _ = sentence
        alone = decoder(inputs([sentence], len(ids), len(begins), 2))
        for name in ("tags", "probabilities"):
            np.testing.assert_allclose(
                ops.convert_to_numpy(together[name])[index, : len(begins)],
                ops.convert_to_numpy(alone[name])[0],
                atol=1e-5,
            )


def test_saves_and_loads(model, tmp_path):
    decoder = tag_decoder(model)
    decoder.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    batch = inputs(SENTENCES)
    found = [ops.convert_to_numpy(each(batch)["probabilities"]) for each in (decoder, again)]
    np.testing.assert_array_equal(*found)


def test_arguments():
    with pytest.raises(ValueError, match="`head` must be one of"):
        bert_word_tagger(encoder(), 5, head="svm")
    with pytest.raises(ValueError, match="`constraints` must be None"):
        bert_word_tagger(encoder(), 5, head="softmax", constraints={"start": [1]})
    with pytest.raises(ValueError, match="`num_tags`"):
        bert_word_tagger(encoder(), 0)
