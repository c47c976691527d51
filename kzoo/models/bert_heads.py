"""Heads for an encoder of `kzoo.models.bert`: what it is pretrained with and fine-tuned for.

Each takes an encoder and returns a model of the same inputs that shares its layers.
"""

import keras
from keras import ops

from kzoo.layers import MeanPooling
from kzoo.layers.bias import Bias
from kzoo.layers.checks import check_sizes
from kzoo.layers.feed_forward import ACTIVATIONS
from kzoo.models.bert import draw_kernels

POOLINGS = ("first", "mean")


def bert_masked_language_model(encoder, name="bert_masked_language_model"):
    """Adds the scores of the id at every step.

        logits = norm(activation(h W + b)) E^T + c

    `E` is the table that embeds the ids, and the activation is that of the blocks.

    Source: Devlin et al. 2019 (arXiv 1810.04805), section 3.1, task 1.

    Args:
        encoder: Model of `kzoo.models.bert`.
        name: Name of the model.

    Returns:
        A `keras.Model` with the output `masked_language` `(batch, time, vocabulary_size)`: logits.

    Example:

    >>> from kzoo.models import create_model
    >>> model = bert_masked_language_model(create_model("bert_tiny", vocabulary_size=20))
    >>> model.output["masked_language"].shape
    (None, None, 20)
    """
    outputs = {"masked_language": _masked_language(encoder, encoder.output["sequence"])}
    return _finish(encoder, encoder.input, outputs, name)


def bert_pretrainer(encoder, next_sentence=True, name="bert_pretrainer"):
    """Adds the scores of the ids at chosen steps, and of whether the second text is the next one.

    `kzoo.training.MaskedBatches` makes its batches.

    Source: Devlin et al. 2019 (arXiv 1810.04805), section 3.1.

    Args:
        encoder: Model of `kzoo.models.bert`; for the next sentence, one with a `pooled` output.
        next_sentence: Whether there is the output of that name.
        name: Name of the model.

    Returns:
        A `keras.Model` with one more input, `masked_positions`, int32 `(batch, predictions)`: the
        steps that are guessed. Its outputs are logits: `masked_language`
        `(batch, predictions, vocabulary_size)` and `next_sentence` `(batch, 2)`, where class 0 is
        the next sentence, as in the published weights.

    Example:

    >>> from kzoo.models import create_model
    >>> model = bert_pretrainer(create_model("bert_tiny", vocabulary_size=20))
    >>> model.output["masked_language"].shape, model.output["next_sentence"].shape
    ((None, None, 20), (None, 2))
    """
    positions = keras.Input((None,), dtype="int32", name="masked_positions")
    chosen = ops.take_along_axis(encoder.output["sequence"], ops.expand_dims(positions, -1), axis=1)
    outputs = {"masked_language": _masked_language(encoder, chosen)}
    if next_sentence:
        outputs["next_sentence"] = keras.layers.Dense(2, name="next_sentence")(_pooled(encoder))
    return _finish(encoder, {**encoder.input, "masked_positions": positions}, outputs, name)


def bert_classifier(encoder, num_classes, dropout=0.1, pooling="first", name="bert_classifier"):
    """Adds the class of a text or of a pair of texts.

        p = softmax(h W + b),    h = pooled, or the mean of sequence_t over the steps that count

    Source: Devlin et al. 2019 (arXiv 1810.04805), section 4.1.

    Args:
        encoder: Model of `kzoo.models.bert`; for "first", one with a `pooled` output.
        num_classes: Number of classes.
        dropout: Fraction of features dropped before the softmax.
        pooling: What is classified: "first", the `pooled` output; or "mean", the mean of all steps,
            which suits weights that were trained for the similarity of sentences.
        name: Name of the model.

    Returns:
        A `keras.Model` with the output `(batch, num_classes)`: probabilities.

    Example:

    >>> from kzoo.models import create_model
    >>> bert_classifier(create_model("bert_tiny", vocabulary_size=20), 3).output_shape
    (None, 3)
    """
    if pooling not in POOLINGS:
        raise ValueError(f"`pooling` must be one of {POOLINGS}. Received: pooling={pooling!r}")
    features = _mean(encoder) if pooling == "mean" else _pooled(encoder)
    return _classify(encoder, features, num_classes, dropout, name)


