"""A BERT that tags words."""

import keras

from kzoo.layers import CRF, TakeSteps
from kzoo.layers.checks import check_sizes
from kzoo.models.bert import draw_kernels
from kzoo.models.tagger import check_head, spell


def bert_word_tagger(
    encoder,
    num_tags,
    head="crf",
    constraints=None,
    dropout=0.1,
    character_vocabulary_size=None,
    name="bert_word_tagger",
    **characters,
):
    """Adds a tag for each word, read at its first piece.

    Wiring: the steps of the encoder at which words begin, beside what their characters say, one
    score for each tag, and a conditional random field or a softmax over them.

    Source: Devlin et al. 2019 (arXiv 1810.04805), section 5.3; the random field and the characters
    as in `kzoo.models.tagger`.

    Args:
        encoder: Model of `kzoo.models.bert`, such as `load_bert` returns.
        num_tags: Number of tags, at least 2.
        head: "crf" or "softmax".
        constraints: As in `kzoo.models.tagger`.
        dropout: Fraction of features dropped before the scores, and of the characters.
        character_vocabulary_size: Number of character ids, padding included; without it there is
            no input of characters.
        name: Name of the model.
        **characters: As in `kzoo.models.tagger`.

    Returns:
        A `keras.Model` from the inputs of the encoder and `words`, int32 `(batch, words)`, the
        position of each word's first piece (0 is padding), and `characters`, `(batch, words,
        letters)`, to what `kzoo.models.tagger` gives. `kzoo.text.BertTaggingTokenizer` makes the
        inputs, `tag_decoder` reads tags out of the output.

    Example:

    >>> from kzoo.models import create_model
    >>> encoder = create_model("bert_tiny", vocabulary_size=20)
    >>> bert_word_tagger(encoder, 4, head="softmax").output_shape
    (None, None, 4)
    """
    check_sizes(num_tags=num_tags)
    check_head(head, constraints)
    # Layers
    beginnings = TakeSteps(name="beginnings")
    dropping = keras.layers.Dropout(dropout, name="dropout_scores")
    activation = "softmax" if head == "softmax" else None
    scores = keras.layers.Dense(
        num_tags, activation, name="probabilities" if head == "softmax" else "scores"
    )
    # Wiring
    words = keras.Input((None,), dtype="int32", name="words")
    inputs = {**encoder.input, "words": words}
    features = beginnings([encoder.output["sequence"], words])
    if character_vocabulary_size is not None:
        letters = keras.Input((None, None), dtype="int32", name="characters")
        inputs["characters"] = letters
        spelled = spell(letters, character_vocabulary_size, dropout, **characters)
        features = keras.layers.Concatenate(name="features")([features, spelled])
    outputs = scores(dropping(features))
    draw_kernels(scores)
    if head == "crf":
        outputs = CRF(num_tags, **(constraints or {}), name="potentials")(outputs)
    return keras.Model(inputs, outputs, name=name)
