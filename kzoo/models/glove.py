"""GloVe: vectors whose products are the logarithms of how often words stand together."""

import keras
from keras import ops

from kzoo.layers import SparseEmbedding
from kzoo.layers.checks import check_sizes


def glove(*, vocabulary_size, embedding_dim=100, name="glove"):
    """Builds GloVe.

        s(i, j) = w_i . c_j + b_i + d_j

    Wiring: rows `w` of the table "word_vectors" and `c` of the table "context_vectors", and one
    number of each word's own in either role. Train it by `kzoo.training.GloVeLoss` on
    `kzoo.training.Cooccurrences` with `kzoo.training.SparseAdagrad`; `word_table(model, both=True)`
    are its vectors.

    Source: Pennington, Socher and Manning 2014, "GloVe: Global Vectors for Word Representation"
    (ACL D14-1162), Eq. 7.

    Args:
        vocabulary_size: Number of ids.
        embedding_dim: Width of a vector.
        name: Name of the model.

    Returns:
        A `keras.Model` from the ids `ids` and `context_ids`, each `(batch,)`, to `(batch, 1)`.

    Example:

    >>> import numpy as np
    >>> model = glove(vocabulary_size=20, embedding_dim=8)
    >>> tuple(model({"ids": np.array([4, 5]), "context_ids": np.array([9, 4])}).shape)
    (2, 1)
    """
    check_sizes(vocabulary_size=vocabulary_size, embedding_dim=embedding_dim)
    # Layers
    start = keras.initializers.RandomUniform(-0.5 / embedding_dim, 0.5 / embedding_dim)
    roles = ("word_vectors", "context_vectors")
    tables = [SparseEmbedding(vocabulary_size, embedding_dim, start, name=role) for role in roles]
    biases = [SparseEmbedding(vocabulary_size, 1, "zeros", name=f"{role}_bias") for role in roles]
    # Wiring
    names = ("ids", "context_ids")
    inputs = {name: keras.Input((), dtype="int32", name=name) for name in names}
    one, other = (table(ids) for table, ids in zip(tables, inputs.values(), strict=True))
    scores = ops.sum(one * other, axis=1, keepdims=True)
    for bias, ids in zip(biases, inputs.values(), strict=True):
        scores = scores + bias(ids)
    return keras.Model(inputs, scores, name=name)
