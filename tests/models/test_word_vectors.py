"""Word vectors: updates equal those of a loop over pairs; presets train, save and load."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

import kzoo
from kzoo.layers import SparseEmbedding, SubwordEmbedding
from kzoo.models import load_embeddings, nearest_words, word_table
from kzoo.text import WordVectors
from kzoo.training import Cooccurrences, GloVeLoss, NegativeSamplingLoss, NextWords, WordWindows
from tests.weights import randomize

SIZES = {"vocabulary_size": 12, "embedding_dim": 6}
# Letters 4 to 11 between marks: "<a>", "<ab>", "<abc>" and so on.
LETTERS = np.zeros((12, 10), "int32")
for number in range(8):
    LETTERS[4 + number, : number + 3] = [2, *range(5, 6 + number), 3]
SENTENCES = [[4, 5, 6, 7, 8, 4], [9, 4, 10, 11, 5, 6]]


def tables(model):
    return [
        ops.convert_to_numpy(model.get_layer(name).weights[0]).astype("float64")
        for name in ("word_vectors", "context_vectors")
    ]


def compiled(model, learning_rate=0.1):
    model.compile(keras.optimizers.SGD(learning_rate), NegativeSamplingLoss(), jit_compile=False)
    return model


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def skip_gram_gradients(words, contexts, inputs, targets):
    """Mikolov et al.'s updates, a pair at a time: `(sigma(u.v) - label) u`, and of `u` with `v`."""
    slopes = np.zeros_like(words), np.zeros_like(contexts)
    for ids, noise, target in zip(inputs["ids"], inputs["noise"], targets, strict=True):
        for place, word in enumerate(ids):
            for output, weight in zip([*ids, *noise], target[place], strict=True):
                error = abs(weight) * (sigmoid(words[word] @ contexts[output]) - (weight > 0))
                slopes[0][word] += error * contexts[output]
                slopes[1][output] += error * words[word]
    return slopes


def cbow_gradients(words, contexts, inputs, targets):
    """The same for the mean of a window, all of whose words move as the mean is told to."""
    slopes = np.zeros_like(words), np.zeros_like(contexts)
    rows = zip(inputs["ids"], inputs["noise"], inputs["windows"], targets, strict=True)
    for ids, noise, windows, target in rows:
        for place, word in enumerate(ids):
            window = ids[windows[place] > 0]
            mean = words[window].mean(axis=0) if window.size else np.zeros(words.shape[1])
            for output, weight in zip([word, *noise], target[place], strict=True):
                error = abs(weight) * (sigmoid(mean @ contexts[output]) - (weight > 0))
                np.add.at(slopes[0], window, error * contexts[output])
                slopes[1][output] += error * mean
    return slopes


@pytest.mark.parametrize(
    ("name", "gradients"), [("skip_gram", skip_gram_gradients), ("cbow", cbow_gradients)]
)
def test_an_update_is_that_of_a_loop_over_pairs(name, gradients):
    windows = WordWindows(SENTENCES, 12, bag=name == "cbow", window=3, sample=0)
    inputs, targets = windows[0]
    model = compiled(randomize(kzoo.create_model(name, **SIZES)))
    before = tables(model)
    model.train_on_batch(inputs, targets)
    for old, new, slope in zip(
        before, tables(model), gradients(*before, inputs, targets), strict=True
    ):
        np.testing.assert_allclose(new, old - 0.1 * slope, atol=1e-5)


def learn(name):
    """A model of a preset, what it learns from, and the losses of its epochs."""
    text = SENTENCES * 20
    if name == "glove":
        model, data = kzoo.create_model(name, **SIZES), Cooccurrences(text, 12, batch_size=16)
        model.compile(keras.optimizers.Adagrad(0.1), GloVeLoss(), jit_compile=False)
    elif name == "nnlm":
        model, data = kzoo.create_model(name, **SIZES, direct=True), NextWords(text, batch_size=64)
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(keras.optimizers.Adam(0.02), loss, jit_compile=False)
    else:
        data = WordWindows(text, 12, bag=name == "cbow", window=2, sample=0, batch_size=2)
        sizes = {"num_buckets": 50} if name == "fast_text" else {}
        # A word is one bag where it is in several pairs.
        rate = 0.04 if name == "cbow" else 0.01
        model = compiled(kzoo.create_model(name, **SIZES, **sizes), rate)
        if name == "fast_text":
            model.get_layer("word_vectors").adapt(LETTERS)
    return model, data, model.fit(data, epochs=4, verbose=0).history["loss"]


