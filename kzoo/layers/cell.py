"""The contract every cell keeps: `project` for all time steps at once, `step` for the past."""

import keras
from keras import ops

from kzoo.layers.checks import check_sizes


class Cell(keras.layers.Layer):
    """Base of all recurrent cells.

        output_t, state_t = step(project(inputs)_t, state_{t-1})

    What does not need the past (the input projection, most of the floating-point operations) lives
    in `project`, which the driver `Recurrent` calls once for the whole sequence; what does lives in
    `step`, a pure function. Masks are the driver's: it carries the state through masked steps. A
    cell is also a valid cell of `keras.layers.RNN`.

    Subclasses set `state_size` (a list of ints) and `output_size` in `__init__`, create weights in
    `build`, and implement `project` and `step`.

    Args:
        units: Positive integer, the width of the state and of the output.

    Attributes:
        attends: Whether `step` takes a memory, see `kzoo.layers.AttentionCell`.

    Call arguments:
        inputs: One time step, `(batch, features)`.
        states: List of `(batch, size)` tensors, one for each entry of `state_size`.

    Returns:
        `(output, states)`: `(batch, output_size)`, and the new list of states.

    Raises:
        ValueError: `units` is no positive integer.

    Example, a cell that adds up its inputs:

    >>> import numpy as np
    >>> from kzoo.layers import Recurrent
    >>> class SumCell(Cell):
    ...     def project(self, inputs):
    ...         return inputs
    ...
    ...     def step(self, projected, state, recurrent_mask=None):
    ...         total = state[0] + projected
    ...         return total, [total]
    >>> sums = Recurrent(SumCell(1), return_sequences=True)(np.array([[[1.0], [2.0], [4.0]]]))
    >>> np.array(sums)[0, :, 0].tolist()
    [1.0, 3.0, 7.0]
    """

    attends = False

    def __init__(self, units, **kwargs):
        check_sizes(units=units)
        super().__init__(**kwargs)
        self.units = units
        self.state_size = [units]
        self.output_size = units

    def project(self, inputs):
        """Returns what `step` needs of `inputs`, for any leading axes: `(..., features)`.

        The result is a tensor, or a tuple of tensors, with the same leading axes.
        """
        raise NotImplementedError(f"{type(self).__name__} must implement `project`.")

    def draw(self, inputs):
        """Returns what `project` takes that is random: tensors with the leading axes of `inputs`.

        Where `project` can only be called step by step, this is drawn before, for all time steps,
        and `project` gets a step of it as `drawn`. It is an empty tuple for most cells.
        """
        return ()

    def step(self, projected, state, recurrent_mask=None):
        """Advances one time step.

        Args:
            projected: One time step of the result of `project`, `(batch, ...)`.
            state: List of `(batch, size)` tensors, one for each entry of `state_size`.
            recurrent_mask: Optional `(batch, units)` dropout mask that multiplies the hidden state
                where it enters the recurrent kernel, and only there.

        Returns:
            `(output, state)`: a `(batch, output_size)` tensor and the new list of states.
        """
        raise NotImplementedError(f"{type(self).__name__} must implement `step`.")

    def call(self, inputs, states, training=False):
        """Advances one time step from raw inputs, as `keras.layers.RNN` asks."""
        return self.step(self.project(inputs), list(states))

    def get_initial_state(self, batch_size):
        """Returns the zero state: a list of `(batch_size, size)` tensors."""
        return [ops.zeros((batch_size, size), self.compute_dtype) for size in self.state_size]

    def get_config(self):
        """Returns the constructor arguments."""
        return {**super().get_config(), "units": self.units}


def project_step(cell, given, output):
    """Returns a cell's projection of one step of `(inputs, draw(inputs))`, joined by an output."""
    inputs, drawn = given
    joined = ops.concatenate([inputs, output], axis=-1)
    return cell.project(joined, drawn) if drawn else cell.project(joined)


def dropped(hidden, recurrent_mask):
    """Returns the hidden state as the recurrent kernel sees it, see `Cell.step`."""
    return hidden if recurrent_mask is None else hidden * recurrent_mask


# What has fewer weights stays float in a file of int8.
FEWEST_WEIGHTS = 1024


def products(inputs, kernel, count):
    """Returns the products with each of the matrices that stand side by side in a kernel.

    One by one: what nobody reads is not computed, bias and activation join their product in a file,
    and nothing is cut apart. Matrices too small for int8 stay together.

    Args:
        inputs: `(..., features)`.
        kernel: `(features, count * units)`.
        count: Number of matrices.

    Returns:
        List of `(..., units)`.
    """
    if kernel.shape[0] * kernel.shape[1] < count * FEWEST_WEIGHTS:
        return ops.split(ops.matmul(inputs, kernel), count, axis=-1)
    return [ops.matmul(inputs, matrix) for matrix in ops.split(kernel, count, axis=1)]


