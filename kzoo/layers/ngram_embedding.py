"""Embedding of tokens together with the n-grams that end there."""

import keras
from keras import ops

# The largest primes below 2**13: no product with a bucket leaves int32, on which runtimes agree.
MULTIPLIERS = (8191, 8179, 8171, 8167, 8161, 8147, 8123, 8117)
INCREMENT = 127
MAX_BUCKETS = 2**17


def ngram_buckets(ids, order, num_buckets, hash_seed=0):
    """Hashes the n-gram that ends at each position, `n = order`, into `[0, num_buckets)`.

        k_1 = x_t mod M;    k_n = (p k_{n-1} + 127 x_{t-n+1}) mod M

    Before the first token stands id 0.

    Args:
        ids: int32 `(batch, time)`.
        order: Number of tokens in an n-gram.
        num_buckets: `M`.
        hash_seed: Index of the prime `p` in `MULTIPLIERS`.

    Returns:
        int32 `(batch, time)`.

    Example:

    >>> import numpy as np
    >>> ops.convert_to_numpy(ngram_buckets(np.array([[3, 5]], "int32"), 2, 1000)).tolist()
    [[573, 336]]
    """
    keys = ops.mod(ids, num_buckets)
    for distance in range(1, order):
        earlier = ops.pad(ids, [[0, 0], [distance, 0]])[:, :-distance]
        keys = ops.mod(keys * MULTIPLIERS[hash_seed] + earlier * INCREMENT, num_buckets)
    return keys


@keras.saving.register_keras_serializable(package="kzoo")
class NGramEmbedding(keras.layers.Layer):
    """Embeds each token id beside the hashed n-grams of 2 to `max_order` tokens that end there.

        e_t = [E_1[x_t], E_2[hash(x_{t-1}, x_t)], ..., E_n[hash(x_{t-n+1}, ..., x_t)]]

    A recurrent encoder sees what a linear n-gram classifier sees, and its order. The tables of the
    n-grams are narrow: an n-gram has little to say, but there are many.

    Source: the hashed n-grams of Joulin et al. 2017, "Bag of Tricks for Efficient Text
    Classification" (arXiv 1607.01759), section 2.3, in front of a recurrent encoder.

    Args:
        input_dim: Number of token ids; id 0 is padding and masked.
        output_dim: Width of a token's own embedding.
        max_order: Longest n-gram; 1 makes this `keras.layers.Embedding(mask_zero=True)`.
        num_buckets: Rows of the table of each order, at most 131,072. N-grams share rows.
        ngram_dim: Width of the table of each order.
        hash_seed: From 0 to 7; with another seed other n-grams share a row.

    Call arguments:
        ids: int32 `(batch, time)`.

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

    def call(self, ids):
        """Embeds `ids`."""
        ids = ops.cast(ids, "int32")
        keys = [ids] + [
            ngram_buckets(ids, order, self.num_buckets, self.hash_seed)
            for order in range(2, self.max_order + 1)
        ]
        rows = [ops.take(table, key, axis=0) for table, key in zip(self.tables, keys, strict=True)]
        return ops.concatenate(rows, axis=-1)

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
