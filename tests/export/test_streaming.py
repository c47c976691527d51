"""A sequence in chunks gives what the whole sequence gives, in Keras."""

import itertools

import keras
import numpy as np
import pytest
from keras import layers, ops

from kzoo.export import (
    ExportError,
    streaming_model,
    zero_state,
)
from kzoo.layers import (
    CELLS,
    BestClass,
    Bidirectional,
    GRUCell,
    LSTMCell,
    MaxPooling,
    NewSymbols,
    NGramEmbedding,
    Recurrent,
    SRUCell,
    SRUPlusPlus,
)
from tests.export.streaming_inputs import IDS, TIME, VOCABULARY
from tests.weights import randomize

FEATURES = 4
FLOATS = np.random.default_rng(0).normal(size=(4, TIME, FEATURES)).astype("float32")


def run(step, inputs, chunk_size):
    """The outputs of a step model with one output, chunk by chunk."""
    state = zero_state(step, len(inputs))
    outputs = []
    for start in range(0, inputs.shape[1], chunk_size):
        chunk = ops.convert_to_tensor(inputs[:, start : start + chunk_size])
        output, *state = step([chunk, *state])
        outputs.append(ops.convert_to_numpy(output))
    return outputs


def per_step(cell):
    inputs = keras.Input((None, FEATURES), name="features")
    x = layers.Dense(5, activation="relu")(inputs)
    x = Recurrent(CELLS[cell](5), return_sequences=True)(x) + x
    x = layers.Dropout(0.5)(layers.LayerNormalization()(x))
    x = layers.BatchNormalization()(Recurrent(CELLS[cell](6), return_sequences=True)(x))
    return randomize(keras.Model(inputs, x))


def classifier(cell):
    ids = keras.Input((None,), dtype="int32", name="ids")
    x = layers.Embedding(VOCABULARY, 5, mask_zero=True)(ids)
    x = Recurrent(CELLS[cell](5), return_sequences=True)(x)
    x = Recurrent(CELLS[cell](6))(x)
    return randomize(keras.Model(ids, layers.Dense(3)(x)))


CHUNKS = [*itertools.product(CELLS, [1, None]), *itertools.product(["lstm", "sru"], [3, TIME])]


@pytest.mark.parametrize(("cell", "chunk_size"), CHUNKS)
def test_every_cell_gives_the_whole_sequence(cell, chunk_size):
    model = per_step(cell)
    outputs = run(streaming_model(model, chunk_size), FLOATS, chunk_size or 5)
    expected = ops.convert_to_numpy(model(FLOATS))
    assert abs(expected).max() > 0.1
    np.testing.assert_allclose(np.concatenate(outputs, 1), expected, atol=1e-5)


@pytest.mark.parametrize(("cell", "chunk_size"), CHUNKS)
def test_masked_steps_repeat_what_came_before_the_chunk(cell, chunk_size):
    model = classifier(cell)
    outputs = run(streaming_model(model, chunk_size), IDS, chunk_size or 5)
    np.testing.assert_allclose(outputs[-1], model(IDS), atol=1e-5)
    # And every chunk's output is that of the prefix.
    end = chunk_size or 5
    np.testing.assert_allclose(outputs[0], model(IDS[:, :end]), atol=1e-5)


def windows():
    ids = keras.Input((None,), dtype="int32")
    x = NGramEmbedding(VOCABULARY, 5, max_order=3, num_buckets=50, ngram_dim=4)(ids)
    x = layers.Conv1D(6, 3, dilation_rate=2, padding="causal")(x)
    x = Recurrent(GRUCell(5), return_sequences=True, zero_output_for_mask=True)(x)
    return keras.Model(ids, x)


def nested():
    inner = keras.Input((None, FEATURES))
    encoder = keras.Model(
        inner, Recurrent(LSTMCell(4), return_sequences=True)(layers.Dense(3)(inner)), name="encoder"
    )
    inputs = keras.Input((None, FEATURES))
    return keras.Model(inputs, encoder(layers.Masking()(inputs)))


def sequential_of_fixed_time():
    return keras.Sequential([keras.Input((TIME, FEATURES)), Recurrent(SRUCell(4)), layers.Dense(2)])


def shared():
    inputs = keras.Input((None, FEATURES))
    layer = Recurrent(GRUCell(FEATURES), return_sequences=True, name="twice")
    return keras.Model(inputs, layer(layer(inputs)))


def decoder_behind_the_last_step():
    inputs = keras.Input((None, FEATURES))
    x = layers.RepeatVector(3)(Recurrent(GRUCell(4))(inputs))
    return keras.Model(inputs, Bidirectional(Recurrent(GRUCell(3)))(x))


def attention():
    """One that sees less than a chunk, one that sees more, and shared layers."""
    inputs = keras.Input((None, FEATURES))
    x = layers.Masking()(inputs)
    x = SRUPlusPlus(6, 3, window=4, return_sequences=True)(x)
    twice = SRUPlusPlus(6, 2, window=9, return_sequences=True, zero_output_for_mask=True)
    return keras.Model(inputs, twice(twice(x)))


def zeros_at_the_end():
    masked = layers.Masking()
    recurrent = Recurrent(GRUCell(4), zero_output_for_mask=True)
    return keras.Sequential([keras.Input((None, FEATURES)), masked, recurrent])


def symbols():
    """What has no axis behind time, and another name than the layer that remembers."""
    inputs = keras.Input((None, FEATURES))
    x = Recurrent(GRUCell(4), return_sequences=True)(inputs)
    return keras.Model(inputs, NewSymbols()(BestClass()(x)))


