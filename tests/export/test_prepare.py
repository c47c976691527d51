"""Plain Keras models become models of kzoo; what cannot be replaced is named."""

import subprocess
import sys

import keras
import numpy as np
import pytest
from keras import layers

from kzoo import cli
from kzoo.export import Export, ExportError, VerificationError, export_many, prepare
from kzoo.layers import Recurrent
from tests.export.keras_corpus import WORDS, build_model

KERAS = (layers.RNN, layers.Bidirectional, layers.TimeDistributed)
STATEFUL = "are stateful, but the copy for export begins every call at a state of zeros"


def test_the_policy_is_kept():
    prepared = prepare(build_model("mixed_precision_lstm"))
    layer = next(layer for layer in prepared.layers if isinstance(layer, Recurrent))
    assert (layer.dtype_policy.name, layer.cell.dtype_policy.name) == ("mixed_float16",) * 2
    assert layer.output.dtype == "float16"
    assert layer.cell.kernel.dtype == "float32"


def test_the_users_state_is_left_alone(tmp_path):
    model = build_model("stateful_forecast")
    series = np.ones((2, 4, 1), "float32")
    first = model(series).numpy()
    with pytest.warns(UserWarning, match=STATEFUL):
        prepared = prepare(model)
    np.testing.assert_allclose(prepared(series), first, atol=1e-6)
    second = model(series).numpy()
    assert np.abs(second - first).max() > 1e-4
    for layer in model.layers[:2]:
        layer.reset_states()
    np.testing.assert_allclose(model(series), first, atol=1e-6)
    np.testing.assert_allclose(model(series), second, atol=1e-6)


def test_padding_is_no_different_from_its_absence():
    prepared = prepare(build_model("masked_bidirectional_tagger"))
    words = np.array([[3, 1, 4, 1, 5]])
    padded = np.pad(words, ((0, 0), (0, 3)))
    np.testing.assert_allclose(prepared(padded)[:, :5], prepared(words), atol=1e-6)


def test_shared_layers_stay_shared_and_states_travel():
    features = keras.Input((None, 3))
    both = layers.Bidirectional(layers.LSTM(4, return_sequences=True, return_state=True))
    outputs, *states = both(features)
    again, *_ = both(features, initial_state=[states[2], states[3], states[0], states[1]])
    cells = [layers.LSTMCell(4), layers.GRUCell(5)]
    x, *stack_states = layers.RNN(cells, return_state=True, return_sequences=True)(outputs)
    cells = [layers.LSTMCell(4), layers.GRUCell(5)]
    x = layers.RNN(cells, go_backwards=True)(x, initial_state=stack_states)
    model = keras.Model(features, [x, again])
    prepared = prepare(model)
    assert len(prepared.weights) == len(model.weights)
    # One layer, called twice: what changes in it changes both calls.
    prepared.get_layer(both.name).forward_layer.cell.bias.assign(np.ones(16))
    for before, after in zip(model(np.ones((2, 5, 3))), prepared(np.ones((2, 5, 3))), strict=True):
        assert np.abs(before - after).max() > 1e-3


@keras.saving.register_keras_serializable()
class LeakyCell(layers.Layer):
    """A cell of the user's own, which begins at ones."""

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = self.state_size = units

    def build(self, input_shape):
        self.kernel = self.add_weight(shape=(input_shape[-1], self.units))

    def call(self, inputs, states):
        state = 0.9 * states[0] + keras.ops.matmul(inputs, self.kernel)
        return keras.ops.tanh(state), [state]

    def get_initial_state(self, batch_size=None):
        return [keras.ops.ones((batch_size, self.units))]

    def get_config(self):
        return {**super().get_config(), "units": self.units}


class Encoder(keras.Model):
    """A subclassed model, with recurrent layers as attributes and in a list."""

    def __init__(self):
        super().__init__()
        self.embedding = layers.Embedding(WORDS, 6, mask_zero=True)
        self.stack = [layers.LSTM(6, return_sequences=True), layers.Dense(6)]
        self.last = layers.RNN(LeakyCell(4))
        self.norm = layers.BatchNormalization()

    def call(self, words):
        x = self.embedding(words)
        for layer in self.stack:
            x = layer(x)
        return self.norm(self.last(x, mask=self.embedding.compute_mask(words)))

    def get_config(self):
        return {}


def test_custom_cells_inside_a_subclassed_model(tmp_path):
    words = keras.Input((None,), dtype="int32", name="words")
    model = keras.Model(words, Encoder()(words))
    model.layers[1].norm.moving_mean.assign([1.0, 2, 3, 4])
    (verification,) = export_many([Export(model, tmp_path / "model.tflite")])
    assert verification.max_difference < 1e-5
    prepared = prepare(model)
    assert not [layer for layer in prepared._flatten_layers() if isinstance(layer, KERAS)]
    with pytest.raises(ExportError, match=r"call it on a keras\.Input"):
        prepare(model.layers[1])


def test_a_prepared_model_is_saved_and_loaded(tmp_path):
    prepared = prepare(build_model("stacked_cells"))
    prepared.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    words = np.arange(1, 13).reshape(2, 6)
    np.testing.assert_allclose(loaded(words), prepared(words), atol=1e-6)


def test_what_needs_nothing_is_returned_as_it_is():
    model = keras.Sequential([keras.Input((None, 3)), layers.Dense(2)])
    assert prepare(model) is model
    own = keras.Sequential([keras.Input((None, 3)), Recurrent(prepare_cell())])
    assert prepare(own) is own


