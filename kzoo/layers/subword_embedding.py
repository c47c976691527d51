"""Words as the mean of what they are and of the letters that they are made of."""

import keras
import numpy as np
from keras import ops

from kzoo.layers.ngram_hash import MAX_BUCKETS, ngram_buckets
from kzoo.layers.sparse_embedding import table_rows

NONE = 0  # The bucket of no n-gram.


@keras.saving.register_keras_serializable(package="kzoo")
class SubwordEmbedding(keras.layers.Layer):
    """Embeds a word by itself and by its n-grams of letters, of `min_order` to `max_order`.

        v_w = (e_w + sum over g in w of z_hash(g)) / (1 + number of g)

    A word that is not known has its n-grams alone. Only the first `max_subwords` count, the shorter
    ones first. As in the authors' program, each row of a word moves by the whole step of the word,
    not by its share of the mean.

    Source: Bojanowski et al. 2017, "Enriching Word Vectors with Subword Information" (arXiv
    1607.04606), section 3.2.

    Args:
        input_dim: Number of ids of words; those below 4 are special tokens, and have no row.
        output_dim: Width of a vector.
        num_buckets: Rows of the table of n-grams, at most 131,072, which share them by hash.
        min_order: Letters of the shortest n-gram, of which the marks of a word's ends are two.
        max_order: Letters of the longest n-gram.
        max_subwords: Most n-grams of a word.

    Call arguments:
        ids: int32 ids of words, of any shape.
        letters: int32 `(*ids.shape, letters)`, ids of each word's letters between the marks of its
            ends, 0 on the right; None for words whose letters `adapt` has seen.

    Returns:
        `(*ids.shape, output_dim)`.

    Example:

    >>> import numpy as np
    >>> layer = SubwordEmbedding(6, 4, num_buckets=50)
    >>> layer.adapt(np.array([[0] * 5] * 4 + [[2, 7, 8, 3, 0], [2, 7, 8, 9, 3]]))
    >>> vectors = layer(np.array([4, 5]))
    >>> again = layer(np.array([4]), np.array([[2, 7, 8, 3]]))
    >>> bool(ops.all(ops.isclose(vectors[0], again[0])))
    True
    """

    def __init__(
        self,
        input_dim,
        output_dim,
        num_buckets=65536,
        min_order=3,
        max_order=6,
        max_subwords=32,
        **kwargs,
    ):
        if not 2 <= num_buckets <= MAX_BUCKETS:
            raise ValueError(
                f"`num_buckets` must be in [2, {MAX_BUCKETS}]. Received: num_buckets={num_buckets}"
            )
        if not 1 <= min_order <= max_order <= 7:
            raise ValueError(
                "`min_order` and `max_order` must be in [1, 7], in this order. "
                f"Received: min_order={min_order}, max_order={max_order}"
            )
        super().__init__(**kwargs)
        self.input_dim = input_dim
        self.output_dim = output_dim
        self.num_buckets = num_buckets
        self.min_order = min_order
        self.max_order = max_order
        self.max_subwords = max_subwords

    def build(self, ids_shape, letters_shape=None):
        """Creates the tables of words and of n-grams, and that of the n-grams of each word."""
        start = keras.initializers.RandomUniform(-0.5 / self.output_dim, 0.5 / self.output_dim)
        shapes = {"words": self.input_dim, "subwords": self.num_buckets}
        self.words, self.subwords = (
            self.add_weight(name=name, shape=(rows, self.output_dim), initializer=start)
            for name, rows in shapes.items()
        )
        options = dict(initializer="zeros", dtype="int32", trainable=False)
        shape = (self.input_dim, self.max_subwords)
        self.spelling = self.add_weight(name="spelling", shape=shape, **options)

    def adapt(self, letters):
        """Learns how each word is spelled.

        Args:
            letters: int `(input_dim, letters)`, as for a call, zeros for special tokens.
        """
        if not self.built:
            self.build((None,))
            self.built = True
        buckets = ops.convert_to_numpy(self._buckets(np.asarray(letters, "int32")))
        # The n-grams there are, in front.
        order = np.argsort(buckets == NONE, axis=1, kind="stable")
        buckets = np.take_along_axis(buckets, order, axis=1)[:, : self.max_subwords]
        spelling = np.zeros((self.input_dim, self.max_subwords), "int32")
        spelling[:, : buckets.shape[1]] = buckets
        self.spelling.assign(spelling)

    def _buckets(self, letters):
        """The bucket of each n-gram of each word, `NONE` where there is none or one too many."""
        found = []
        length = ops.shape(letters)[-1]
        for order in range(self.min_order, self.max_order + 1):
            # Another prime for each order, so that they share one table.
            buckets = 1 + ngram_buckets(letters, order, self.num_buckets - 1, order - 1)
            is_whole = ops.logical_and(
                ops.not_equal(letters, 0), ops.arange(length, dtype="int32") >= order - 1
            )
            found.append(ops.where(is_whole, buckets, NONE))
        buckets = ops.concatenate(found, axis=-1)
        number = ops.cumsum(ops.cast(ops.not_equal(buckets, NONE), "int32"), axis=-1)
        return ops.where(number <= self.max_subwords, buckets, NONE)

    def call(self, ids, letters=None, training=False):
        """Embeds words."""
        ids = ops.cast(ids, "int32")
        if letters is None:
            buckets = ops.take(self.spelling, ids, axis=0)
        else:
            buckets = self._buckets(ops.cast(letters, "int32"))
        words = table_rows(self.words, ids, training)
        subwords = table_rows(self.subwords, buckets, training)
        is_word = ops.expand_dims(ops.cast(ids >= 4, words.dtype), -1)
        is_subword = ops.cast(ops.not_equal(buckets, NONE), words.dtype)
        total = words * is_word + ops.sum(subwords * ops.expand_dims(is_subword, -1), axis=-2)
        count = is_word + ops.sum(is_subword, axis=-1, keepdims=True)
        mean = total / ops.maximum(count, 1)
        return total + ops.stop_gradient(mean - total)

    def compute_output_shape(self, ids_shape, letters_shape=None):
        """Returns the shape of the vectors."""
        return (*ids_shape, self.output_dim)

    def get_config(self):
        """Returns the constructor arguments."""
        names = "input_dim output_dim num_buckets min_order max_order max_subwords"
        return {**super().get_config(), **{name: getattr(self, name) for name in names.split()}}
