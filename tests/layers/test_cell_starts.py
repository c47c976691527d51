"""How cells start, what makes them random, and the arguments that they refuse."""

import keras
import numpy as np
import pytest
from keras import ops

from kzoo.layers import (
    EchoStateCell,
    IndRNNCell,
    IRNNCell,
    JANETCell,
    JordanCell,
    LiGRUCell,
    LSTMCell,
    PeepholeLSTMCell,
    PeepholeSRUCell,
    ProjectedLSTMCell,
    QRNNCell,
    Recurrent,
    RGLRUCell,
    SimpleRNNCell,
    SRUCell,
    WindowedQRNNCell,
    ZoneoutCell,
)
from tests.layers.grid import TIME, inputs


def built(cell, features=6):
    cell.build((None, features))
    return cell


def array(tensor):
    return ops.convert_to_numpy(tensor)


def test_forget_gates_start_open():
    np.testing.assert_array_equal(
        array(built(PeepholeLSTMCell(3, bias_initializer="ones")).bias), [1] * 3 + [2] * 3 + [1] * 6
    )
    np.testing.assert_array_equal(
        array(built(ProjectedLSTMCell(2, hidden_dim=3)).bias), [0] * 3 + [1] * 3 + [0] * 6
    )
    np.testing.assert_array_equal(array(built(JANETCell(3)).bias), [1, 1, 1, 0, 0, 0])


def test_janet_chrono_initialization():
    """exp(b_f) is uniform between 1 and T - 1."""
    cell = JANETCell(4000, max_time=101, recurrent_initializer="zeros")
    steps = np.exp(array(built(cell, 1).bias)[:4000])
    assert steps.min() >= 1 - 1e-5
    assert steps.max() <= 100 + 1e-3
    assert steps.mean() == pytest.approx(50.5, rel=0.05)
    assert steps.std() == pytest.approx(99 / 12**0.5, rel=0.05)


def test_rg_lru_starts_with_decays_of_the_paper():
    cell = built(RGLRUCell(2000), 4)
    decays = (1 / (1 + np.exp(-array(cell.decay_logit).astype("float64")))) ** 8
    assert 0.899 < decays.min() < 0.905
    assert 0.995 < decays.max() < 0.9995
    assert decays.mean() == pytest.approx((0.9 + 0.999) / 2, abs=0.003)


def test_peephole_sru_starts_with_equal_shares_and_is_the_sru_without_v():
    cell = built(PeepholeSRUCell(256, highway_bias=-1.0), 256)
    candidate, *gates = np.split(array(cell.kernel), 3, axis=1)
    assert candidate.std() == pytest.approx(256**-0.5, rel=0.02)
    for gate in gates:
        assert gate.std() == pytest.approx(512**-0.5, rel=0.02)
    assert array(cell.peephole).std() == pytest.approx(0.5**0.5, rel=0.1)
    np.testing.assert_array_equal(array(cell.bias), [0.0] * 256 + [-1.0] * 256)
    cell.peephole.assign(np.zeros((2, 256)))
    plain = built(SRUCell(256, highway_bias=-1.0), 256)
    plain.set_weights(cell.get_weights()[:2])
    x = inputs(256)
    np.testing.assert_allclose(
        array(Recurrent(cell)(x)), array(Recurrent(plain)(x)), rtol=1e-5, atol=1e-5
    )


def test_peephole_lstm_starts_as_the_lstm():
    cell = built(PeepholeLSTMCell(4))
    plain = built(LSTMCell(4))
    plain.set_weights(cell.get_weights()[:3])
    x = inputs(6)
    np.testing.assert_allclose(
        array(Recurrent(cell)(x)), array(Recurrent(plain)(x)), rtol=1e-6, atol=1e-6
    )


def test_irnn_starts_from_the_identity():
    cell = built(IRNNCell(40), 100)
    np.testing.assert_array_equal(array(cell.recurrent_kernel), np.eye(40))
    assert array(cell.kernel).std() == pytest.approx(0.001, rel=0.05)


