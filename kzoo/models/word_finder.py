"""Models that are read for word vectors: their tables, and what finds the nearest words."""

import keras
import numpy as np
from keras import ops

from kzoo.layers import NearestRows, SubwordEmbedding
from kzoo.layers.checks import check_sizes

FIRST_WORD = 4  # The ids before it are padding, unknown words, start and end.


def word_table(model, both=False, batch_size=4096):
    """Returns the vectors of all words of a model of `skip_gram`, `cbow`, `fast_text`, `glove` or
    `nnlm`.

    Args:
        model: The model.
        both: Whether a word is the sum of its rows in the tables "word_vectors" and
            "context_vectors", as GloVe (Pennington et al. 2014, section 4.2) has it.
        batch_size: Ids embedded at once.

    Returns:
        float32 `(vocabulary_size, embedding_dim)`, with zeros for the special tokens.

    Example:

    >>> from kzoo.models import skip_gram
    >>> word_table(skip_gram(vocabulary_size=9, embedding_dim=8)).shape
    (9, 8)
    """
    layers = [model.get_layer(name) for name in ("word_vectors", "context_vectors")[: 1 + both]]
    ids = np.arange(layers[0].input_dim, dtype="int32")
    parts = [ids[start : start + batch_size] for start in range(0, ids.size, batch_size)]
    table = sum(
        np.concatenate([ops.convert_to_numpy(layer(part)) for part in parts]) for layer in layers
    )
    return np.where(ids[:, None] < FIRST_WORD, 0, table).astype("float32")


def nearest_words(table, count=10, subwords=None, name="nearest_words"):
    """Builds a model from words to their vectors and the words most similar to them.

    Args:
        table: `(vocabulary_size, embedding_dim)`, such as `word_table` returns.
        count: Number of words to find, of which the first is the word itself where it is known.
        subwords: The layer "word_vectors" of a `fast_text`, for vectors of words that are not
            known, too.
        name: Name of the model.

    Returns:
        A `keras.Model` from `words`, ids `(batch, time)`, and with `subwords` `characters`
        `(batch, time, letters)`, as a `kzoo.text.TaggingTokenizer` makes them, to the outputs
        `vectors` `(batch, time, embedding_dim)`, `similarities` `(batch, time, count)`, cosines,
        the largest first, and `neighbours`, int32 `(batch, time, count)`.

    Example:

    >>> model = nearest_words([[0, 0], [1, 0], [0, 3], [2, 1]], count=2)
    >>> outputs = model(np.array([[1]]))
    >>> ops.convert_to_numpy(outputs["neighbours"]).tolist()
    [[[1, 3]]]
    """
    table = np.asarray(table, "float32")
    if table.ndim != 2:
        raise ValueError(f"`table` must have two axes. Received: table of shape {table.shape}")
    check_sizes(count=count)
    # Layers
    nearest = NearestRows(len(table), count, name="nearest")
    # Wiring
    inputs = words = keras.Input((None,), dtype="int32", name="words")
    if subwords is None:
        embedding = keras.layers.Embedding(*table.shape, trainable=False, name="table")
        vectors = embedding(words)
        embedding.set_weights([table])
    else:
        if not isinstance(subwords, SubwordEmbedding):
            raise ValueError(f"`subwords` must be a SubwordEmbedding. Received: {subwords!r}")
        characters = keras.Input((None, None), dtype="int32", name="characters")
        inputs = {"words": words, "characters": characters}
        vectors = subwords(words, characters)
    similarities, neighbours = nearest(vectors)
    nearest.set_table(table)
    outputs = {"vectors": vectors, "similarities": similarities, "neighbours": neighbours}
    # The outputs of a file are called as the layers that they come from.
    outputs = {name: keras.layers.Identity(name=name)(x) for name, x in outputs.items()}
    return keras.Model(inputs, outputs, name=name)
