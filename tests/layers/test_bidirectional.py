"""Two directions that stay apart, and a backward layer of another kind."""

import keras
import numpy as np
import pytest
from keras import layers, ops
from keras.src import testing

from kzoo.layers import Bidirectional, GRUCell, LSTMCell, Recurrent, SRUCell, lowering_scope
from tests.layers import references
from tests.layers.grid import MASK, UNITS, inputs
from tests.layers.test_keras_parity import gradients
from tests.weights import randomize

OWN = {"gru": GRUCell, "sru": SRUCell}


class Battery(testing.TestCase):
    """Gives access to `run_layer_test`."""

    def runTest(self):
        """Nothing: the test below calls the battery."""


def make(cell, units=UNITS, merge_mode=None, **options):
    """An LSTM forwards and another cell backwards, with random weights."""
    layer = Bidirectional(
        Recurrent(LSTMCell(UNITS), **options),
        merge_mode,
        Recurrent(OWN[cell](units), go_backwards=True, **options),
    )
    layer.build(inputs().shape)
    return randomize(layer)


def directions(layer, cell, x, mask, initial):
    """The two walks of the reference: outputs in time order, and final states."""
    forward, backward = layer.forward_layer, layer.backward_layer
    options = {"mask": mask, "zero_output_for_mask": layer.forward_layer.return_sequences}
    ahead, ahead_state = references.run("lstm", x, forward.get_weights(), initial[:2], **options)
    back, back_state = references.run(
        cell, x, backward.get_weights(), initial[2:], go_backwards=True, **options
    )
    return ahead, np.flip(back, 1), [*ahead_state, *back_state]


@pytest.mark.parametrize("lowering", ["sequential", "loop", "scan"])
@pytest.mark.parametrize("cell", OWN)
def test_equals_reference(cell, lowering):
    layer = make(cell, units=7, return_sequences=True, return_state=True)
    x = inputs()
    initial = [inputs(size, seed=size + k)[:, 0] for k, size in enumerate((UNITS, UNITS, 7))]
    ahead, back, states = directions(layer, cell, x, MASK, initial)
    with lowering_scope(lowering):
        results = layer(x, initial_state=initial, mask=MASK)
    assert len(results) == 5
    for one, other in zip(results, [ahead, back, *states], strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-5)
    layer.merge_mode = "concat"
    joined = layer(x, initial_state=initial, mask=MASK)[0]
    np.testing.assert_allclose(joined, np.concatenate([ahead, back], -1), rtol=1e-5, atol=1e-5)
    assert layer.compute_output_shape(x.shape)[0] == tuple(joined.shape)


@pytest.mark.parametrize("merge_mode", [None, "sum", "concat"])
@pytest.mark.parametrize("sequences", [False, True])
def test_battery(merge_mode, sequences):
    size = (3, 4) if sequences else (3,)
    shape = {None: ((*size, 5), (*size, 5)), "sum": (*size, 5), "concat": (*size, 10)}[merge_mode]
    backward = Recurrent(GRUCell(5), go_backwards=True, return_sequences=sequences)
    Battery().run_layer_test(
        Bidirectional,
        init_kwargs={
            "layer": Recurrent(SRUCell(5), return_sequences=sequences),
            "merge_mode": merge_mode,
            "backward_layer": backward if merge_mode != "concat" else None,
        },
        input_shape=(3, 4, 6),
        expected_output_shape=shape,
        expected_num_trainable_weights=5 if merge_mode != "concat" else 4,
        expected_num_non_trainable_weights=0,
        expected_num_seed_generators=2,
        supports_masking=True,
        # The battery fits a single output only.
        run_training_check=merge_mode is not None,
    )


def test_masks_follow_the_outputs():
    x, mask = keras.Input((None, 3)), np.ones((2, 4), bool)
    apart = make("gru", return_sequences=True, return_state=True)
    assert apart.compute_mask(x, mask) == (mask, mask, None, None, None)
    assert make("gru").compute_mask(x, mask) == (None, None)
    assert make("gru", merge_mode="sum", return_sequences=True).compute_mask(x, mask) is mask
    assert Bidirectional(Recurrent(GRUCell(2))).compute_mask(x, mask) is None


@pytest.mark.parametrize("merge_mode", [None, "ave"])
def test_equals_keras_in_value_and_gradient(merge_mode):
    theirs = layers.Bidirectional(
        layers.LSTM(UNITS, return_sequences=True),
        merge_mode,
        backward_layer=layers.GRU(UNITS, return_sequences=True, go_backwards=True),
    )
    ours = make("gru", merge_mode=merge_mode, return_sequences=True)
    theirs.build(inputs().shape)
    theirs.set_weights(ours.get_weights())
    merged = [layer if merge_mode else Joined(layer) for layer in (theirs, ours)]
    expected, result = (gradients(layer, inputs(), MASK) for layer in merged)
    for one, other in zip(result, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=2e-5)


class Joined(layers.Layer):
    """Both outputs side by side, the second one doubled."""

    def __init__(self, layer):
        super().__init__()
        self.layer = layer
        self.built = True

    def call(self, x, mask=None):
        one, other = self.layer(x, mask=mask)
        return ops.concatenate([one, 2 * other], -1)


def test_a_model_with_both_is_saved_and_loaded(tmp_path):
    features = keras.Input((None, 3))
    ahead, back = make("gru", return_sequences=True)(features)
    model = keras.Model(features, Recurrent(GRUCell(2))(ahead - back))
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(loaded(inputs()), model(inputs()), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(
    ("backward", "merge_mode", "message"),
    [
        (GRUCell(3), None, "`backward_layer` must be a kzoo.layers.Recurrent with go_backwards"),
        (Recurrent(GRUCell(3)), None, "`backward_layer` must be .* with go_backwards=True"),
        (
            Recurrent(GRUCell(3), go_backwards=True, return_sequences=True),
            None,
            "must have return_sequences=False, as `layer` has. Received: return_sequences=True",
        ),
        (Recurrent(GRUCell(4), go_backwards=True), "mul", "outputs of size 3, .* size 4"),
    ],
)
def test_bad_arguments_are_named(backward, merge_mode, message):
    with pytest.raises(ValueError, match=message):
        Bidirectional(Recurrent(LSTMCell(3)), merge_mode, backward)