def test_ind_rnn_stays_within_its_limit():
    layer = Recurrent(IndRNNCell(50, limit=0.8))
    model = keras.Sequential([keras.Input((TIME, 3)), layer])
    recurrent = array(layer.cell.recurrent_kernel)
    assert recurrent.min() >= 0
    assert 0.7 < recurrent.max() <= 0.8
    model.compile(keras.optimizers.SGD(10.0), "mse")
    model.fit(inputs(), np.full((len(inputs()), 50), 9.0), verbose=0)
    moved = array(layer.cell.recurrent_kernel)
    assert abs(moved).max() == pytest.approx(0.8)
    assert abs(moved - recurrent).max() > 0.01


def test_echo_state_reservoir():
    cell = built(EchoStateCell(100, connectivity=0.05, spectral_radius=1.2, input_scale=0.3))
    recurrent = array(cell.recurrent_kernel)
    assert (recurrent != 0).sum() == 500
    assert abs(np.linalg.eigvals(recurrent)).max() == pytest.approx(1.2, rel=1e-4)
    assert 0.28 < abs(array(cell.kernel)).max() <= 0.3
    for seed in range(20):
        small = array(built(EchoStateCell(4, seed=seed)).recurrent_kernel)
        assert abs(np.linalg.eigvals(small)).max() == pytest.approx(0.9, rel=1e-3)
    again, other = built(EchoStateCell(100)), built(EchoStateCell(100, seed=1))
    np.testing.assert_array_equal(array(again.kernel), array(built(EchoStateCell(100)).kernel))
    assert (array(again.kernel) != array(other.kernel)).any()


def test_zoneout_holds_random_units_in_training():
    """A hidden state that would be one everywhere, held at its start in a third of the places."""
    cell = ZoneoutCell(
        SimpleRNNCell(400, activation=keras.activations.linear, use_bias=False), rate=1 / 3
    )
    layer = Recurrent(cell, return_sequences=True)
    x = np.ones((3, 5, 1), "float32")
    layer.build(x.shape)
    layer.built = True
    layer.set_weights([np.ones((1, 400)), np.zeros((400, 400))])
    outputs = array(layer(x, training=True))
    assert set(np.unique(outputs.round(5))) == {0.0, 1.0}
    # Held for t steps in a row: (1 / 3) ** t.
    held = 1 - outputs.mean(axis=(0, 2))
    np.testing.assert_allclose(held, (1 / 3) ** np.arange(1, 6), atol=0.05)
    assert (outputs[0] != outputs[1]).any()
    assert (array(layer(x, training=True)) != outputs).any()
    expected = 1 - (1 / 3) ** np.arange(1, 6)
    evaluated = array(layer(x))
    np.testing.assert_allclose(evaluated, np.tile(expected[:, None], (3, 1, 400)), rtol=1e-5)


def test_ligru_normalizes_over_rows_and_time_in_training():
    layer = Recurrent(LiGRUCell(4))
    x = inputs() + 5
    layer(x, training=True)
    projected = array(x @ array(layer.cell.kernel)).reshape(-1, 8)
    moved = array(layer.cell.normalization.moving_mean)
    np.testing.assert_allclose(moved, 0.01 * projected.mean(axis=0), rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: ProjectedLSTMCell(4, hidden_dim=0), "`hidden_dim` must be a positive integer"),
        (lambda: JordanCell(4, hidden_dim=2.5), "`hidden_dim` must be a positive integer"),
        (lambda: JANETCell(4, max_time=2), "`max_time` must be more than 2"),
        (lambda: IndRNNCell(4, limit=0), "`limit` must be positive"),
        (lambda: QRNNCell(4, pooling="of"), "`pooling` must be one of"),
        (lambda: WindowedQRNNCell(4, window=1), "`window` must be an integer of at least 2"),
        (lambda: RGLRUCell(4, min_decay=0.9, max_decay=0.8), "`min_decay` and `max_decay` must"),
        (lambda: EchoStateCell(4, leak=0), "`leak` must be in"),
        (lambda: EchoStateCell(4, spectral_radius=-1), "`spectral_radius` must be positive"),
        (lambda: ZoneoutCell(keras.layers.LSTMCell(4)), "`cell` must be a kzoo.layers.Cell"),
        (lambda: ZoneoutCell(LSTMCell(4), rate=1.0), "`rate` must be in"),
        (lambda: ZoneoutCell(LSTMCell(4), rate=[0.1]), "a list of 2 such numbers"),
    ],
)
def test_bad_arguments_are_named(build, message):
    with pytest.raises(ValueError, match=message):
        build()