@pytest.mark.parametrize("name", ["skip_gram", "cbow", "fast_text", "glove", "nnlm"])
def test_preset_trains_saves_and_loads(name, tmp_path):
    model, windows, losses = learn(name)
    assert losses[-1] < 0.97 * losses[0]
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    inputs, _ = windows[0]
    np.testing.assert_array_equal(
        ops.convert_to_numpy(loaded(inputs)), ops.convert_to_numpy(model(inputs))
    )


def test_glove_and_its_loss_are_those_of_the_paper():
    model = randomize(kzoo.create_model("glove", **SIZES))
    pairs = Cooccurrences([[4, 5, 6, 1, 7], [6, 5]], 12, window=2, batch_size=99)
    inputs, counts = pairs[0]
    # The unknown word is left out, so that 6 and 7 are neighbours.
    expected = {(4, 5): 1, (4, 6): 0.5, (5, 6): 2, (5, 7): 0.5, (6, 7): 1}
    found = zip(inputs["ids"].tolist(), inputs["context_ids"].tolist(), counts[:, 0], strict=True)
    both = {**expected, **{(b, a): x for (a, b), x in expected.items()}}
    assert {(a, b): x for a, b, x in found} == both
    words, contexts, one, other = (
        ops.convert_to_numpy(model.get_layer(name).weights[0]).astype("float64")
        for name in (
            *("word_vectors", "context_vectors"),
            *("word_vectors_bias", "context_vectors_bias"),
        )
    )
    total = sum(
        min(1, (x / 1.5) ** 0.75)
        * (words[i] @ contexts[j] + one[i, 0] + other[j, 0] - np.log(x)) ** 2
        for (i, j), x in both.items()
    )
    loss = GloVeLoss(maximum=1.5)(counts, model(inputs))
    np.testing.assert_allclose(float(loss), total / len(both), rtol=1e-4)
    np.testing.assert_allclose(word_table(model, both=True)[4:], (words + contexts)[4:], atol=1e-6)
    assert not word_table(model)[:4].any()


def test_a_text_may_be_shorter_than_the_window():
    inputs, counts = Cooccurrences([[4, 5, 6, 7, 8]], 9, window=10)[0]
    found = zip(inputs["ids"].tolist(), inputs["context_ids"].tolist(), counts[:, 0], strict=True)
    every = {(a, b): 1 / abs(a - b) for a in range(4, 9) for b in range(4, 9) if a != b}
    assert {(a, b): x for a, b, x in found} == pytest.approx(every)


@pytest.mark.parametrize("direct", [False, True])
def test_nnlm_follows_its_equation(direct):
    model = randomize(kzoo.create_model("nnlm", **SIZES, order=4, units=3, direct=direct))
    ids = np.array([[2, 4, 5], [7, 11, 0]])
    weights = [w.astype("float64") for w in model.get_weights()]
    by_name = dict(zip((w.path for w in model.weights), weights, strict=True))
    x = by_name["word_vectors/embeddings"][ids].reshape(2, -1)
    hidden = np.tanh(x @ by_name["hidden/kernel"] + by_name["hidden/bias"])
    scores = hidden @ by_name["scores/kernel"] + by_name["scores/bias"]
    if direct:
        scores += x @ by_name["direct/kernel"]
    np.testing.assert_allclose(ops.convert_to_numpy(model(ids)), scores, atol=1e-5)


def test_next_words_are_each_foretold_once_in_an_epoch():
    data = NextWords([[7, 8, 9], [], [5]], order=3, batch_size=2, seed=1)
    rows = {
        (*ids.tolist(), int(target))
        for n in range(len(data))
        for ids, target in zip(*data[n], strict=True)
    }
    sentences = {(2, 2, 7), (2, 7, 8), (7, 8, 9), (8, 9, 3), (2, 2, 3), (2, 2, 5), (2, 5, 3)}
    assert rows == sentences
    first = data[0][0].tolist(), data[1][0].tolist()
    data.start_epoch(3)
    assert (data[0][0].tolist(), data[1][0].tolist()) != first


