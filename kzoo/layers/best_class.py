"""The class with the highest score, as a layer that gives an output its name."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="kzoo")
class BestClass(keras.layers.Layer):
    """Index of the highest score on the last axis, the first of equals.

        y = argmax_c scores_c

    Call arguments:
        scores: `(..., classes)`.

    Returns:
        int32 `(...)`.

    Example:

    >>> import numpy as np
    >>> np.array(BestClass()(np.array([[0.1, 0.7, 0.2]], "float32"))).tolist()
    [1]
    """

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True

    def call(self, scores):
        """Finds the classes."""
        # Keras's argmax of floats does not convert to built-in operators.
        return ops.cast(ops.squeeze(ops.top_k(scores, 1)[1], -1), "int32")

    def compute_output_spec(self, scores):
        """Returns shape and type of the classes."""
        return keras.KerasTensor(scores.shape[:-1], dtype="int32")
