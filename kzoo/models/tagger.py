"""Aligned many-to-many models: a tag for each word, or for each character."""

import keras

from kzoo.layers import (
    CELLS,
    CRF,
    BestClass,
    Bidirectional,
    Marginals,
    MaxPooling,
    MeanPooling,
    NGramEmbedding,
    Recurrent,
    TimeDistributed,
    TokenDropout,
    Viterbi,
    ZeroMasked,
)
from kzoo.layers.checks import check_sizes
from kzoo.models.encoders import ATTENDING, walk

HEADS = ("crf", "softmax")


def tagger(
    *,
    vocabulary_size,
    num_tags,
    character_vocabulary_size=None,
    embedding_dim=100,
    token_dropout=0.1,
    head="crf",
    constraints=None,
    cell="lstm",
    units=128,
    num_layers=1,
    bidirectional=True,
    dropout=0.5,
    connection=None,
    ngrams=None,
    name="tagger",
    **characters,
):
    """Builds a tagger of words, or of characters.

    Wiring: embedding of the words (id 0 is padding and masked) beside what their characters say,
    encoder, one score for each tag, and a conditional random field or a softmax over them.

    Sources: Huang, Xu and Yu 2015, "Bidirectional LSTM-CRF Models for Sequence Tagging" (arXiv
    1508.01991); with recurrent characters Lample et al. 2016, "Neural Architectures for Named
    Entity Recognition" (arXiv 1603.01360); with convolved ones Ma and Hovy 2016, "End-to-end
    Sequence Labeling via Bi-directional LSTM-CNNs-CRF" (arXiv 1603.01354).

    Args:
        vocabulary_size: Number of word ids, padding and unknown words (id 1) included.
        num_tags: Number of tags, at least 2.
        character_vocabulary_size: Number of character ids, padding included; without it there is
            no input of characters.
        embedding_dim: Width of the embedding of a word.
        token_dropout: Fraction of the words that training hides, see `kzoo.layers.TokenDropout`.
        head: "crf" or "softmax".
        constraints: Dict of the arguments of `kzoo.layers.CRF` that forbid tags, such as
            `kzoo.layers.bio_constraints` returns; for the head "crf".
        cell: Name of a recurrent cell, one of `kzoo.layers.CELLS`, or "transformer" or
            "sru_plus_plus", as in `sequence_classifier`.
        units: Width of a recurrent layer and direction, or of a block of attention.
        num_layers: Number of recurrent layers or blocks.
        bidirectional: Whether each layer walks in both directions; False makes a tagger that can
            run while the words come in, with the head "softmax".
        dropout: Fraction of features dropped before each layer and the scores.
        connection: "residual" or "highway", as in `kzoo.models.sequence_classifier`.
        ngrams: Dict of the arguments `max_order`, `num_buckets`, `ngram_dim` and `hash_seed` of
            `kzoo.layers.NGramEmbedding`, for n-grams of the words, or of the characters that are
            tagged; None is none.
        name: Name of the model.
        **characters:
            `character_encoder`: name of a recurrent cell, or "cnn"; "lstm" by default.
            `character_dim`: width of the embedding of a character; 32 by default.
            `character_units`: width of the encoder, in each direction; 64 by default.
            `character_order`: longest n-gram of characters; above 1, the mean of the embeddings
            of a word's n-grams (Bojanowski et al. 2017, arXiv 1607.04606, section 3.2, hashed)
            stands beside what the encoder says. 1 by default.
            `character_ngram_dim`: width of the embedding of the n-grams of each order; 16 by
            default.

    Returns:
        A `keras.Model` from the int32 ids `words`, `(batch, time)`, and `characters`, `(batch,
        time, letters)`. With the head "crf" it gives the potentials of a chain, `(batch, time,
        num_tags, num_tags)`, to be trained by `kzoo.training.CRFLoss`; with "softmax"
        probabilities, `(batch, time, num_tags)`. `tag_decoder` reads tags out of either.

    Example:

    >>> import numpy as np
    >>> sizes = dict(vocabulary_size=50, num_tags=4, units=8)
    >>> model = tagger(**sizes, character_vocabulary_size=30, character_units=4)
    >>> ids = {"words": np.array([[7, 3]]), "characters": np.array([[[5, 6, 4], [9, 0, 0]]])}
    >>> tuple(tag_decoder(model)(ids)["tags"].shape)
    (1, 2)
    """
    check_sizes(vocabulary_size=vocabulary_size, num_tags=num_tags, embedding_dim=embedding_dim)
    check_head(head, constraints)
    # Layers
    token_dropout = TokenDropout(token_dropout, name="token_dropout")
    ngrams = {"max_order": 1, **(ngrams or {})}
    embedding = NGramEmbedding(vocabulary_size, embedding_dim, **ngrams, name="embedding")
    if head == "crf":
        scores = keras.layers.Dense(num_tags, name="scores")
    else:
        scores = keras.layers.Dense(num_tags, activation="softmax", name="probabilities")
    # Wiring
    words = keras.Input((None,), dtype="int32", name="words")
    inputs = {"words": words}
    features = embedding(token_dropout(words))
    if character_vocabulary_size is not None:
        letters = keras.Input((None, None), dtype="int32", name="characters")
        inputs["characters"] = letters
        spelled = spell(letters, character_vocabulary_size, dropout, **characters)
        features = keras.layers.Concatenate(name="features")([features, spelled])
    if cell in ATTENDING:
        if connection is not None:
            raise ValueError(
                f"`connection` must be None with cell={cell!r}. Received: connection={connection!r}"
            )
        features = ATTENDING[cell](features, units, num_layers, bidirectional, dropout)
    else:
        features = walk(features, cell, units, num_layers, bidirectional, dropout, connection)
    outputs = scores(keras.layers.Dropout(dropout, name="dropout")(features))
    if head == "crf":
        outputs = CRF(num_tags, **(constraints or {}), name="potentials")(outputs)
    return keras.Model(inputs, outputs, name=name)


