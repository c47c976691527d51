"""Batches that are prepared while the model trains on those before them."""

import keras


class PreparedBatches(keras.utils.PyDataset):
    """What every data set of kzoo is: a `PyDataset` whose batches two threads prepare, in order.

    Without threads of its own, Keras on TensorFlow reads a `PyDataset` through `tf.data`, and lets
    that tune itself; the thread that tunes sleeps for times that double, and an epoch ends only
    when it wakes. Of an epoch of 25 seconds that makes one of 41. On JAX nothing is tuned; and
    Keras looks at the first batches there before an epoch begins, which threads would then miss.

    A subclass's `__getitem__` must not change it.

    Example:

    >>> PreparedBatches().workers == (2 if keras.backend.backend() == "tensorflow" else 1)
    True
    """

    def __init__(self):
        super().__init__(workers=2 if keras.backend.backend() == "tensorflow" else 1)
