"""What the attention cell and its attentions promise beyond their equations."""

import keras
import numpy as np
import pytest
from keras import ops

from kzoo.layers import (
    AttentionCell,
    BahdanauAttention,
    GRUCell,
    LocationSensitiveAttention,
    LuongAttention,
    LuongLocalMonotonicAttention,
    LuongLocalPredictiveAttention,
    MonotonicBahdanauAttention,
    MonotonicLuongAttention,
    Recurrent,
    ZoneoutCell,
    coverage_loss,
)
from kzoo.layers.monotonic import expected_alignments, hard_alignments, step_noise
from tests.layers.attention_cases import (
    BATCH,
    CASES,
    FEATURES,
    MEMORY_MASK,
    SOURCE,
    TIME,
    UNITS,
    VALUE_SIZE,
    draw,
    make_cell,
    make_decoder,
)

X, MEMORY = draw(BATCH, TIME, FEATURES), draw(BATCH, SOURCE, VALUE_SIZE, seed=1)


def walk(layer, **options):
    return ops.convert_to_numpy(layer(X, memory=MEMORY, memory_mask=MEMORY_MASK, **options))


def test_every_attention_is_under_test():
    attentions = {AttentionCell.__module__} | {
        cls.__name__ for cls in _all_below(BahdanauAttention) | _all_below(LuongAttention)
    }
    tested = {type(case.make(4)).__name__ for case in CASES.values()}
    assert attentions - {AttentionCell.__module__, "LuongLocalAttention"} == tested


def _all_below(cls):
    return {cls}.union(*(_all_below(child) for child in cls.__subclasses__()))


@pytest.mark.parametrize("feeding", [False, True])
def test_recurrent_dropout_reaches_the_inner_cell(feeding):
    """At a rate of nearly one it does what a recurrent kernel of zeros does."""
    layer = make_decoder("bahdanau", feeding=feeding)
    layer.recurrent_dropout = 1 - 1e-6
    dropped = walk(layer, training=True)
    assert abs(dropped - walk(layer)).max() > 0.05
    layer.cell.cell.recurrent_kernel.assign(np.zeros((UNITS, 3 * UNITS)))
    np.testing.assert_allclose(dropped, walk(layer), rtol=1e-5, atol=1e-6)


def test_states_of_one_walk_begin_the_next():
    """All states at once, those of the attention too."""
    for name in CASES:
        layer = make_decoder(name, return_state=True)
        memory = draw(BATCH, SOURCE, CASES[name].value_size(), seed=1)
        whole, *_ = layer(X, memory=memory)
        first, *state = layer(X[:, :4], memory=memory)
        second, *_ = layer(X[:, 4:], initial_state=state, memory=memory)
        both = np.concatenate([first, second], axis=1)
        np.testing.assert_allclose(both, whole, rtol=1e-5, atol=1e-5)


def test_the_mask_of_the_memory_comes_with_it():
    ids = np.array([[3, 1, 2, 0, 0], [4, 0, 0, 0, 0]])
    source = keras.Input((None,), dtype="int32")
    sequences = keras.Input((None, FEATURES))
    memory = keras.layers.Embedding(5, VALUE_SIZE, mask_zero=True)(source)
    layer = make_decoder("bahdanau")
    model = keras.Model([source, sequences], layer(sequences, memory=memory))
    long, short = model([ids, X[:2]]), model([ids[:, :3], X[:2]])
    np.testing.assert_allclose(long, short, rtol=1e-5, atol=1e-6)
    context, _ = layer.cell.attention(draw(2, UNITS), memory)
    assert context.shape == (None, VALUE_SIZE)


def test_zoneout_inside_without_input_feeding():
    """Its noise is drawn for all steps at once, before the walk."""
    cell = AttentionCell(ZoneoutCell(GRUCell(4), 0.5), BahdanauAttention(3), input_feeding=False)
    layer = Recurrent(cell, return_sequences=True)
    assert abs(walk(layer, training=True) - walk(layer)).max() > 1e-3
    np.testing.assert_array_equal(walk(layer), walk(layer))


def recursion(probabilities, previous):
    """Raffel's recursion, position by position in float64."""
    alignments, arrived = np.zeros_like(previous), 0.0
    for j, (stops, mass) in enumerate(zip(probabilities, previous, strict=True)):
        arrived += mass
        alignments[j] = stops * arrived
        arrived *= 1 - stops
    return alignments


@pytest.mark.parametrize("scale", [1, 30, 1000])
def test_expected_alignments_stay_exact_in_a_long_memory(scale):
    """Where products of `1 - p` vanish, the mass behind them must not."""
    rng = np.random.default_rng(0)
    scores = rng.normal(size=(3, 300)) * scale
    previous = rng.dirichlet(np.ones(300), size=3)
    mask = np.ones((3, 300), "float32")
    arguments = scores.astype("float32"), mask, previous.astype("float32")
    found = ops.convert_to_numpy(expected_alignments(*arguments))
    with np.errstate(over="ignore"):
        probabilities = 1 / (1 + np.exp(-scores))
    for row in range(3):
        expected = recursion(probabilities[row], previous[row])
        assert expected[250:].sum() > 0.01
        np.testing.assert_allclose(found[row], expected, rtol=2e-3, atol=1e-6)


def test_hard_alignments_are_the_expected_ones_of_a_sure_reader():
    rng = np.random.default_rng(0)
    scores = np.where(rng.random((50, 9)) < 0.3, 60, -60).astype("float32")
    mask = (rng.random((50, 9)) < 0.8).astype("float32")
    previous = np.eye(9, dtype="float32")[rng.integers(0, 9, 50)]
    hard = ops.convert_to_numpy(hard_alignments(scores, mask, previous))
    np.testing.assert_allclose(expected_alignments(scores, mask, previous), hard, atol=1e-6)
    assert 10 < hard.sum() < 50