def prepare_cell():
    return prepare(keras.Sequential([keras.Input((None, 3)), layers.LSTM(2)])).layers[0].cell


def test_directions_apart_and_a_backward_layer_of_another_kind(tmp_path):
    words = keras.Input((None,), dtype="int32", name="words")
    x = layers.Embedding(WORDS, 6, mask_zero=True)(words)
    left, right = layers.Bidirectional(
        layers.LSTM(4, return_sequences=True), merge_mode=None, name="apart"
    )(x)
    unlike = layers.Bidirectional(
        layers.GRU(5, return_state=True),
        backward_layer=layers.SimpleRNN(5, return_state=True, go_backwards=True),
        name="unlike",
    )
    model = keras.Model(words, unlike(left - right))
    prepared = prepare(model)
    assert not [layer for layer in prepared._flatten_layers() if isinstance(layer, KERAS)]
    (verification,) = export_many([Export(model, tmp_path / "model.tflite")])
    assert verification.max_difference <= 1e-5
    assert len(verification.lowering) == 4


class OwnLSTM(layers.LSTM):
    """Might compute anything."""


@keras.saving.register_keras_serializable()
class InDict(layers.Layer):
    """Hides its layer."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.parts = {"lstm": layers.LSTM(4, return_sequences=True)}

    def call(self, x):
        return self.parts["lstm"](x)


def test_all_that_cannot_be_replaced_is_named_at_once(tmp_path):
    x = inputs = keras.Input((None, 4))
    x = OwnLSTM(4, return_sequences=True, name="own")(x)
    x = layers.Bidirectional(
        layers.LSTM(4, return_sequences=True, go_backwards=True),
        backward_layer=layers.LSTM(4, return_sequences=True),
        name="crossed",
    )(x)
    x = InDict(name="hidden")(x)
    x = layers.LSTM(4, dropout=0.5, name="random")(x, training=True)
    model = keras.Model(inputs, x, name="hard")
    with pytest.raises(ExportError) as error:
        prepare(model)
    assert str(error.value).splitlines() == [
        "model: 'hard' has layers that cannot be replaced for export:",
        "  layer 'own' (OwnLSTM): kzoo has no layer for OwnLSTM, a subclass of keras.layers.RNN",
        "  layer 'crossed' (Bidirectional): its forward layer goes backwards; swap the two layers",
        "  layer 'hidden' (InDict): it holds recurrent layers where they cannot be exchanged; make "
        "each an attribute, or an item of a list that is one, in its __init__",
        "  layer 'random' (LSTM): it is called with training=True, so its dropout is random",
    ]
    with pytest.raises(ExportError, match="'hard' has layers that cannot be replaced"):
        export_many([Export(model, tmp_path / "model.tflite")])
    assert not list(tmp_path.iterdir())


class Table(layers.Layer):
    """Cannot be made again: it has an argument that no configuration holds."""

    def __init__(self, table, **kwargs):
        super().__init__(**kwargs)
        self.table = table

    def call(self, x):
        return x * self.table


def test_layers_that_cannot_be_made_again_are_shared():
    normalization = layers.Normalization()
    normalization.adapt(np.random.default_rng(0).normal(3, 2, (100, 4)))
    features = keras.Input((None, 4))
    x = Table(np.arange(4.0, dtype="float32"))(normalization(features))
    x = layers.Lambda(lambda x: x + len(KERAS))(x)
    model = keras.Model(features, layers.LSTM(3)(x))
    prepared = prepare(model)
    own, table, function = prepared.layers[1:4]
    assert own is not normalization
    assert (table, function) == tuple(model.layers[2:4])


def test_a_cell_without_a_config_is_named():
    class Bare(LeakyCell):
        def get_config(self):
            raise NotImplementedError("no config")

    model = keras.Sequential([keras.Input((None, 4)), layers.RNN(Bare(3), name="bare")])
    with pytest.raises(ExportError, match=r"'bare' \(RNN\): its cell Bare cannot .*: no config"):
        prepare(model)


def test_a_copy_that_computes_something_else_is_refused(monkeypatch):
    monkeypatch.setattr("kzoo.export.replace._Rebuilding.copy_weights", lambda *_: None)
    with pytest.raises(VerificationError, match=r"prepared .sequential.*differs"):
        prepare(build_model("stacked_gru_forecast"))


def test_layers_without_a_loop_stay(tmp_path):
    images = keras.Input((4, 8, 3), name="images")
    x = layers.ConvLSTM1D(3, 3, unroll=True, return_sequences=True)(images)
    x = layers.LSTM(5)(layers.TimeDistributed(layers.Flatten())(x))
    (verification,) = export_many([Export(keras.Model(images, x), tmp_path / "model.tflite")])
    assert verification.max_difference < 1e-5


def test_from_the_shell(tmp_path, capsys):
    model, file = str(tmp_path / "model.keras"), str(tmp_path / "model.tflite")
    build_model("masked_bidirectional_tagger").save(model)
    cli.main(["export", model, file])
    assert "6 batches in Interpreter and CompiledModel" in capsys.readouterr().out
    # A prepared model too, in a process that has imported nothing else.
    prepare(keras.saving.load_model(model)).save(model)
    command = [sys.executable, "-m", "kzoo.cli", "verify", file, model]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "6 batches in Interpreter and CompiledModel" in done.stdout
