"""Language models: presets, prompts and steps beside the whole, and writing."""

import keras
import numpy as np
import pytest
from keras import ops

import kzoo
from kzoo.decoding import greedy, sample
from kzoo.models import LanguageModelSteps, language_model

IDS = np.array([[4, 5, 6, 7, 8], [8, 9, 9, 4, 5]], "int32")
# Padded on the right, on the left, and within.
PROMPTS = np.array([[4, 5, 6, 0], [0, 0, 8, 9], [4, 0, 5, 0]], "int32")
END = 3


def small(name):
    """Returns a small model of a preset with random weights."""
    if "transformer" in name:
        sizes = {"embedding_dim": 8, "num_heads": 2, "hidden_dim": 12, "num_layers": 2}
    else:
        sizes = {"embedding_dim": 6, "units": 5, "num_layers": 2}
    model = kzoo.create_model(name, vocabulary_size=11, dropout=0.0, **sizes)
    rng = np.random.default_rng(3)
    for weight in model.trainable_weights:
        weight.assign(rng.normal(scale=0.5, size=weight.shape))
    return model


@pytest.mark.parametrize("name", kzoo.list_models("language_*"))
def test_preset_steps_after_a_prompt_as_if_at_once(name):
    model = small(name)
    whole = ops.convert_to_numpy(model(IDS))
    assert whole.std() > 0.1
    # The future changes nothing.
    np.testing.assert_allclose(model(IDS[:, :3]), whole[:, :3], rtol=1e-5, atol=1e-5)
    steps = LanguageModelSteps(model)
    for row, written in ((0, 2), (1, 3)):
        padded = np.pad(IDS[:, : 5 - written], ((0, 0), (row, 2)))
        state, start_ids = steps.begin(padded, max_length=written)
        np.testing.assert_array_equal(start_ids, IDS[:, 4 - written])
        for t in range(4 - written, 4):
            one, state = steps.step(IDS[:, t], state)
            np.testing.assert_allclose(one, whole[:, t], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", ["language_lstm", "language_transformer_llama"])
def test_preset_trains_saves_and_loads(name, tmp_path):
    model = small(name)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.01), loss)
    history = model.fit(IDS[:, :-1], IDS[:, 1:], epochs=8, verbose=0).history
    assert history["loss"][-1] < 0.9 * history["loss"][0]
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded(IDS), model(IDS))


@pytest.mark.parametrize("name", ["language_sru", "language_transformer_gpt"])
def test_rows_write_in_a_batch_what_they_write_alone(name):
    steps = LanguageModelSteps(small(name))

    def write(prompts):
        state, start_ids = steps.begin(prompts, max_length=4)
        found = greedy(steps.step, state, start_ids, END, 4)
        drawn = sample(steps.step, state, start_ids, END, 4, seed=1, top_k=1)
        np.testing.assert_array_equal(drawn.ids, found.ids)
        return ops.convert_to_numpy(found.ids)

    together = write(PROMPTS)
    for row, prompt in enumerate(PROMPTS):
        np.testing.assert_array_equal(together[row : row + 1], write(prompt[prompt > 0][None]))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (dict(vocabulary_size=0), "`vocabulary_size` must be a positive integer"),
        (dict(cell="lstn"), "`cell` must be one of"),
    ],
)
def test_wrong_arguments(wrong, message):
    with pytest.raises(ValueError, match=message):
        language_model(**{"vocabulary_size": 9, **wrong})


def test_stateful_windows_are_parts_of_one_text():
    model = small("language_sru")
    sizes = dict(vocabulary_size=11, cell="sru", embedding_dim=6, units=5, num_layers=2)
    stateful = language_model(**sizes, stateful_batch_size=2)
    for ours, theirs in zip(model.trainable_weights, stateful.trainable_weights, strict=True):
        theirs.assign(ours)
    parts = [ops.convert_to_numpy(stateful(IDS[:, part])) for part in (slice(2), slice(2, 5))]
    np.testing.assert_allclose(np.concatenate(parts, axis=1), model(IDS), rtol=1e-5, atol=1e-5)
    rebuilt = keras.Model.from_config(stateful.get_config())
    assert rebuilt.get_layer("decoder").stateful
    assert rebuilt.input_shape == (2, None)
    assert not model.get_layer("decoder").stateful