@pytest.mark.parametrize("chunk_size", [1, 2, 6, None])
@pytest.mark.parametrize(
    "build",
    [
        windows,
        nested,
        sequential_of_fixed_time,
        shared,
        decoder_behind_the_last_step,
        attention,
        zeros_at_the_end,
        symbols,
    ],
)
def test_wirings(build, chunk_size):
    model = randomize(build())
    inputs = IDS if build is windows else FLOATS * (IDS != 0)[..., None]
    outputs = run(streaming_model(model, chunk_size), inputs, chunk_size or 5)
    expected = ops.convert_to_numpy(model(inputs))
    got = np.concatenate(outputs, 1) if expected.shape[1] == TIME else outputs[-1]
    np.testing.assert_allclose(got, expected, atol=1e-5)


def test_names_and_saving(tmp_path):
    ids = keras.Input((None,), dtype="int32", name="ids")
    x = NGramEmbedding(VOCABULARY, 4, num_buckets=20, name="words")(ids)
    model = keras.Model(ids, Recurrent(LSTMCell(3), name="lstm")(x))
    step = streaming_model(model, 2)
    names = ["words_state_0", *(f"lstm_state_{index}" for index in range(3))]
    assert [tensor.name for tensor in step.inputs] == ["ids", *names]
    assert step.output_names == ["lstm", *(f"next_{name}" for name in names)]
    assert [tensor.shape for tensor in step.inputs] == [(None, 2), (None, 1)] + [(None, 3)] * 3
    step.save(tmp_path / "step.keras")
    loaded = keras.saving.load_model(tmp_path / "step.keras")
    np.testing.assert_array_equal(run(loaded, IDS, 2), run(step, IDS, 2))
    # The weights are the model's own.
    randomize(model, seed=5)
    np.testing.assert_allclose(run(step, IDS, 2)[-1], model(IDS), atol=1e-5)


def test_a_dict_of_outputs_gives_the_names():
    inputs = keras.Input((None, FEATURES), name="x")
    steps = Recurrent(GRUCell(3), return_sequences=True, name="gru")(inputs)
    model = keras.Model(inputs, {"steps": steps, "next_x": layers.Dense(2, name="dense")(steps)})
    step = streaming_model(randomize(model), 2)
    assert step.output_names == ["next_x", "steps", "next_gru_state_0"]
    outputs = step([ops.convert_to_tensor(FLOATS[:, :2]), *zero_state(step, len(FLOATS))])
    np.testing.assert_allclose(outputs[0], model(FLOATS)["next_x"][:, :2], atol=1e-5)
    np.testing.assert_allclose(outputs[1], model(FLOATS)["steps"][:, :2], atol=1e-5)


def refused(name):
    inputs = keras.Input((TIME if name == "LayerNormalization" else None, FEATURES))
    x = Recurrent(GRUCell(FEATURES), return_sequences=True)(inputs)
    state = keras.Input((3,))
    recurrent = Recurrent(GRUCell(3), name="it")
    outputs = {
        "Bidirectional": lambda: Bidirectional(recurrent, name="it")(x),
        "MaxPooling": lambda: MaxPooling(name="it")(x),
        "GlobalAveragePooling1D": lambda: layers.GlobalAveragePooling1D(name="it")(x),
        "padding='same'": lambda: layers.Conv1D(3, 3, padding="same", name="it")(x),
        "strides": lambda: layers.Conv1D(3, 3, strides=2, padding="causal", name="it")(x),
        "Attention": lambda: layers.Attention(name="it")([x, x]),
        "LayerNormalization": lambda: layers.LayerNormalization(axis=1, name="it")(x),
        "last time step to the first": lambda: Recurrent(GRUCell(3), go_backwards=True, name="it")(
            x
        ),
        "initial state": lambda: recurrent(x, initial_state=[state]),
        "causal=False": lambda: SRUPlusPlus(3, 2, causal=False, name="it")(x),
        "`window`": lambda: SRUPlusPlus(3, 2, name="it")(x),
        "Lambda": lambda: layers.Lambda(lambda x: x[:, ::-1], name="it")(x),
    }[name]()
    return keras.Model([inputs, state] if name == "initial state" else inputs, outputs)


@pytest.mark.parametrize(
    "name",
    [
        "Bidirectional",
        "MaxPooling",
        "GlobalAveragePooling1D",
        "padding='same'",
        "strides",
        "Attention",
        "LayerNormalization",
        "last time step to the first",
        "initial state",
        "causal=False",
        "`window`",
        "Lambda",
    ],
)
def test_what_looks_ahead_is_refused_by_name(name):
    keras.backend.clear_session()
    model = refused(name)
    with pytest.raises(ExportError, match=r"cannot be streamed: layer 'it' \(\w+\)") as error:
        streaming_model(model)
    assert name in str(error.value)


def test_operations_that_mix_time_steps_are_refused():
    inputs = keras.Input((None, FEATURES))
    x = Recurrent(GRUCell(3), return_sequences=True)(inputs)
    for mixed in (ops.flip(x, 1), ops.concatenate([x, x], axis=1), ops.softmax(x, axis=1)):
        with pytest.raises(ExportError, match=r"operation '.*' .* mixes time steps"):
            streaming_model(keras.Model(inputs, mixed))


@pytest.mark.parametrize("chunk_size", [0, -1, 1.5, True, "1"])
def test_bad_chunk_sizes_are_named(chunk_size):
    with pytest.raises(ValueError, match="chunk_size: expected a positive integer or None"):
        streaming_model(per_step("gru"), chunk_size)


def test_models_that_cannot_be_streamed_as_asked():
    with pytest.raises(ValueError, match="chunk_size: expected a divisor of the 12 time steps"):
        streaming_model(sequential_of_fixed_time(), 5)
    with pytest.raises(ExportError, match="no layer that remembers"):
        streaming_model(keras.Sequential([keras.Input((None, 3)), layers.Dense(2)]))