@pytest.mark.parametrize("layer", [MonotonicBahdanauAttention, MonotonicLuongAttention])
def test_monotonic_is_noisy_and_soft_in_training_and_hard_without(layer):
    keras.utils.set_random_seed(0)
    cell = AttentionCell(GRUCell(UNITS), layer(UNITS, initial_score_bias=0.0))
    decoder = Recurrent(cell, return_sequences=True)
    hard, soft, other = walk(decoder), walk(decoder, training=True), walk(decoder, training=True)
    np.testing.assert_array_equal(hard, walk(decoder))
    assert abs(soft - other).max() > 1e-3
    contexts = hard[..., UNITS:]
    for row, memory in zip(contexts, MEMORY, strict=True):
        for context in row:
            values = [*memory, np.zeros(VALUE_SIZE)]
            assert min(abs(value - context).max() for value in values) < 1e-6
    assert abs(contexts).max() > 0.1
    for row, memory in zip(soft[1:, 0, UNITS:], MEMORY[1:], strict=True):
        assert min(abs(value - row).max() for value in memory) > 1e-3


def test_noise_is_normal_and_new_at_every_step():
    phases = np.random.default_rng(0).random((40, 50, 4)).astype("float32")
    noise = np.stack(
        [step_noise(phases, np.full((40, 1), t, "float32")) for t in range(200)], axis=-1
    ).reshape(-1, 200)
    np.testing.assert_allclose(noise.mean(), 0, atol=0.01)
    np.testing.assert_allclose(noise.std(), 1, atol=0.01)
    # Shares of a normal distribution within one, two and three deviations.
    shares = [(abs(noise) < deviation).mean() for deviation in (1, 2, 3)]
    np.testing.assert_allclose(shares, [0.6827, 0.9545, 0.9973], atol=0.005)
    for one in (noise, abs(noise)):
        correlations = np.corrcoef(one[:, :40].T) - np.eye(40)
        assert abs(correlations).max() < 0.12
        assert abs(correlations).mean() < 0.025


def test_coverage_loss_counts_what_is_read_twice():
    alignments = np.random.default_rng(0).dirichlet(np.ones(4), size=(2, 5))
    loss = ops.convert_to_numpy(coverage_loss(alignments.astype("float32")))
    for row in range(2):
        covered = np.zeros(4)
        for t in range(5):
            expected = sum(min(a, c) for a, c in zip(alignments[row, t], covered, strict=True))
            np.testing.assert_allclose(loss[row, t], expected, rtol=1e-5, atol=1e-6)
            covered += alignments[row, t]


def attend(cell, **options):
    return lambda: Recurrent(cell(), **options)(X, memory=MEMORY)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: BahdanauAttention(0), "`units` must be a positive integer. Received: units=0"),
        (lambda: LuongAttention(True), "`units` must be a positive integer. Received: units=True"),
        (lambda: LuongAttention(3, "bilinear"), "`score` must be one of .* score='bilinear'"),
        (
            lambda: LuongAttention(3)(X[:, 0, :2], MEMORY),
            "`units` must be the width of the query, 2, with score='general'. Received: units=3",
        ),
        (
            lambda: LuongAttention(3, "dot")(X[:, 0], MEMORY),
            "`units` must be the width of the values, 4, with score='dot'. Received: units=3",
        ),
        (
            lambda: LuongLocalMonotonicAttention(3, half_window=0),
            "`half_window` must be a positive integer. Received: half_window=0",
        ),
        (
            lambda: LuongLocalPredictiveAttention(3, half_window=1.5),
            "`half_window` must be a positive integer. Received: half_window=1.5",
        ),
        (
            lambda: LocationSensitiveAttention(3, filters=-1),
            "`filters` must be a positive integer. Received: filters=-1",
        ),
        (
            lambda: LocationSensitiveAttention(3, kernel_size=0),
            "`kernel_size` must be a positive integer. Received: kernel_size=0",
        ),
        (
            lambda: MonotonicLuongAttention(3, sigmoid_noise=-1),
            "`sigmoid_noise` must not be negative. Received: sigmoid_noise=-1",
        ),
        (
            lambda: AttentionCell(keras.layers.GRUCell(3), BahdanauAttention(3)),
            "`cell` must be a kzoo.layers.Cell without attention. Received: cell=<GRUCell",
        ),
        (
            lambda: AttentionCell(make_cell("bahdanau"), BahdanauAttention(3)),
            "`cell` must be a kzoo.layers.Cell without attention. Received: cell=<AttentionCell",
        ),
        (
            lambda: AttentionCell(GRUCell(3), keras.layers.Attention()),
            "`attention` must be a kzoo.layers.Attention. Received: attention=<Attention",
        ),
        (
            lambda: AttentionCell(GRUCell(3), BahdanauAttention(3), 0),
            "`attention_layer_size` must be a positive integer. Received: attention_layer_size=0",
        ),
        (lambda: Recurrent(make_cell("coverage"))(X), "`memory` must be given to a cell that att"),
        (attend(lambda: GRUCell(3)), "`memory` must be given to a cell that attends to it, and"),
        (
            attend(lambda: make_cell("coverage"), stateful=True),
            "`stateful` must be False where the cell attends to a memory.",
        ),
        (
            lambda: Recurrent(make_cell("coverage"))(X, [X[:, 0]] * 2, memory=MEMORY),
            "`initial_state` must have 3 tensors. Received: 2",
        ),
    ],
)
def test_bad_arguments_are_named(build, message):
    with pytest.raises(ValueError, match=message):
        build()