def bert_tagger(encoder, num_classes, dropout=0.1, name="bert_tagger"):
    """Adds a class at every step.

        p_t = softmax(sequence_t W + b)

    Source: Devlin et al. 2019 (arXiv 1810.04805), section 5.3.

    Args:
        encoder: Model of `kzoo.models.bert`.
        num_classes: Number of classes.
        dropout: Fraction of features dropped before the softmax.
        name: Name of the model.

    Returns:
        A `keras.Model` with the output `(batch, time, num_classes)`: probabilities.

    Example:

    >>> from kzoo.models import create_model
    >>> bert_tagger(create_model("bert_tiny", vocabulary_size=20), 9).output_shape
    (None, None, 9)
    """
    return _classify(encoder, encoder.output["sequence"], num_classes, dropout, name)


def bert_question_answerer(encoder, name="bert_question_answerer"):
    """Adds the scores of the step where an answer begins, and of that where it ends.

        start_t = sequence_t . u + b,    end_t = sequence_t . v + c

    The question is the first text, and the passage with the answer the second.

    Source: Devlin et al. 2019 (arXiv 1810.04805), section 4.2.

    Args:
        encoder: Model of `kzoo.models.bert`.
        name: Name of the model.

    Returns:
        A `keras.Model` with the outputs `start_logits` and `end_logits`, both `(batch, time)`.

    Example:

    >>> from kzoo.models import create_model
    >>> model = bert_question_answerer(create_model("bert_tiny", vocabulary_size=20))
    >>> model.output["start_logits"].shape, model.output["end_logits"].shape
    ((None, None), (None, None))
    """
    # Layers
    span = keras.layers.Dense(2, name="span")
    # Wiring
    scores = span(encoder.output["sequence"])
    outputs = {
        key: keras.layers.Identity(name=key)(scores[:, :, index])
        for index, key in enumerate(("start_logits", "end_logits"))
    }
    return _finish(encoder, encoder.input, outputs, name)


def bert_sentence_encoder(encoder, name="bert_sentence_encoder"):
    """Adds one vector of length 1 for a text: the mean of its steps.

        v = m / |m|,    m = mean of sequence_t over the steps that are no padding

    The scalar product of two such vectors is the cosine of the angle between them.

    Source: Reimers and Gurevych 2019, "Sentence-BERT" (arXiv 1908.10084), section 3.

    Args:
        encoder: Model of `kzoo.models.bert`.
        name: Name of the model.

    Returns:
        A `keras.Model` with the output `(batch, embedding_dim)`.

    Example:

    >>> from kzoo.models import create_model
    >>> bert_sentence_encoder(create_model("bert_tiny", vocabulary_size=20)).output_shape
    (None, 128)
    """
    vector = keras.layers.UnitNormalization(name="vector")(_mean(encoder))
    return keras.Model(encoder.input, vector, name=name)


def _mean(encoder):
    counts = ops.cast(encoder.input["mask"], "bool")
    return MeanPooling(name="pooling_mean")(encoder.output["sequence"], mask=counts)


def _pooled(encoder):
    if "pooled" not in encoder.output:
        raise ValueError(
            f"`encoder` must have a `pooled` output. Received: outputs={list(encoder.output)}"
        )
    return encoder.output["pooled"]


def _masked_language(encoder, sequence):
    first, embedding = encoder.get_layer("block_0"), encoder.get_layer("embedding")
    # Layers
    dense = keras.layers.Dense(sequence.shape[-1], name="masked_language_dense")
    normalization = keras.layers.LayerNormalization(
        epsilon=first.epsilon, name="masked_language_normalization"
    )
    bias = Bias(name="masked_language")
    # Wiring
    hidden = ACTIVATIONS[first.feed_forward.activation](dense(sequence))
    return bias(embedding(normalization(hidden), reverse=True))


def _classify(encoder, features, num_classes, dropout, name):
    check_sizes(num_classes=num_classes)
    # Layers
    dropping = keras.layers.Dropout(dropout, name="dropout_probabilities")
    dense = keras.layers.Dense(num_classes, activation="softmax", name="probabilities")
    # Wiring
    return _finish(encoder, encoder.input, dense(dropping(features)), name)


def _finish(encoder, inputs, outputs, name):
    """Returns the model, with the head's kernels drawn anew and the encoder's untouched."""
    model = keras.Model(inputs, outputs, name=name)
    of_encoder = {id(layer) for layer in encoder.layers}
    for layer in model.layers:
        if id(layer) not in of_encoder:
            draw_kernels(layer)
    return model
