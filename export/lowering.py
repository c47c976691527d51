"""Choose how each recurrent layer walks time in a file, and remember what was chosen."""

from uuid import uuid4

import keras
from keras import ops

from kzoo.export.errors import ExportError
from kzoo.layers import LinearCell, LSTMCell, lowering_scope
from kzoo.layers.lstm import lstm_step

LOWERINGS = ("auto", "loop", "scan", "unrolled", "fused")


class Lowering:
    """The lowering of one trace: give it to `lowering_scope`.

    - `auto`: `scan` for linear recurrences, `loop` for all others.
    - `loop`: built-in loops; any runtime, any time and batch.
    - `scan`: as `auto`. Only linear recurrences can be scanned.
    - `unrolled`: the steps one after the other; time must be static.
    - `fused`: the operator UNIDIRECTIONAL_SEQUENCE_LSTM, which TensorFlow Lite Micro and vendors'
      delegates have kernels for. It takes `LSTMCell` with its default activations, a static batch
      size, and no mask. (There is no such way for `SimpleRNNCell`: of the sequence operators, the
      converter makes only this one.)

    Attributes:
        asked: one of `LOWERINGS`.
        used: what each layer got, by layer name.
        refusal: why a layer cannot have what was asked for, or None.
    """

    def __init__(self, asked):
        """Check the name; see the class."""
        if asked not in LOWERINGS:
            raise ValueError(f"lowering: expected one of {LOWERINGS}, got {asked!r}")
        self.asked = asked
        self.used = {}
        self.refusal = None

    def __call__(self, layer, sequences, initial_state, mask):
        """Run a `Recurrent` layer; what `lowering_scope` calls."""
        name = self.asked
        if name in ("auto", "scan"):
            name = "scan" if isinstance(layer.cell, LinearCell) else "loop"
        reason = None
        if name == "unrolled" and sequences.shape[1] is None:
            reason = "its number of time steps is dynamic; fix it in keras.Input"
        if name == "fused":
            reason = _why_not_fused(layer, sequences, initial_state, mask)
        if reason:
            self.refusal = f"lowering: layer {layer.name!r} cannot be {name}: {reason}"
            raise ExportError(self.refusal)
        self.used[layer.name] = name
        if name == "fused":
            return _fused_lstm(layer, sequences)
        import tensorflow as tf

        with lowering_scope(name, take=tf.gather):
            return layer.call(sequences, initial_state=initial_state, mask=mask)


def _why_not_fused(layer, sequences, initial_state, mask):
    cell = layer.cell
    if type(cell) is not LSTMCell:
        return f"the operator computes LSTMCell only, and its cell is {type(cell).__name__}"
    activations = cell.activation, cell.recurrent_activation
    if activations != (keras.activations.tanh, keras.activations.sigmoid):
        return "the operator computes tanh and sigmoid only, and its cell has other activations"
    if mask is not None:
        return "the operator takes no mask, and its input is masked"
    if initial_state is not None or layer.return_state:
        return "the operator neither takes nor gives a state"
    if sequences.shape[0] is None:
        return "the operator needs a static batch size; export with batch_size=1"
    return None


def _fused_lstm(layer, sequences):
    """The call that the converter knows by its attribute, arguments and five results."""
    import tensorflow as tf

    cell = layer.cell
    batch, time, units = sequences.shape[0], sequences.shape[1], cell.units

    def lstm(inputs, hidden, carry, kernel, recurrent_kernel, bias):
        # The converter puts the operator in the place of this body.
        projected = tf.transpose(tf.matmul(inputs, kernel) + bias, (1, 0, 2))
        hidden, carry = tf.scan(
            lambda state, x: lstm_step(x, *state, recurrent_kernel, tf.tanh, tf.sigmoid),
            projected,
            (hidden, carry),
        )
        # It reads shapes off the results, and crashes where there are none.
        outputs = tf.reshape(tf.transpose(hidden, (1, 0, 2)), (batch, time or -1, units))
        last, carry = (tf.reshape(x[-1], (batch, units)) for x in (hidden, carry))
        return last, outputs, last, carry, tf.constant(0.0)

    attributes = {"api_implements": f"lstm_{uuid4()}", "time_major": False, "go_backwards": False}
    function = tf.function(lstm, autograph=False, experimental_attributes=attributes)
    zeros = tf.zeros((batch, units))
    bias = cell.bias if cell.use_bias else tf.zeros((4 * units,))
    weights = (tf.convert_to_tensor(w) for w in (cell.kernel, cell.recurrent_kernel, bias))
    if layer.go_backwards:
        sequences = ops.flip(sequences, 1)
    last, outputs, *_ = function(sequences, zeros, zeros, *weights)
    return outputs if layer.return_sequences else last
