"""One layer at every time step: values, masks of every depth, and the cell of another library."""

import keras
import numpy as np
import pytest
from keras import layers, ops
from keras.src import testing

from kzoo.layers import GRUCell, KerasCell, MeanPooling, Recurrent, SimpleRNNCell, TimeDistributed
from tests.layers.grid import inputs
from tests.weights import randomize


class Battery(testing.TestCase):
    """Gives access to `run_layer_test`."""

    def runTest(self):
        """Nothing: the test below calls the battery."""


def words(features=3):
    """`(batch, sentences, words, features)`."""
    random = np.random.default_rng(1)
    return random.normal(size=(2, 4, 5, features)).astype("float32")


def test_battery():
    Battery().run_layer_test(
        TimeDistributed,
        init_kwargs={"layer": layers.Dense(5)},
        input_shape=(3, 4, 6),
        expected_output_shape=(3, 4, 5),
        expected_num_trainable_weights=2,
        expected_num_non_trainable_weights=0,
        expected_num_seed_generators=0,
        supports_masking=True,
    )


def test_each_step_is_the_layer_alone():
    layer = TimeDistributed(layers.Conv1D(4, 3))
    x = words()
    layer.build(x.shape)
    randomize(layer)
    kernel, bias = layer.get_weights()
    windows = [[row[:, t : t + 3] for t in range(3)] for row in x]
    expected = np.einsum("btswf,wfu->bstu", np.array(windows), kernel) + bias
    np.testing.assert_allclose(layer(x), expected, rtol=1e-5, atol=1e-5)
    theirs = layers.TimeDistributed(layer.layer)
    np.testing.assert_allclose(layer(x), theirs(x), rtol=1e-5, atol=1e-5)


def test_a_mask_of_steps_passes_and_a_mask_within_steps_is_used():
    x = words()
    mask = np.arange(5) < np.array([[5, 3, 1, 0], [2, 5, 0, 0]])[..., None]
    layer = TimeDistributed(Recurrent(GRUCell(6)))
    layer.build(x.shape)
    randomize(layer)
    outputs = ops.convert_to_numpy(layer(x, mask=mask))
    for row, step, length in ((0, 1, 3), (0, 2, 1), (1, 0, 2)):
        alone = layer.layer(x[row : row + 1, step, :length])
        np.testing.assert_allclose(outputs[row, step], alone[0], rtol=1e-5, atol=1e-5)
    # A sentence counts where any word of it does.
    symbolic = keras.Input((4, 5, 3))
    counted = layer.compute_mask(symbolic, mask)
    np.testing.assert_array_equal(counted, [[True, True, True, False], [True, True, False, False]])
    assert layer.compute_mask(symbolic, counted) is counted
    whole = TimeDistributed(Recurrent(GRUCell(6), return_sequences=True))
    assert whole.compute_mask(symbolic, mask) is mask


def test_sentences_of_words_that_are_padded_give_what_they_give_alone():
    ids = keras.Input((None, None), dtype="int32")
    x = layers.Embedding(9, 4, mask_zero=True)(ids)
    x = TimeDistributed(Recurrent(GRUCell(5)))(x)
    model = keras.Model(ids, [Recurrent(GRUCell(5))(x), MeanPooling()(x)])
    text = np.array([[[1, 2, 3], [4, 5, 0], [6, 0, 0]]])
    padded = np.pad(text, ((0, 0), (0, 2), (0, 1)))
    for one, other in zip(model(padded), model(text), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


def test_the_training_flag_arrives():
    layer = TimeDistributed(layers.Dropout(0.5))
    ones = np.ones((2, 3, 50), "float32")
    np.testing.assert_array_equal(layer(ones, training=False), ones)
    assert set(np.unique(layer(ones, training=True))) == {0.0, 2.0}


def test_states_of_stacked_cells_travel_as_a_flat_list():
    cells = [layers.SimpleRNNCell(3), layers.GRUCell(4)]
    layer = Recurrent(KerasCell(layers.StackedRNNCells(cells)), return_state=True)
    x = inputs()
    layer.build(x.shape)
    randomize(layer)
    initial = [inputs(3, seed=7)[:, 0], inputs(4, seed=8)[:, 0]]
    first = Recurrent(SimpleRNNCell(3), return_sequences=True, return_state=True)
    second = Recurrent(GRUCell(4), return_state=True)
    first.build(x.shape)
    second.build((None, None, 3))
    first.set_weights(layer.get_weights()[:3])
    second.set_weights(layer.get_weights()[3:])
    hidden, state = first(x, initial_state=initial[:1])
    expected = [*second(hidden, initial_state=initial[1:]), state]
    outputs, first_state, second_state = layer(x, initial_state=initial)
    np.testing.assert_allclose(outputs, expected[0], rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(second_state, expected[1], rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(first_state, expected[2], rtol=1e-5, atol=1e-5)


def test_a_keras_cell_drops_nothing_of_its_own():
    layer = Recurrent(KerasCell(layers.LSTMCell(3, dropout=0.9)))
    x = inputs()
    np.testing.assert_array_equal(layer(x, training=True), layer(x))


class Images(layers.Layer):
    """A cell whose state is an image."""

    state_size = 4

    def get_initial_state(self, batch_size=None):
        return [ops.zeros((batch_size, 2, 2))]


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: TimeDistributed(len), "`layer` must be a keras.layers.Layer"),
        (
            lambda: TimeDistributed(layers.Dense(2))(np.ones((2, 3), "float32")),
            "at least three axes",
        ),
        (
            lambda: TimeDistributed(layers.Dense(2))(words(), mask=np.ones((2, 3), bool)),
            r"`mask` must begin .* mask.shape=\(2, 3\), inputs.shape=\(2, 4, 5, 3\)",
        ),
        (lambda: KerasCell(layers.Dense(2)), "`cell` must be a keras.layers.Layer with"),
        (lambda: KerasCell(Images()), r"`cell` must have states of shape \(batch, size\)"),
        (
            lambda: Recurrent(KerasCell(layers.GRUCell(2)), recurrent_dropout=0.5)(
                inputs(), training=True
            ),
            "`recurrent_dropout` must be 0: .* GRUCell is not known",
        ),
    ],
)
def test_bad_arguments_are_named(build, message):
    with pytest.raises(ValueError, match=message):
        build()
