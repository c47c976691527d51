"""How often words stand together, and the loss by which GloVe learns from it."""

import keras
import numpy as np
from keras import ops

from kzoo.training.prepared import PreparedBatches
from kzoo.training.word_windows import join_words

PAIRS_AT_ONCE = 2**23


class Cooccurrences(PreparedBatches):
    """A data set for `fit` of GloVe: pairs of words and how often they stand together.

    Two words at a distance of `d` count `1 / d`, within their sentence and at most `window` apart.

    Source: Pennington et al. 2014 (ACL D14-1162), section 4.2.

    Args:
        sentences: List of sequences of ids; those below 4 are special tokens, and left out.
        vocabulary_size: Number of ids.
        window: Largest distance.
        batch_size: Pairs in a batch.
        seed: Integer. An epoch depends on it and its number alone.

    A batch is `(inputs, counts)`: `ids` and `context_ids`, int32 `(batch,)`, and `(batch, 1)`.

    Example:

    >>> pairs = Cooccurrences([[4, 5, 6], [5, 4]], 7, window=2, batch_size=9)
    >>> inputs, counts = pairs[0]
    >>> found = zip(*(inputs[name].tolist() for name in inputs), counts[:, 0].tolist())
    >>> sorted(found)[:3]
    [(4, 5, 2.0), (4, 6, 0.5), (5, 4, 2.0)]
    """

    def __init__(self, sentences, vocabulary_size, window=10, batch_size=2048, seed=0):
        super().__init__()
        if window < 1 or batch_size < 1:
            raise ValueError(
                "`window` and `batch_size` must be positive. "
                f"Received: window={window}, batch_size={batch_size}"
            )
        ids, owners = join_words(sentences)
        self.keys, counts = _count(ids.astype("int64"), owners, vocabulary_size, window)
        if not self.keys.size:
            raise ValueError("`sentences` must hold two words in a row. Received none")
        self.counts = counts.astype("float32")
        self.vocabulary_size = vocabulary_size
        self.batch_size = batch_size
        self.seed = seed
        self.start_epoch(0)

    def start_epoch(self, epoch):
        """Draws the order of an epoch."""
        self.epoch = epoch
        self._order = np.random.default_rng([self.seed, epoch]).permutation(self.keys.size)

    def on_epoch_end(self):
        """Draws the next epoch."""
        self.start_epoch(self.epoch + 1)

    def __len__(self):
        """Returns the number of batches."""
        return -(-self.keys.size // self.batch_size)

    def __getitem__(self, index):
        """Returns `(inputs, counts)`."""
        rows = self._order[index * self.batch_size : (index + 1) * self.batch_size]
        words, contexts = np.divmod(self.keys[rows], self.vocabulary_size)
        inputs = {"ids": words.astype("int32"), "context_ids": contexts.astype("int32")}
        return inputs, self.counts[rows, None]


def _count(ids, owners, vocabulary_size, window):
    """Returns the pairs, as numbers `word * vocabulary_size + context`, and their counts."""
    keys, counts = np.zeros(0, "int64"), np.zeros(0)
    step = max(PAIRS_AT_ONCE // (2 * window), 1)
    for start in range(0, ids.size, step):
        found, weights = [keys], [counts]
        for distance in range(1, window + 1):
            ones = slice(start, min(start + step, max(ids.size - distance, 0)))
            others = slice(start + distance, ones.stop + distance)
            together = owners[ones] == owners[others]
            one, other = ids[ones][together], ids[others][together]
            found += [one * vocabulary_size + other, other * vocabulary_size + one]
            weights += [np.full(one.size, 1 / distance)] * 2
        keys, places = np.unique(np.concatenate(found), return_inverse=True)
        counts = np.bincount(places, np.concatenate(weights), keys.size)
    return keys, counts


@keras.saving.register_keras_serializable(package="kzoo")
class GloVeLoss(keras.losses.Loss):
    """Weighted squared error of the logarithm of a count.

        L = f(x) (s - log x)^2,    f(x) = min(1, (x / maximum)^exponent)

    Source: Pennington et al. 2014 (ACL D14-1162), Eq. 8 and 9.

    Args:
        maximum: Count from which pairs weigh the same.
        exponent: How slowly rare pairs weigh less.
        reduction: As in Keras.
        name: Name of the loss.
        dtype: As in Keras.

    Call arguments:
        y_true: Counts above zero, `(batch, 1)`.
        y_pred: Scores `s` of that shape.

    Example:

    >>> import numpy as np
    >>> loss = GloVeLoss(maximum=16, exponent=0.5)(np.array([[4.0]]), np.array([[0.0]]))
    >>> round(float(loss), 4)  # 0.5 (log 4)^2
    0.9609
    """

    def __init__(
        self,
        maximum=100.0,
        exponent=0.75,
        reduction="sum_over_batch_size",
        name="glove_loss",
        dtype=None,
    ):
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self.maximum = maximum
        self.exponent = exponent

    def call(self, y_true, y_pred):
        """Returns `(batch,)`."""
        weights = ops.minimum(1.0, ops.power(y_true / self.maximum, self.exponent))
        return ops.mean(weights * ops.square(y_pred - ops.log(y_true)), axis=-1)

    def get_config(self):
        """Returns the constructor arguments."""
        return {**super().get_config(), "maximum": self.maximum, "exponent": self.exponent}
