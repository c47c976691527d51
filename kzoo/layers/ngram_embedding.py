"""Embedding of tokens together with the n-grams that end there."""

import keras
import numpy as np
from keras import ops

from kzoo.layers.log_count_ratio import count_by_class, log_count_ratios
from kzoo.layers.ngram_hash import MAX_BUCKETS, MULTIPLIERS, ngram_buckets, ngram_fingerprints

ANYBODY, NOBODY = 0, 255  # Fingerprints that no n-gram has: who may read a row.
LOG_RATIO_SCALE = 0.1  # Brings log-count ratios to the size of the initial weights.


@keras.saving.register_keras_serializable(package="kzoo")
class NGramEmbedding(keras.layers.Layer):
    """Embeds each token id beside the hashed n-grams of 2 to `max_order` tokens that end there.

        e_t = [E_1[x_t], E_2[hash(x_{t-1}, x_t)], ..., E_n[hash(x_{t-n+1}, ..., x_t)]]

    A recurrent encoder sees what a linear n-gram classifier sees, and its order. The tables of the
    n-grams are narrow: an n-gram has little to say, but there are many.

    `adapt` removes the collisions of the hash, and starts the tables where naive Bayes ends.

    Source: the hashed n-grams of Joulin et al. 2017, "Bag of Tricks for Efficient Text
    Classification" (arXiv 1607.01759), section 2.3, in front of a recurrent encoder; the start of
    Wang and Manning 2012, "Baselines and Bigrams" (ACL P12-2018).

    Args:
        input_dim: Number of token ids; id 0 is padding and masked.
        output_dim: Width of a token's own embedding.
        max_order: Longest n-gram; 1 makes this `keras.layers.Embedding(mask_zero=True)`.
        num_buckets: Rows of the table of each order, at most 131,072. N-grams share rows.
        ngram_dim: Width of the table of each order.
        hash_seed: From 0 to 7; with another seed other n-grams share a row.

    Call arguments:
        ids: int32 `(batch, time)`, or with further axes before time, such as the words of a
            sentence, whose n-grams of characters are embedded.

    Returns:
        `(batch, time, output_dim + (max_order - 1) * ngram_dim)`.

    Example:

    >>> import numpy as np
    >>> layer = NGramEmbedding(100, 8, max_order=3, num_buckets=64, ngram_dim=4)
    >>> tuple(layer(np.array([[3, 5, 7, 0]])).shape)
    (1, 4, 16)
    """

    def __init__(
        self,
        input_dim,
        output_dim,
        max_order=2,
        num_buckets=65536,
        ngram_dim=16,
        hash_seed=0,
        **kwargs,
    ):
        if not 1 <= num_buckets <= MAX_BUCKETS:
            raise ValueError(
                f"`num_buckets` must be in [1, {MAX_BUCKETS}]. Received: num_buckets={num_buckets}"
            )
        if max_order < 1:
            raise ValueError(f"`max_order` must be positive. Received: max_order={max_order}")
        if hash_seed not in range(len(MULTIPLIERS)):
            raise ValueError(
                f"`hash_seed` must be in [0, {len(MULTIPLIERS) - 1}]. Received: {hash_seed!r}"
            )
        super().__init__(**kwargs)
        self.input_dim = input_dim
        self.output_dim = output_dim
        self.max_order = max_order
        self.num_buckets = num_buckets
        self.ngram_dim = ngram_dim
        self.hash_seed = hash_seed

    def build(self, input_shape):
        """Creates the table of the tokens and one for each order."""
        shapes = [(self.input_dim, self.output_dim)]
        shapes += [(self.num_buckets, self.ngram_dim)] * (self.max_order - 1)
        self.tables = [
            self.add_weight(name=f"embeddings_{order}", shape=shape, initializer="uniform")
            for order, shape in enumerate(shapes, start=1)
        ]
        options = dict(initializer="zeros", dtype="uint8", trainable=False)
        self.owners = [
            self.add_weight(name=f"owners_{order}", shape=(self.num_buckets,), **options)
            for order in range(2, self.max_order + 1)
        ]

    def adapt(self, data, min_count=2):
        """Learns which n-grams there are, and starts each one's row where naive Bayes ends.

        Of the n-grams that hash to one bucket the most frequent owns it. All others, and those in
        fewer than `min_count` texts, read zeros from now on: what was seen once can only be learnt
        by heart. An n-gram is known by its fingerprint, so that one stranger in 254 still reads a
        row that is not its own. The first columns of a row, of the tokens' table too, become
        `log_count_ratios`, scaled; there is one column for two classes, else one for each class
        that fits.

        Args:
            data: Iterable of `(ids, labels)`: int `(batch, time)`, and `(batch,)` from 0.
            min_count: Number of texts that must hold an n-gram.

        Raises:
            ValueError: if there is no batch.
        """
        batches = [(np.asarray(ids, "int32"), np.asarray(labels)) for ids, labels in data]
        if not batches:
            raise ValueError("`data` must hold a batch of `(ids, labels)`. Received none")
        if not self.built:
            self.build(batches[0][0].shape)
        totals = np.bincount(np.concatenate([labels for _, labels in batches]))
        for order, table in enumerate(self.tables, start=1):
            codes, counts = count_by_class(
                batches, lambda ids, order=order: self._codes(ids, order)
            )
            kept = np.flatnonzero(counts.sum(axis=1) >= min_count)
            kept = kept[np.argsort(-counts[kept].sum(axis=1), kind="stable")]
            buckets, first = np.unique(codes[kept] // 256, return_index=True)
            kept = kept[first]
            ratios = LOG_RATIO_SCALE * log_count_ratios(counts[kept], totals)
            ratios = ratios[:, : table.shape[1]]
            rows = np.array(ops.convert_to_numpy(table))
            rows[buckets, : ratios.shape[1]] = ratios
            table.assign(rows)
            if order > 1:
                owners = np.full(self.num_buckets, NOBODY, "uint8")
                owners[buckets] = codes[kept] % 256
                self.owners[order - 2].assign(owners)

    def _codes(self, ids, order):
        """Returns bucket and fingerprint of each n-gram in one number."""
        if order == 1:
            return ids * 256
        buckets = ngram_buckets(ids, order, self.num_buckets, self.hash_seed)
        return ops.convert_to_numpy(buckets * 256 + ngram_fingerprints(ids, order))

    def call(self, ids):
        """Embeds `ids`."""
        ids = ops.cast(ids, "int32")
        parts = [ops.take(self.tables[0], ids, axis=0)]
        for order, table, owners in zip(
            range(2, self.max_order + 1), self.tables[1:], self.owners, strict=True
        ):
            buckets = ngram_buckets(ids, order, self.num_buckets, self.hash_seed)
            owner = ops.cast(ops.take(owners, buckets, axis=0), "int32")
            known = ops.logical_or(
                ops.equal(owner, ANYBODY), ops.equal(owner, ngram_fingerprints(ids, order))
            )
            rows = ops.take(table, buckets, axis=0)
            parts.append(rows * ops.expand_dims(ops.cast(known, rows.dtype), -1))
        return ops.concatenate(parts, axis=-1)

    def compute_mask(self, ids, mask=None):
        """Returns True where an id is no padding."""
        return ops.not_equal(ids, 0)

    def compute_output_shape(self, input_shape):
        """Returns the shape of the embeddings."""
        return (*input_shape, self.output_dim + (self.max_order - 1) * self.ngram_dim)

    def get_config(self):
        """Returns the constructor arguments."""
        return {
            **super().get_config(),
            "input_dim": self.input_dim,
            "output_dim": self.output_dim,
            "max_order": self.max_order,
            "num_buckets": self.num_buckets,
            "ngram_dim": self.ngram_dim,
            "hash_seed": self.hash_seed,
        }
