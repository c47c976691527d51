"""Word vectors that were learnt elsewhere, in the embedding of a model."""

import keras
import numpy as np
from keras import ops

from kzoo.layers import NGramEmbedding


def load_embeddings(model, vocabulary, vectors, layer=None):
    """Starts the rows of a model's embedding at known vectors; other rows stay as they are.

    Args:
        model: A `keras.Model` that embeds ids of `vocabulary`: a classifier, a tagger, a language
            model, an encoder-decoder or a BERT.
        vocabulary: List of str, the words of the ids, such as a tokenizer's `vocabulary`.
        vectors: `kzoo.text.WordVectors`, or what has such `words` and `table`. A row of zeros is
            none.
        layer: Name of the embedding layer, where several have as many rows as the vocabulary.

    Returns:
        Number of rows that were set.

    Raises:
        ValueError: if no layer, or more than one, is such an embedding, or it is not as wide as the
            vectors.

    Example:

    >>> import kzoo
    >>> from kzoo.text import WordVectors
    >>> sizes = {"vocabulary_size": 3, "num_classes": 2, "embedding_dim": 2, "units": 4}
    >>> model = kzoo.create_model("text_sru", **sizes)
    >>> load_embeddings(model, ["[PAD]", "good", "bad"], WordVectors(["good"], [[1, 2]]))
    1
    """
    found = {
        one.name: one
        for one in model._flatten_layers(include_self=False)
        if isinstance(one, keras.layers.Embedding | NGramEmbedding)
        and one.input_dim == len(vocabulary)
        and layer in (None, one.name)
    }
    if len(found) != 1:
        raise ValueError(
            f"`layer` must name one embedding of {len(vocabulary)} rows. "
            f"Received: layer={layer!r}, with which there are {sorted(found)}"
        )
    (embedding,) = found.values()
    if embedding.output_dim != vectors.table.shape[1]:
        raise ValueError(
            f"`vectors` must be as wide as the embedding, {embedding.output_dim}. "
            f"Received: vectors of width {vectors.table.shape[1]}"
        )
    is_ngrams = isinstance(embedding, NGramEmbedding)
    variable = embedding.tables[0] if is_ngrams else embedding.embeddings
    places = {word: row for row, word in enumerate(vectors.words) if vectors.table[row].any()}
    ids = [id for id, word in enumerate(vocabulary) if word in places]
    table = np.array(ops.convert_to_numpy(variable))
    table[ids] = vectors.table[[places[vocabulary[id]] for id in ids]]
    variable.assign(table)
    return len(ids)