def biased_products(inputs, kernel, bias, count):
    """Returns `products`, to each of which its part of a `(count * units,)` bias is added."""
    biases = ops.split(bias, count)
    return [x + bias for x, bias in zip(products(inputs, kernel, count), biases, strict=True)]


class KernelCell(Cell):
    """Base of cells with one input kernel, one recurrent kernel and one bias, laid out as in Keras.

        project(x_t) = W x_t + b

    The kernels of all gates stand side by side in one matrix, so that a step is one matrix product.
    Subclasses set `gates`, their number, and implement `step`, whose `projected` is
    `(batch, gates * units)`.

    Args:
        units: Positive integer, the width of the state.
        activation: Activation of the new state.
        use_bias: Whether to add a bias.
        kernel_initializer: Initializer of the `(features, gates * units)` input kernel.
        recurrent_initializer: Initializer of the `(units, gates * units)` recurrent kernel.
        bias_initializer: Initializer of the bias.

    Example, a cell whose state drifts:

    >>> import numpy as np
    >>> class DriftingCell(KernelCell):
    ...     def step(self, projected, state, recurrent_mask=None):
    ...         pull = ops.matmul(state[0], self.recurrent_kernel)
    ...         hidden = state[0] + self.activation(projected + pull)
    ...         return hidden, [hidden]
    >>> cell = DriftingCell(4)
    >>> output, state = cell(np.ones((2, 3), "float32"), [np.zeros((2, 4), "float32")])
    >>> tuple(output.shape), tuple(cell.kernel.shape)
    ((2, 4), (3, 4))
    """

    gates = 1

    def __init__(
        self,
        units,
        activation="tanh",
        use_bias=True,
        kernel_initializer="glorot_uniform",
        recurrent_initializer="orthogonal",
        bias_initializer="zeros",
        **kwargs,
    ):
        super().__init__(units, **kwargs)
        self.activation = keras.activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.recurrent_initializer = keras.initializers.get(recurrent_initializer)
        self.bias_initializer = keras.initializers.get(bias_initializer)

    def build(self, input_shape):
        """Creates `kernel`, `recurrent_kernel` and `bias`, in Keras's order."""
        width = self.kernel_width()
        self.kernel = self.add_weight(
            name="kernel", shape=(input_shape[-1], width), initializer=self.kernel_initializer
        )
        self.recurrent_kernel = self.add_weight(
            name="recurrent_kernel",
            shape=(self.units, width),
            initializer=self.recurrent_initializer,
        )
        if self.use_bias:
            self.bias = self.add_weight(
                name="bias", shape=self.bias_shape(), initializer=self.bias_initializer
            )

    def kernel_width(self):
        """Returns the number of columns of both kernels."""
        return self.gates * self.units

    def bias_shape(self):
        """Returns the shape of the bias."""
        return (self.kernel_width(),)

    def project(self, inputs):
        """Returns `W x + b` for all gates."""
        projected = ops.matmul(inputs, self.kernel)
        return projected + self.bias if self.use_bias else projected

    def get_config(self):
        """Returns the constructor arguments."""
        return {
            **super().get_config(),
            "activation": keras.activations.serialize(self.activation),
            "use_bias": self.use_bias,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "recurrent_initializer": keras.initializers.serialize(self.recurrent_initializer),
            "bias_initializer": keras.initializers.serialize(self.bias_initializer),
        }


class LinearCell(Cell):
    """Base of cells whose state is a linear recurrence.

        s_t = decay_t * s_{t-1} + update_t
        y_t = readout(project(x)_t, s_t)

    `decay` and `update`, each `(batch, units)` at a step, depend on the inputs alone, so that the
    states of all time steps can be computed by a scan of logarithmic depth. They are the first two
    results of `project`. Subclasses implement `readout` instead of `step` where the output is not
    the state.

    Source: Blelloch 1990, "Prefix sums and their applications", for the scan.

    Args:
        units: Positive integer, the width of the state.

    Example, a cell that forgets half at each step:

    >>> import numpy as np
    >>> from kzoo.layers import Recurrent
    >>> class HalvingCell(LinearCell):
    ...     def project(self, inputs):
    ...         return ops.full_like(inputs, 0.5), inputs
    >>> states = Recurrent(HalvingCell(1), return_sequences=True)(np.array([[[4.0], [0.0], [1.0]]]))
    >>> np.array(states)[0, :, 0].tolist()
    [4.0, 2.0, 2.0]
    """

    def recurrence(self, projected):
        """Returns `(decay, update)`, each `(..., units)`, from the result of `project`."""
        return projected[:2]

    def readout(self, projected, state):
        """Returns the output `(..., units)` from the new state `(..., units)`."""
        return state

    def step(self, projected, state, recurrent_mask=None):
        """Advances one time step; the same numbers as the scan gives."""
        decay, update = self.recurrence(projected)
        new_state = decay * state[0] + update
        return self.readout(projected, new_state), [new_state]
