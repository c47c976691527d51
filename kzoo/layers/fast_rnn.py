"""The recurrent cell with a residual connection over time."""

import keras
from keras import ops

from kzoo.layers.cell import KernelCell, dropped


@keras.saving.register_keras_serializable(package="kzoo")
class FastRNNCell(KernelCell):
    """Residual recurrent cell (FastRNN): Elman's cell whose past goes around it as well.

        n_t = activation(W x_t + b + U h_{t-1})
        h_t = sigmoid(beta) * h_{t-1} + sigmoid(alpha) * n_t

    Two numbers, trained with the rest, weigh the past and the step: the gradient through time
    neither vanishes nor explodes, for two weights more than Elman's cell. They start at
    `alpha = -3` and `beta = 3`, where the past has twenty times the weight of the step.

    Source: Kusupati et al. 2018, "FastGRNN: a fast, accurate, stable and tiny kilobyte sized gated
    recurrent neural network" (arXiv 1901.02358), section 3.1; initial values as in its authors'
    program.

    Args:
        units: Positive integer, the width of the state.
        **kwargs: The other arguments of `KernelCell`.

    Example:

    >>> import numpy as np
    >>> cell = FastRNNCell(4)
    >>> output, state = cell(np.ones((2, 3), "float32"), [np.zeros((2, 4), "float32")])
    >>> tuple(output.shape)
    (2, 4)
    """

    def build(self, input_shape):
        """Creates the weights of `KernelCell.build`, then `alpha` and `beta`."""
        super().build(input_shape)
        constant = keras.initializers.Constant
        self.alpha = self.add_weight(name="alpha", shape=(1,), initializer=constant(-3.0))
        self.beta = self.add_weight(name="beta", shape=(1,), initializer=constant(3.0))

    def step(self, projected, state, recurrent_mask=None):
        """Advances one time step."""
        hidden = state[0]
        masked_hidden = dropped(hidden, recurrent_mask)
        new = self.activation(projected + ops.matmul(masked_hidden, self.recurrent_kernel))
        hidden = ops.sigmoid(self.beta) * hidden + ops.sigmoid(self.alpha) * new
        return hidden, [hidden]
