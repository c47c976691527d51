"""Language models: the next id from those before, by a recurrent or by an attentive decoder."""

import keras
from keras import ops

from kzoo.layers import CELLS, RecurrentDecoder, TransformerDecoder
from kzoo.layers.checks import check_sizes
from kzoo.models.transformer_parts import TransformerParts


def language_model(
    *,
    vocabulary_size,
    cell="lstm",
    embedding_dim=256,
    units=256,
    num_layers=2,
    tie_embeddings=True,
    dropout=0.1,
    stateful_batch_size=None,
    name="language_model",
):
    """Builds a recurrent language model.

    Wiring: embedding, a stack of recurrent layers with residual connections, scores.

    Sources: Mikolov et al. 2010, "Recurrent neural network based language model"; Zaremba,
    Sutskever and Vinyals 2014 (arXiv 1409.2329) for dropout between the layers alone.

    Args:
        vocabulary_size: Number of ids; 0 is padding.
        cell: Name of a recurrent cell, one of `kzoo.layers.CELLS`.
        embedding_dim: Width of the embedding.
        units: Width of a recurrent layer.
        num_layers: Number of recurrent layers.
        tie_embeddings: Whether one table embeds the ids and scores them.
        dropout: Fraction of features dropped after the embedding, between layers and before the
            scores.
        stateful_batch_size: Number of rows of every batch, each of which goes on where the row of
            the batch before ended: truncated backpropagation, see `kzoo.training.Windows`. By
            default every row begins anew, in batches of any size.
        name: Name of the model.

    Returns:
        A `keras.Model` from ids `(batch, time)` to the logits `(batch, time, vocabulary_size)` of
        the ids after them. See `LanguageModelSteps` for writing.

    Example:

    >>> import numpy as np
    >>> model = language_model(vocabulary_size=20, cell="sru", embedding_dim=8, units=8)
    >>> tuple(model(np.array([[7, 3, 4]])).shape)
    (1, 3, 20)
    """
    check_sizes(
        vocabulary_size=vocabulary_size,
        embedding_dim=embedding_dim,
        units=units,
        num_layers=num_layers,
    )
    if cell not in CELLS:
        raise ValueError(f"`cell` must be one of {sorted(CELLS)}. Received: cell={cell!r}")
    # Layers
    cells = [CELLS[cell](units) for _ in range(num_layers)]
    decoder = RecurrentDecoder(
        vocabulary_size,
        embedding_dim,
        cells,
        tie_embeddings,
        dropout,
        stateful=stateful_batch_size is not None,
        name="decoder",
    )
    # Wiring
    ids = keras.Input((None,), stateful_batch_size, dtype="int32", name="ids")
    return keras.Model(ids, decoder(ids), name=name)


def transformer_language_model(
    *,
    vocabulary_size,
    embedding_dim=256,
    num_heads=4,
    hidden_dim=1024,
    num_layers=4,
    tie_embeddings=True,
    name="transformer_language_model",
    **options,
):
    """Builds a language model of causal attention.

    Wiring: embedding, positions, blocks, scores.

    Source: Radford et al. 2019, "Language Models are Unsupervised Multitask Learners" (GPT-2),
    section 2.3, with "learned" positions, "gelu_tanh" and `normalize_first`.

    Args:
        vocabulary_size: Number of ids; 0 is padding.
        embedding_dim: Width of the embedding and of every block.
        num_heads: Number of heads, a divisor of `embedding_dim`.
        hidden_dim: Width within the feed-forward networks.
        num_layers: Number of blocks.
        tie_embeddings: Whether one table embeds the ids and scores them.
        name: Name of the model.
        **options: `max_length`, `dropout`, `inner_dropout`, `positions`, `activation`,
            `normalization`, `normalize_first`, `num_key_value_heads` and `use_bias`, see
            `kzoo.models.transformer_parts.TransformerParts`.

    Returns:
        As `language_model`.

    Example:

    >>> import numpy as np
    >>> sizes = {"embedding_dim": 8, "num_heads": 2, "hidden_dim": 16}
    >>> model = transformer_language_model(vocabulary_size=20, positions="rotary", **sizes)
    >>> tuple(model(np.array([[7, 3, 4]])).shape)
    (1, 3, 20)
    """
    check_sizes(vocabulary_size=vocabulary_size, num_layers=num_layers)
    parts = TransformerParts(
        embedding_dim=embedding_dim, num_heads=num_heads, hidden_dim=hidden_dim, **options
    )
    # Layers
    decoder = TransformerDecoder(
        parts.embedding(vocabulary_size, tie_embeddings),
        [parts.decoder_block(f"block_{n}", attends=False) for n in range(num_layers)],
        parts.make_positions(),
        parts.max_length,
        parts.dropout,
        name="decoder",
    )
    # Wiring
    ids = keras.Input((None,), dtype="int32", name="ids")
    return keras.Model(ids, decoder(ids), name=name)


class LanguageModelSteps:
    """The step function of a language model, for `kzoo.decoding`.

    Args:
        model: A model of `language_model` or `transformer_language_model`, or a like one with a
            "decoder".

    Example:

    >>> import numpy as np
    >>> from kzoo.decoding import greedy
    >>> steps = LanguageModelSteps(language_model(vocabulary_size=20, embedding_dim=8, units=8))
    >>> state, start_ids = steps.begin(np.array([[7, 3, 0], [4, 4, 4]]), max_length=6)
    >>> tuple(greedy(steps.step, state, start_ids, end_id=2, max_length=6).ids.shape)
    (2, 6)
    """

    def __init__(self, model):
        self.decoder = model.get_layer("decoder")

    def begin(self, prompt_ids, max_length):
        """Reads a prompt for each row, all of it but its last id, with which decoding starts.

        Args:
            prompt_ids: `(batch, time)`, padded with 0 on any side; at least one id in each row.
            max_length: Number of ids that will be written at most.

        Returns:
            `(state, start_ids)`.
        """
        prompt_ids = ops.cast(ops.convert_to_tensor(prompt_ids), "int32")
        counts = ops.cast(ops.not_equal(prompt_ids, 0), "int32")
        batch, time = ops.shape(prompt_ids)
        # Of the ids that count, the last has the highest number.
        numbers = ops.cumsum(counts, axis=1)
        is_last = counts * ops.cast(
            ops.equal(numbers, ops.max(numbers, axis=1, keepdims=True)), "int32"
        )
        start_ids = ops.sum(prompt_ids * is_last, axis=1)
        limits = {}
        if isinstance(self.decoder, TransformerDecoder):
            limits = {"max_length": time + max_length}
        state = self.decoder.begin(batch, **limits)
        return self.decoder.prefill(prompt_ids, state, counts > is_last)[1], start_ids

    def step(self, ids, state):
        """Returns `(logits, state)`."""
        return self.decoder.step(ids, state)