def check_head(head, constraints):
    """Raises ValueError unless there is such a head, and it takes the constraints."""
    if head not in HEADS:
        raise ValueError(f"`head` must be one of {HEADS}. Received: head={head!r}")
    if constraints and head != "crf":
        raise ValueError(f"`constraints` must be None with head={head!r}. Received: {constraints}")


def spell(
    letters,
    character_vocabulary_size,
    dropout,
    *,
    character_encoder="lstm",
    character_dim=32,
    character_units=64,
    character_order=1,
    character_ngram_dim=16,
):
    """Wires one vector a word, out of its characters."""
    check_sizes(
        character_vocabulary_size=character_vocabulary_size,
        character_dim=character_dim,
        character_units=character_units,
        character_order=character_order,
        character_ngram_dim=character_ngram_dim,
    )
    spelled = _read_letters(
        letters,
        character_vocabulary_size,
        dropout,
        character_encoder,
        character_dim,
        character_units,
    )
    if character_order == 1:
        return spelled
    ngrams = NGramEmbedding(
        character_vocabulary_size,
        character_ngram_dim,
        character_order,
        ngram_dim=character_ngram_dim,
        name="characters_ngrams",
    )
    means = TimeDistributed(MeanPooling(), name="words_ngrams")(ngrams(letters))
    # The mean of many small vectors is smaller still.
    means = keras.layers.LayerNormalization(name="ngrams_normalization")(means)
    return keras.layers.Concatenate(name="spelling")([spelled, means])


def _read_letters(letters, character_vocabulary_size, dropout, character_encoder, size, units):
    embedding = keras.layers.Embedding(
        character_vocabulary_size, size, mask_zero=True, name="characters_embedding"
    )
    features = keras.layers.Dropout(dropout, name="characters_dropout")(embedding(letters))
    if character_encoder == "cnn":
        convolution = keras.layers.Conv1D(
            units, 3, padding="same", activation="relu", name="characters_convolution"
        )
        features = ZeroMasked(name="characters_zero_masked")(features)
        features = TimeDistributed(convolution, name="words_convolution")(features)
        return TimeDistributed(MaxPooling(), name="words_pooling")(features)
    if character_encoder not in CELLS:
        raise ValueError(
            f"`character_encoder` must be one of {sorted([*CELLS, 'cnn'])}. "
            f"Received: character_encoder={character_encoder!r}"
        )
    layer = Recurrent(CELLS[character_encoder](units), name="characters_recurrent")
    layer = Bidirectional(layer, name="characters_bidirectional")
    return TimeDistributed(layer, name="words_recurrent")(features)


def tag_decoder(model, name="tag_decoder"):
    """Wires what is read out of a tagger behind it.

    Args:
        model: A model of `tagger`, or an `ensemble` of them.
        name: Name of the new model, which shares the layers of `model`.

    Returns:
        A `keras.Model` with the outputs `probabilities`, `(batch, time, num_tags)`, and `tags`,
        int32 `(batch, time)`: with the head "crf" the marginals of the chain and its best path, by
        Viterbi's algorithm; else the softmax and its best tag. What stands at padding has no
        meaning.

    Example:

    >>> model = tagger(vocabulary_size=50, num_tags=4, units=8, head="softmax")
    >>> sorted(tag_decoder(model).output)
    ['probabilities', 'tags']
    """
    scores = model.output
    if len(scores.shape) == 4:
        outputs = {
            "probabilities": Marginals(name="probabilities")(scores),
            "tags": Viterbi(name="tags")(scores),
        }
    else:
        outputs = {"probabilities": scores, "tags": BestClass(name="tags")(scores)}
    return keras.Model(model.input, outputs, name=name)