def test_fast_text_is_the_mean_of_a_word_and_its_letters_and_moves_each_by_the_whole_step():
    layer = SubwordEmbedding(12, 6, num_buckets=40, min_order=2, max_order=3, max_subwords=6)
    layer.adapt(LETTERS)
    words, subwords = (ops.convert_to_numpy(w).astype("float64") for w in layer.trainable_weights)
    spelling = ops.convert_to_numpy(layer.spelling)
    # Word 5 is "<ab>": 3 pairs and 2 triples. Word 11 has more than fit; pairs come first.
    assert (spelling[[4, 5, 11]] > 0).sum(axis=1).tolist() == [3, 5, 6]
    expected = (words[5] + subwords[spelling[5, :5]].sum(0)) / 6
    np.testing.assert_allclose(ops.convert_to_numpy(layer(np.array(5))), expected, atol=1e-6)
    spelled = ops.convert_to_numpy(layer(np.arange(4, 12), LETTERS[4:]))
    np.testing.assert_allclose(ops.convert_to_numpy(layer(np.arange(4, 12))), spelled, atol=1e-6)
    unknown = ops.convert_to_numpy(layer(np.array([1]), LETTERS[5:6]))[0]
    np.testing.assert_allclose(unknown, subwords[spelling[5, :5]].mean(0), atol=1e-6)
    ids = keras.Input((), dtype="int32")
    model = keras.Model(ids, layer(ids))
    model.compile(keras.optimizers.SGD(1.0), lambda y, v: ops.sum(y * v, -1), jit_compile=False)
    slope = np.arange(6.0)[None]
    model.train_on_batch(np.array([5]), slope)
    moved = ops.convert_to_numpy(layer.words)[5] - words[5]
    np.testing.assert_allclose(moved, -slope[0], atol=1e-5)
    bucket = spelling[5, 0]
    moved = ops.convert_to_numpy(layer.subwords)[bucket] - subwords[bucket]
    np.testing.assert_allclose(moved, -slope[0] * (spelling[5] == bucket).sum(), atol=1e-5)


@pytest.mark.parametrize(
    "name", ["text_sru", "tagger_sru", "language_lstm", "language_transformer_gpt"]
)
def test_models_of_texts_start_at_vectors(name):
    sizes = dict(vocabulary_size=6, embedding_dim=8)
    sizes |= {"text": {"num_classes": 2}, "tagger": {"num_tags": 3}}.get(name.split("_")[0], {})
    model = kzoo.create_model(name, **sizes)
    vocabulary = ["[PAD]", "[UNK]", "[START]", "[END]", "good", "bad"]
    before = [ops.convert_to_numpy(weight) for weight in model.weights]
    table = np.random.default_rng(0).normal(size=(3, 8))
    table[1] = 0
    vectors = WordVectors(["bad", "good", "other"], table)
    assert load_embeddings(model, vocabulary, vectors) == 1
    changed = [
        (old, ops.convert_to_numpy(new))
        for old, new in zip(before, model.weights, strict=True)
        if (old != ops.convert_to_numpy(new)).any()
    ]
    ((old, new),) = changed
    np.testing.assert_allclose(new[5], table[0], rtol=1e-6)
    np.testing.assert_array_equal(new[:5], old[:5])
    with pytest.raises(ValueError, match="`vectors` must be as wide as the embedding, 8"):
        load_embeddings(model, vocabulary, WordVectors(["a"], [[1.0]]))
    with pytest.raises(ValueError, match=r"`layer` must name one embedding of 2 rows"):
        load_embeddings(model, ["a", "b"], vectors)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: nearest_words([1.0, 2.0]), "`table` must have two axes"),
        (lambda: nearest_words([[1.0]], count=2), r"`count` must be in \[1, 1\]"),
        (lambda: nearest_words([[1.0]], 1, subwords=3), "`subwords` must be a SubwordEmbedding"),
        (lambda: SubwordEmbedding(9, 4, num_buckets=1), "`num_buckets` must be in"),
        (lambda: SubwordEmbedding(9, 4, min_order=4, max_order=3), "`min_order` and `max_order`"),
        (lambda: NextWords([[4]], order=1), "`order` must be at least 2"),
        (lambda: Cooccurrences([[4], [5]], 9), "two words in a row"),
        (lambda: Cooccurrences([[4, 5]], 9, window=0), "`window` and `batch_size` must be"),
        (lambda: kzoo.create_model("nnlm", **SIZES, order=1), "`order` must be an integer from 2"),
    ],
)
def test_bad_arguments_are_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize("name", ["skip_gram", "cbow", "fast_text", "glove"])
def test_bad_sizes_are_named(name):
    with pytest.raises(ValueError, match="`embedding_dim` must be a positive integer"):
        kzoo.create_model(name, vocabulary_size=12, embedding_dim=0)


@pytest.mark.parametrize(
    "layer", [SparseEmbedding(9, 4), SubwordEmbedding(9, 4, num_buckets=11)], ids=["words", "parts"]
)
def test_training_reads_rows_of_tables_and_no_table(layer):
    ids = np.array([[4, 5, 8], [3, 0, 5]])
    np.testing.assert_array_equal(layer(ids, training=True), layer(ids))
    graph = tf.function(lambda x: layer(x, training=True)).get_concrete_function(ids).graph
    shapes = {tuple(weight.shape) for weight in layer.trainable_weights}
    whole = [x.outputs[0].shape for x in graph.get_operations() if x.type == "ReadVariableOp"]
    assert not shapes & {tuple(shape) for shape in whole}
