"""The neural probabilistic language model: the next word from those few before it."""

import keras

from kzoo.layers.checks import check_sizes


def nnlm(
    *,
    vocabulary_size,
    embedding_dim=100,
    order=5,
    units=64,
    direct=False,
    dropout=0.0,
    name="nnlm",
):
    """Builds the language model that word vectors come from.

        x = [e_{t-n+1}; ...; e_{t-1}],    s = b + U tanh(d + H x) (+ W x)

    Wiring: embeddings of the words before, one after the other; a hidden layer; scores.

    Source: Bengio et al. 2003, "A Neural Probabilistic Language Model" (JMLR 3), section 2.

    Args:
        vocabulary_size: Number of ids.
        embedding_dim: Width of a vector.
        order: `n`, so that `order - 1` words are read.
        units: Width of the hidden layer.
        direct: Whether the words are also scored without it, by `W`.
        dropout: Fraction of features dropped before the scores.
        name: Name of the model.

    Returns:
        A `keras.Model` from ids `(batch, order - 1)`, such as `kzoo.training.NextWords` gives, to
        the logits `(batch, vocabulary_size)` of the next one. The vectors are the weights of its
        layer "word_vectors".

    Example:

    >>> import numpy as np
    >>> model = nnlm(vocabulary_size=20, embedding_dim=8, order=3, units=4)
    >>> tuple(model(np.array([[4, 5]])).shape)
    (1, 20)
    """
    check_sizes(vocabulary_size=vocabulary_size, embedding_dim=embedding_dim, units=units)
    if isinstance(order, bool) or not isinstance(order, int) or order < 2:
        raise ValueError(f"`order` must be an integer from 2. Received: order={order!r}")
    # Layers
    words = keras.layers.Embedding(vocabulary_size, embedding_dim, name="word_vectors")
    hidden = keras.layers.Dense(units, activation="tanh", name="hidden")
    scores = keras.layers.Dense(vocabulary_size, name="scores")
    # Wiring
    ids = keras.Input((order - 1,), dtype="int32", name="ids")
    before = keras.layers.Flatten(name="before")(words(ids))
    logits = scores(keras.layers.Dropout(dropout, name="dropout")(hidden(before)))
    if direct:
        logits = logits + keras.layers.Dense(vocabulary_size, use_bias=False, name="direct")(before)
    return keras.Model(ids, logits, name=name)
