"""The echo state network: a random recurrence that is never trained."""

import keras
import numpy as np
from keras import ops

from kzoo.layers.cell import Cell, dropped


def make_reservoir(units, connectivity, spectral_radius, seed):
    """Draws a sparse recurrent kernel of a given spectral radius.

    Args:
        units: Number of rows and of columns.
        connectivity: Fraction of the weights that are not zero.
        spectral_radius: Largest absolute eigenvalue of the result.
        seed: Seed of the draw.

    Returns:
        `(units, units)` NumPy array; weights are uniform, zeros are spread evenly at random.

    Example:

    >>> kernel = make_reservoir(50, connectivity=0.1, spectral_radius=0.9, seed=0)
    >>> int((kernel != 0).sum()), round(float(abs(np.linalg.eigvals(kernel)).max()), 6)
    (250, 0.9)
    """
    generator = np.random.default_rng(seed)
    # At least one weight a unit.
    count = min(max(round(connectivity * units * units), units), units * units)
    while True:
        kernel = np.zeros(units * units)
        kernel[generator.choice(units * units, count, replace=False)] = generator.uniform(
            -1, 1, count
        )
        kernel = kernel.reshape(units, units)
        radius = abs(np.linalg.eigvals(kernel)).max()
        # A small reservoir may have no cycle: nothing would come back.
        if radius > 0.01:
            return kernel * (spectral_radius / radius)


@keras.saving.register_keras_serializable(package="kzoo")
class EchoStateCell(Cell):
    """Leaky echo state cell with a fixed, sparse, random reservoir.

        n_t = tanh(W_in x_t + b + W h_{t-1})
        h_t = (1 - leak) * h_{t-1} + leak * n_t

    Nothing in it is trained: a linear readout (a `Dense` layer, or ridge regression on the states)
    learns alone. A spectral radius below one lets the memory of the inputs fade, in practice.

    Source: Jaeger 2001, "The echo state approach to analysing and training recurrent neural
    networks"; with leak as in Lukosevicius 2012, "A practical guide to applying echo state
    networks", Eq. 2 and 3. `W_in` and `b` are uniform in `[-input_scale, input_scale]`. The weights
    are saved with the model.

    Args:
        units: Positive integer, the width of the state.
        connectivity: Fraction of the recurrent weights that are not zero.
        spectral_radius: Largest absolute eigenvalue of `W`.
        leak: In (0, 1]: how far a step moves the state.
        input_scale: Largest weight of the input.
        seed: Seed of all weights.

    Example:

    >>> import numpy as np
    >>> cell = EchoStateCell(20)
    >>> output, state = cell(np.ones((2, 3), "float32"), [np.zeros((2, 20), "float32")])
    >>> tuple(output.shape), cell.trainable_weights
    ((2, 20), [])
    """

    def __init__(
        self,
        units,
        connectivity=0.1,
        spectral_radius=0.9,
        leak=1.0,
        input_scale=1.0,
        seed=0,
        **kwargs,
    ):
        for name, fraction in (("connectivity", connectivity), ("leak", leak)):
            if not 0 < fraction <= 1:
                raise ValueError(f"`{name}` must be in (0, 1]. Received: {name}={fraction!r}")
        if not spectral_radius > 0:
            raise ValueError(f"`spectral_radius` must be positive. Received: {spectral_radius!r}")
        super().__init__(units, **kwargs)
        self.connectivity = connectivity
        self.spectral_radius = spectral_radius
        self.leak = leak
        self.input_scale = input_scale
        self.seed = seed

    def build(self, input_shape):
        """Creates `kernel`, `recurrent_kernel` and `bias`, none of which is trained."""
        generator = np.random.default_rng(self.seed)
        scale = self.input_scale
        values = {
            "kernel": generator.uniform(-scale, scale, (input_shape[-1], self.units)),
            "recurrent_kernel": make_reservoir(
                self.units, self.connectivity, self.spectral_radius, self.seed
            ),
            "bias": generator.uniform(-scale, scale, self.units),
        }
        for name, value in values.items():
            weight = self.add_weight(name=name, shape=value.shape, trainable=False)
            weight.assign(value)
            setattr(self, name, weight)

    def project(self, inputs):
        """Returns `W_in x + b`."""
        return ops.matmul(inputs, self.kernel) + self.bias

    def step(self, projected, state, recurrent_mask=None):
        """Advances one time step."""
        hidden = state[0]
        masked_hidden = dropped(hidden, recurrent_mask)
        new = ops.tanh(projected + ops.matmul(masked_hidden, self.recurrent_kernel))
        hidden = (1 - self.leak) * hidden + self.leak * new
        return hidden, [hidden]

    def get_config(self):
        """Returns the constructor arguments."""
        return {
            **super().get_config(),
            "connectivity": self.connectivity,
            "spectral_radius": self.spectral_radius,
            "leak": self.leak,
            "input_scale": self.input_scale,
            "seed": self.seed,
        }
