"""The conditional random field against the enumeration of all paths, and its contract."""

import itertools

import keras
import numpy as np
import pytest
from keras import ops
from keras.src import testing

from kzoo.layers import CRF, Marginals, Viterbi, bio_constraints, lowering_scope
from kzoo.layers.chain import log_likelihood, log_partition, marginals, viterbi
from kzoo.training import CRFLoss

BATCH, TIME, TAGS = 5, 4, 3
# Full, right-padded, empty, with a hole, and left-padded.
MASK = np.array([[1, 1, 1, 1], [1, 1, 0, 0], [0, 0, 0, 0], [1, 0, 1, 1], [0, 1, 1, 0]], bool)
NAMES = ["O", "B-x", "I-x"]


def random(*shape, seed=0, scale=1.5):
    return np.random.default_rng(seed).normal(scale=scale, size=shape).astype("float32")


def compute(function, *arrays):
    """What a function gives for arrays, as NumPy; compiled, for a loop step by step is slow."""
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        function = tf.function(function)
    return keras.tree.map_structure(
        ops.convert_to_numpy, function(*map(ops.convert_to_tensor, arrays))
    )


def read_out(potentials):
    """Sum, shares and best path of chains."""
    return log_partition(potentials), marginals(potentials), viterbi(potentials)


def make(**arguments):
    """A CRF with random weights."""
    layer = CRF(TAGS, **arguments)
    layer.build((None, None, TAGS))
    layer.built = True
    for seed, weight in enumerate(layer.trainable_weights):
        weight.assign(random(*weight.shape, seed=seed + 1))
    return layer


def path_scores(layer, scores, mask):
    """Score of every path of one row, in NumPy: a dict from tuples of tags."""
    transitions, start, end = (ops.convert_to_numpy(w) for w in layer.trainable_weights)
    arguments = (layer.allowed_transitions, layer.allowed_starts, layer.allowed_ends)
    allowed = [
        np.ones_like(w) if a is None else a
        for w, a in zip((transitions, start, end), arguments, strict=True)
    ]
    steps = scores[mask].astype("float64")
    found = {}
    for path in itertools.product(range(TAGS), repeat=len(steps)):
        pairs = list(itertools.pairwise(path))
        if path and not (allowed[1][path[0]] and allowed[2][path[-1]]):
            continue
        if not all(allowed[0][i][j] for i, j in pairs):
            continue
        total = sum(row[tag] for row, tag in zip(steps, path, strict=True))
        total += sum(transitions[i, j] for i, j in pairs)
        found[path] = total + (start[path[0]] + end[path[-1]] if path else 0.0)
    return found


CONSTRAINTS = {
    "free": {},
    "bio": bio_constraints(NAMES),
    "ends": {"allowed_ends": [True, False, True]},
}


@pytest.mark.parametrize("case", CONSTRAINTS)
def test_equals_the_enumeration_of_all_paths(case):
    layer, scores = make(**CONSTRAINTS[case]), random(BATCH, TIME, TAGS)
    potentials = layer(scores, mask=MASK)
    log_sums, shares, best = compute(read_out, potentials)
    tags, wanted = np.full((2, BATCH, TIME), -1), np.zeros((2, BATCH))
    np.testing.assert_allclose(shares.sum(-1), 1, rtol=1e-5)
    for row in range(BATCH):
        paths = path_scores(layer, scores[row], MASK[row])
        log_sum = np.logaddexp.reduce(list(paths.values()))
        np.testing.assert_allclose(log_sums[row], log_sum, rtol=1e-5, atol=1e-5)
        assert tuple(best[row][MASK[row]]) == max(paths, key=paths.get)
        expected = np.zeros((MASK[row].sum(), TAGS))
        for path, score in paths.items():
            for step, tag in enumerate(path):
                expected[step, tag] += np.exp(score - log_sum)
        np.testing.assert_allclose(shares[row][MASK[row]], expected, atol=1e-5)
        for index, path in enumerate([max(paths, key=paths.get), min(paths, key=paths.get)]):
            tags[index, row, MASK[row]] = path
            wanted[index, row] = paths[path] - log_sum
    likelihoods = compute(log_likelihood, np.tile(potentials, (2, 1, 1, 1)), tags.reshape(-1, TIME))
    np.testing.assert_allclose(likelihoods, wanted.ravel(), rtol=1e-4, atol=1e-4)


def test_unknown_tags_are_summed_over():
    layer, scores = make(), random(1, TIME, TAGS)
    (likelihood,) = compute(log_likelihood, layer(scores), np.array([[-1, 2, -1, 0]]))
    paths = path_scores(layer, scores[0], np.ones(TIME, bool))
    some = [score for path, score in paths.items() if path[1] == 2 and path[3] == 0]
    expected = np.logaddexp.reduce(some) - np.logaddexp.reduce(list(paths.values()))
    np.testing.assert_allclose(likelihood, expected, rtol=1e-4)


