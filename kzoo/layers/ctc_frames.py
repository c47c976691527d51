"""What each frame says, for connectionist temporal classification: see `kzoo.decoding.ctc_greedy`.

Class 0 is the blank, as in `keras.losses.CTC`.
"""

import keras
import numpy as np
from keras import ops

# The logarithm of what cannot be: its share is 0 in float32, and half precision holds it exactly.
IMPOSSIBLE = -8192.0


@keras.saving.register_keras_serializable(package="kzoo")
class FrameLogProbabilities(keras.layers.Layer):
    """Logarithms of a softmax over the classes; masked frames say the blank, for certain.

        y_t = logits_t - log sum_c exp logits_tc,    at masked frames y_t0 = 0, and -8192 else

    Class 0 is the blank. A blank at the end changes neither `keras.losses.CTC` nor what is decoded.
    So the frames know their lengths, and neither needs to be told.

    Call arguments:
        logits: `(batch, time, classes)`.
        mask: Optional boolean `(batch, time)`.

    Returns:
        `(batch, time, classes)`, without a mask.

    Source: Graves et al. 2006, "Connectionist Temporal Classification", section 3.1, for what the
    frames say.

    Example:

    >>> logits, mask = np.zeros((1, 2, 2), "float32"), np.array([[True, False]])
    >>> np.exp(np.array(FrameLogProbabilities()(logits, mask=mask))).round(2).tolist()
    [[[0.5, 0.5], [1.0, 0.0]]]
    """

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True

    def call(self, logits, mask=None):
        """Computes the logarithms; see the class."""
        highest = ops.max(logits, axis=-1, keepdims=True)
        found = logits - highest
        found = found - ops.log(ops.sum(ops.exp(found), axis=-1, keepdims=True))
        if mask is None:
            return found
        padding = np.where(np.arange(logits.shape[-1]) == 0, 0.0, IMPOSSIBLE)
        padding = ops.convert_to_tensor(padding, found.dtype)
        return ops.where(ops.expand_dims(mask, -1), found, padding)

    def compute_mask(self, logits, mask=None):
        """Returns None: the frames say which of them count."""
        return

    def compute_output_shape(self, logits_shape):
        """Returns the shape of the logits."""
        return logits_shape


@keras.saving.register_keras_serializable(package="kzoo")
class NewSymbols(keras.layers.Layer):
    """The symbol that begins at each frame of a path, and 0 where none does.

        y_t = path_t if path_t != path_{t-1} else 0

    with the blank before the first frame: the best path of `kzoo.decoding.ctc_greedy`, frame by
    frame, for streams.

    Call arguments:
        path: int `(batch, time)`, the class of each frame.

    Returns:
        int32 `(batch, time)`.

    Example:

    >>> np.array(NewSymbols()(np.array([[0, 5, 5, 0, 5]]))).tolist()
    [[0, 5, 0, 0, 5]]
    """

    def call(self, path):
        """Finds the symbols; see the class."""
        path = ops.cast(path, "int32")
        before = ops.pad(path, [[0, 0], [1, 0]])[:, :-1]
        return path * ops.cast(path != before, "int32")

    def compute_output_spec(self, path):
        """Returns shape and type of the symbols."""
        return keras.KerasTensor(path.shape, dtype="int32")
