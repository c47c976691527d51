"""Word2vec: skip-gram, the continuous bag of words, and skip-gram of subwords (FastText)."""

import keras
from keras import ops

from kzoo.layers import SparseEmbedding, SubwordEmbedding
from kzoo.layers.checks import check_sizes


def skip_gram(*, vocabulary_size, embedding_dim=100, name="skip_gram"):
    """Builds word2vec's skip-gram: a word foretells the words around it.

        s(w, c) = u_c . v_w

    Wiring: rows `v` of the table "word_vectors" and `u` of "context_vectors" for a stretch of text,
    and `u` for noise words; the products of all `v` with all `u`.

    The gradients are those of few rows, and `keras.optimizers.SGD` moves no others on TensorFlow as
    long as `compile` has `jit_compile=False`. On JAX, and under XLA, they are as large as the
    tables.

    Source: Mikolov et al. 2013, "Distributed Representations of Words and Phrases and their
    Compositionality" (arXiv 1310.4546).

    Args:
        vocabulary_size: Number of ids.
        embedding_dim: Width of a vector.
        name: Name of the model.

    Returns:
        A `keras.Model` from what `kzoo.training.WordWindows` gives, `ids` `(batch, time)` and
        `noise` `(batch, count)`, to scores `(batch, time, time + count)`. The vectors are the
        weights of its layer "word_vectors".

    Example:

    >>> import numpy as np
    >>> model = skip_gram(vocabulary_size=20, embedding_dim=8)
    >>> inputs = {"ids": np.array([[7, 5, 9]]), "noise": np.array([[4, 6]])}
    >>> tuple(model(inputs).shape)
    (1, 3, 5)
    """
    check_sizes(vocabulary_size=vocabulary_size, embedding_dim=embedding_dim)
    # Layers
    words = _words(vocabulary_size, embedding_dim)
    contexts = _contexts(vocabulary_size, embedding_dim)
    # Wiring
    return _skip_gram(words, contexts, name)


def fast_text(
    *,
    vocabulary_size,
    embedding_dim=100,
    num_buckets=65536,
    min_order=3,
    max_order=6,
    max_subwords=32,
    name="fast_text",
):
    """Builds a skip-gram whose words are made of their letters, see `kzoo.layers.SubwordEmbedding`.

    Tell its layer "word_vectors" by `adapt` how words are spelled before training. `nearest_words`
    makes a model of it that has vectors for words which training never saw.

    Source: Bojanowski et al. 2017, "Enriching Word Vectors with Subword Information" (arXiv
    1607.04606).

    Args:
        vocabulary_size: Number of ids.
        embedding_dim: Width of a vector.
        num_buckets: Rows of the table of n-grams of letters.
        min_order: Letters of the shortest n-gram.
        max_order: Letters of the longest n-gram.
        max_subwords: Most n-grams of a word.
        name: Name of the model.

    Returns:
        As `skip_gram`.

    Example:

    >>> import numpy as np
    >>> model = fast_text(vocabulary_size=20, embedding_dim=8, num_buckets=50)
    >>> inputs = {"ids": np.array([[7, 5, 9]]), "noise": np.array([[4, 6]])}
    >>> tuple(model(inputs).shape)
    (1, 3, 5)
    """
    check_sizes(vocabulary_size=vocabulary_size, embedding_dim=embedding_dim)
    # Layers
    words = SubwordEmbedding(
        vocabulary_size,
        embedding_dim,
        num_buckets,
        min_order,
        max_order,
        max_subwords,
        name="word_vectors",
    )
    contexts = _contexts(vocabulary_size, embedding_dim)
    # Wiring
    return _skip_gram(words, contexts, name)


def _skip_gram(words, contexts, name):
    inputs = _inputs()
    outputs = contexts(ops.concatenate([inputs["ids"], inputs["noise"]], axis=1))
    scores = ops.matmul(words(inputs["ids"]), ops.swapaxes(outputs, 1, 2))
    return keras.Model(inputs, scores, name=name)


def cbow(*, vocabulary_size, embedding_dim=100, name="cbow"):
    """Builds word2vec's continuous bag of words: the words around a word foretell it.

        s(C, w) = u_w . mean of v_c over c in C

    What moves the mean moves every word of the window by as much, as in the authors' program
    word2vec.c, and not by its share.

    Wiring and gradients as in `skip_gram`.

    Source: Mikolov et al. 2013, "Efficient Estimation of Word Representations in Vector Space"
    (arXiv 1301.3781), section 3.1.

    Args:
        vocabulary_size: Number of ids.
        embedding_dim: Width of a vector.
        name: Name of the model.

    Returns:
        A `keras.Model` from what `kzoo.training.WordWindows` gives with `bag=True`, `ids` `(batch,
        time)`, `noise` `(batch, count)` and boolean `windows` `(batch, time, time)`, to scores
        `(batch, time, 1 + count)`, of the word itself first. The vectors are the weights of its
        layer "word_vectors".

    Example:

    >>> import numpy as np
    >>> model = cbow(vocabulary_size=20, embedding_dim=8)
    >>> inputs = {"ids": np.array([[7, 5, 9]]), "noise": np.array([[4, 6]])}
    >>> tuple(model({**inputs, "windows": np.ones((1, 3, 3), bool)}).shape)
    (1, 3, 3)
    """
    check_sizes(vocabulary_size=vocabulary_size, embedding_dim=embedding_dim)
    # Layers
    words = _words(vocabulary_size, embedding_dim)
    contexts = _contexts(vocabulary_size, embedding_dim)
    # Wiring
    inputs = {**_inputs(), "windows": keras.Input((None, None), dtype="bool", name="windows")}
    vectors = words(inputs["ids"])
    windows = ops.cast(inputs["windows"], vectors.dtype)
    sizes = ops.maximum(ops.sum(windows, axis=2, keepdims=True), 1)
    sums = ops.matmul(windows, vectors)
    means = sums + ops.stop_gradient(sums / sizes - sums)
    own = ops.sum(means * contexts(inputs["ids"]), axis=2, keepdims=True)
    noise = ops.matmul(means, ops.swapaxes(contexts(inputs["noise"]), 1, 2))
    return keras.Model(inputs, ops.concatenate([own, noise], axis=2), name=name)


def _inputs():
    return {name: keras.Input((None,), dtype="int32", name=name) for name in ("ids", "noise")}


def _words(vocabulary_size, embedding_dim):
    # As word2vec begins.
    start = keras.initializers.RandomUniform(-0.5 / embedding_dim, 0.5 / embedding_dim)
    return SparseEmbedding(vocabulary_size, embedding_dim, start, name="word_vectors")


def _contexts(vocabulary_size, embedding_dim):
    return SparseEmbedding(vocabulary_size, embedding_dim, "zeros", name="context_vectors")