def test_gradient_equals_differences():
    chain, tags = random(2, 3, TAGS, TAGS), np.array([[2, 0, 1], [1, 1, -1]])
    upstream = np.array([1.0, -0.5], "float32")

    def function(x):
        return ops.sum(log_likelihood(x, tags) * upstream)

    moves = 0.05 * np.eye(chain.size, dtype="float32").reshape(-1, *chain.shape)
    many = np.concatenate([chain + moves, chain - moves]).reshape(-1, *chain.shape[1:])
    values = compute(log_likelihood, many, np.tile(tags, (2 * chain.size, 1)))
    up, down = (values.reshape(2, chain.size, 2) * upstream).sum(-1)
    numeric = ((up - down) / 0.1).reshape(chain.shape)
    np.testing.assert_allclose(gradient_of(function, chain), numeric, atol=2e-3)


def gradient_of(function, x):
    if keras.backend.backend() == "jax":
        import jax

        return np.array(jax.grad(function)(x))
    import tensorflow as tf

    @tf.function
    def run(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            value = function(x)
        return tape.gradient(value, x)

    return run(tf.constant(x)).numpy()


def test_the_loss_is_learnt_by_every_weight():
    scores, tags = random(8, 6, TAGS), np.random.default_rng(1).integers(0, TAGS, (8, 6))
    tags[:4, 4:] = -1
    inputs = keras.Input((None, TAGS))
    model = keras.Model(inputs, make()(inputs))
    model.compile(keras.optimizers.Adam(0.1), CRFLoss())
    before = [weight.copy() for weight in model.get_weights()]
    losses = model.fit(scores, tags, epochs=20, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    moved = zip(before, model.get_weights(), strict=True)
    assert all(abs(a - b).max() > 0.1 for a, b in moved)


def test_loss_and_layer_survive_their_configuration():
    layer = make(**bio_constraints(NAMES))
    again = CRF.from_config(layer.get_config())
    again.build((None, None, TAGS))
    again.set_weights(layer.get_weights())
    scores = random(2, TIME, TAGS)
    np.testing.assert_array_equal(again(scores), layer(scores))
    assert CRFLoss.from_config(CRFLoss().get_config()).name == "crf_loss"


@pytest.mark.parametrize(("lowering", "time"), [("loop", 70), ("unrolled", 3)])
def test_every_lowering_gives_the_same(lowering, time):
    chain = random(3, time, TAGS, TAGS)
    expected = compute(read_out, chain)
    with lowering_scope(lowering):
        outputs = compute(read_out, chain)
    for output, wanted in zip(outputs, expected, strict=True):
        np.testing.assert_allclose(output, wanted, rtol=1e-5, atol=1e-5)


def test_long_chains_stay_exact():
    """Where nothing ties the tags together, the chain is a softmax at each step."""
    scores = random(1, 2000, TAGS, scale=4.0)
    layer = CRF(TAGS)
    total, shares, best = compute(read_out, layer(scores))
    np.testing.assert_allclose(shares, ops.convert_to_numpy(ops.softmax(scores)), atol=1e-5)
    np.testing.assert_array_equal(best, scores.argmax(-1))
    expected = np.logaddexp.reduce(scores.astype("float64"), axis=-1).sum()
    np.testing.assert_allclose(total[0], expected, rtol=1e-6)


def test_a_padded_row_gives_what_it_gives_alone():
    layer, scores = make(), random(3, 7, TAGS)
    mask = np.arange(7) < np.array([[7], [3], [1]])
    _, *together = compute(read_out, layer(scores, mask=mask))
    for row, length in ((1, 3), (2, 1)):
        _, *alone = compute(read_out, layer(scores[row : row + 1, :length]))
        for output, expected in zip(together, alone, strict=True):
            np.testing.assert_allclose(output[row, :length], expected[0], atol=1e-6)


class Battery(testing.TestCase):
    """Gives access to `run_layer_test`."""

    def runTest(self):
        """Nothing: the tests below call the battery."""


def test_contract_of_the_layer():
    Battery().run_layer_test(
        CRF,
        init_kwargs={"num_tags": TAGS, **bio_constraints(NAMES)},
        input_shape=(2, 5, TAGS),
        expected_output_shape=(2, 5, TAGS, TAGS),
        expected_num_trainable_weights=3,
        expected_num_non_trainable_weights=0,
        expected_num_seed_generators=0,
        supports_masking=True,
    )


@pytest.mark.parametrize(("layer", "shape"), [(Viterbi, (2, 5)), (Marginals, (2, 5, TAGS))])
def test_contract_of_what_is_read_out(layer, shape):
    Battery().run_layer_test(
        layer,
        init_kwargs={},
        input_shape=(2, 5, TAGS, TAGS),
        expected_output_shape=shape,
        expected_num_trainable_weights=0,
        expected_num_non_trainable_weights=0,
        expected_num_seed_generators=0,
        supports_masking=False,
        run_training_check=layer is Marginals,
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"num_tags": 1}, "`num_tags` must be an integer of at least 2. Received: 1"),
        ({"num_tags": True}, "`num_tags` must be an integer"),
        ({"num_tags": 3, "allowed_starts": [True]}, r"`allowed_starts` must have shape \(3,\)"),
        ({"num_tags": 3, "allowed_transitions": [[True]]}, "`allowed_transitions` must have shape"),
    ],
)
def test_wrong_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        CRF(**arguments)


def test_wrong_scores():
    with pytest.raises(ValueError, match=r"`scores` must have shape \(batch, time, 3\)"):
        CRF(3)(random(2, 5, 4))
