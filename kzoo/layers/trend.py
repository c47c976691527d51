"""Where a noisy measurement is, and where it is going: moving averages and their differences."""

import keras
import numpy as np
from keras import ops

from kzoo.layers.cell import LinearCell


@keras.saving.register_keras_serializable(package="kzoo")
class TrendCell(LinearCell):
    """Exponential moving averages of each feature, and their differences; nothing is trained.

        s^k_t = decay_k s^k_{t-1} + (1 - decay_k) x_t,    w^k_t = decay_k w^k_{t-1} + 1 - decay_k
        m^k_t = s^k_t / w^k_t,    m^0_t = x_t
        y_t = [m^0_t; ...; m^n_t; d^1_t; ...; d^n_t],    d^k_t = (m^{k-1}_t - m^k_t) / sigma_k

    An average looks back some `1 / (1 - decay)` steps. Of a straight line, two averages differ by
    its slope times the difference of their mean ages: `d` is a slope that one step's noise does not
    drown. `sigma_k` is the standard deviation of the difference where the input is noise alone, of
    variance one and independent from step to step:

        sigma_k^2 = (1-a)^2/(1-a^2) + (1-b)^2/(1-b^2) - 2 (1-a)(1-b)/(1-ab),
        a = decay_{k-1},  b = decay_k,  decay_0 = 0

    so that, with standardized inputs, a `d` far from -1 to 1 is a trend. `w` lets the averages of
    the first steps be those of what has come so far. A machine that wears out shows it in its
    slopes before its levels leave those of other machines.

    Sources: Brown 1963, "Smoothing, Forecasting and Prediction of Discrete Time Series", for the
    averages; Kingma and Ba 2015 (arXiv 1412.6980), section 3, for `w`; Appel 1979, "The Moving
    Average Convergence Divergence Method", for the differences.

    Args:
        units: Positive integer, the number of features of the inputs.
        decays: Numbers between 0 and 1, increasing.

    Raises:
        ValueError: the decays are none, not increasing, or not between 0 and 1; the inputs have
            another number of features.

    Example:

    >>> import numpy as np
    >>> from kzoo.layers import Recurrent
    >>> layer = Recurrent(TrendCell(1, decays=(0.5,)), return_sequences=True)
    >>> trends = np.array(layer(np.array([[[8.0], [8.0], [16.0]]])))[0]
    >>> [[round(float(x), 2) for x in step] for step in trends]
    [[8.0, 8.0, 0.0], [8.0, 8.0, 0.0], [16.0, 12.57, 5.94]]
    """

    def __init__(self, units, decays=(0.8, 0.9, 0.96), **kwargs):
        super().__init__(units, **kwargs)
        ends = np.array([0.0, *decays, 1.0])
        if len(ends) < 3 or not np.all(np.diff(ends) > 0):
            raise ValueError(
                "`decays` must be numbers between 0 and 1, increasing. "
                f"Received: decays={tuple(decays)}"
            )
        self.decays = tuple(decays)
        count = len(self.decays)
        # The weights of the averages are the same for all features.
        self.state_size = [count * (units + 1)]
        self.output_size = (2 * count + 1) * units
        self._decay = np.repeat(self.decays, units + 1)
        self._sigmas = _noise(self.decays)

    def build(self, input_shape):
        """Checks the number of features."""
        if input_shape[-1] != self.units:
            raise ValueError(
                f"`units` must be {input_shape[-1]}, the number of features of the inputs. "
                f"Received: units={self.units}"
            )

    def project(self, inputs):
        """Returns decays, updates, and the inputs themselves."""
        joined = ops.concatenate([inputs, ops.ones_like(inputs[..., :1])], axis=-1)
        tiled = ops.concatenate([joined] * len(self.decays), axis=-1)
        decay = ops.cast(self._decay, inputs.dtype)
        return ops.ones_like(tiled) * decay, tiled * (1 - decay), inputs

    def readout(self, projected, state):
        """Returns inputs, averages and scaled differences."""
        averages = [projected[2]]
        for index, decay in enumerate(self.decays):
            begin = index * (self.units + 1)
            end = begin + self.units
            # No step that counts leaves less; before the first one the sums are zero, too.
            weight = ops.maximum(state[..., end : end + 1], 1 - decay)
            averages.append(state[..., begin:end] / weight)
        differences = [
            (before - after) / sigma
            for before, after, sigma in zip(averages[:-1], averages[1:], self._sigmas, strict=True)
        ]
        return ops.concatenate([*averages, *differences], axis=-1)

    def get_config(self):
        """Returns the constructor arguments."""
        return {**super().get_config(), "decays": self.decays}


def _noise(decays):
    """Standard deviations of the differences of neighbouring averages of noise; see `TrendCell`."""
    a, b = np.array([0.0, *decays[:-1]]), np.array(decays)
    variance = (1 - a) ** 2 / (1 - a**2) + (1 - b) ** 2 / (1 - b**2)
    return np.sqrt(variance - 2 * (1 - a) * (1 - b) / (1 - a * b)).tolist()
