"""Two hashes of n-grams of token ids: one chooses a row, the other tells who it is."""

from keras import ops

# The largest primes below 2**13: no product with a bucket leaves int32, on which runtimes agree.
MULTIPLIERS = (8191, 8179, 8171, 8167, 8161, 8147, 8123, 8117)
INCREMENT = 127
MAX_BUCKETS = 2**17
FINGERPRINT_MODULUS, FINGERPRINT_MULTIPLIER = 65521, 16001
NUM_FINGERPRINTS = 254  # From 1, so that a byte has two values left.


def ngram_buckets(ids, order, num_buckets, hash_seed=0):
    """Hashes the n-gram that ends at each position, `n = order`, into `[0, num_buckets)`.

        k_1 = x_t mod M;    k_n = (p k_{n-1} + 127 x_{t-n+1}) mod M

    Before the first token stands id 0.

    Args:
        ids: int32 `(..., time)`.
        order: Number of tokens in an n-gram.
        num_buckets: `M`.
        hash_seed: Index of the prime `p` in `MULTIPLIERS`.

    Returns:
        int32 `(..., time)`.

    Example:

    >>> import numpy as np
    >>> ops.convert_to_numpy(ngram_buckets(np.array([[3, 5]], "int32"), 2, 1000)).tolist()
    [[573, 336]]
    """
    return _hash(ids, order, num_buckets, MULTIPLIERS[hash_seed])


def ngram_fingerprints(ids, order):
    """Hashes the n-gram that ends at each position a second time, into `[1, 254]`.

    The recurrence is that of `ngram_buckets`, with another modulus and multiplier.

    Args:
        ids: int32 `(..., time)`.
        order: Number of tokens in an n-gram.

    Returns:
        int32 `(..., time)`.

    Example:

    >>> import numpy as np
    >>> ops.convert_to_numpy(ngram_fingerprints(np.array([[3, 5]], "int32"), 2)).tolist()
    [[252, 134]]
    """
    keys = _hash(ids, order, FINGERPRINT_MODULUS, FINGERPRINT_MULTIPLIER)
    return ops.mod(keys, NUM_FINGERPRINTS) + 1


def _hash(ids, order, modulus, multiplier):
    keys = ops.mod(ids, modulus)
    others = [[0, 0]] * (len(ids.shape) - 1)
    for distance in range(1, order):
        earlier = ops.pad(ids, [*others, [distance, 0]])[..., :-distance]
        keys = ops.mod(keys * multiplier + earlier * INCREMENT, modulus)
    return keys
