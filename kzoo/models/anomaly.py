"""Scores of anomalies: how much of a measurement the measurements before it did not announce."""

import keras
from keras import ops

from kzoo.layers import Delay, Standardization
from kzoo.models.checks import check_sizes, check_statistics
from kzoo.models.encoders import walk


def anomaly_scorer(
    *,
    num_features,
    statistics=None,
    cell="gru",
    units=32,
    num_layers=1,
    dropout=0.1,
    window=12,
    name="anomaly_scorer",
):
    """Builds a causal model that scores every step of a real-valued sequence.

        e_t = x_t - f(x_1 .. x_{t-1}),    score_t = mean of |e| over the features and the steps
                                                    t - window + 1 .. t

    Wiring: features are standardized; recurrent layers forecast each step from those before it;
    the score is the mean size of what was not forecast, over the features and the last steps. It
    needs no labels, and can run while the sequence comes in, see `kzoo.export.export_streaming`.

    Source: Malhotra et al. 2015, "Long Short Term Memory Networks for Anomaly Detection in Time
    Series" (ESANN).

    Args:
        num_features: Number of features of a time step.
        statistics: `(mean, variance)` of the features, by which the model standardizes.
        cell: Name of a recurrent cell, one of `kzoo.layers.CELLS`.
        units: Width of a recurrent layer.
        num_layers: Number of recurrent layers.
        dropout: Fraction of features dropped before each layer.
        window: Steps over which the score is a mean.
        name: Name of the model.

    Returns:
        A `keras.Model` from `(batch, time, num_features)` to scores `(batch, time, 1)`. It is
        trained through `forecast_errors`.

    Example:

    >>> import numpy as np
    >>> model = anomaly_scorer(num_features=2, units=4)
    >>> tuple(model(np.ones((1, 9, 2), "float32")).shape)
    (1, 9, 1)
    """
    check_sizes(num_features=num_features, window=window)
    # Layers
    scaling = Standardization(*check_statistics(statistics, num_features), name="scaling")
    mean = keras.layers.Conv1D(
        1,
        window,
        padding="causal",
        use_bias=False,
        kernel_initializer=keras.initializers.Constant(1 / (window * num_features)),
        trainable=False,
        name="scores",
    )
    # Wiring
    sequences = keras.Input((None, num_features), name="sequences")
    scaled = scaling(sequences)
    past = Delay(name="delay")(scaled)
    features = walk(past, cell, units, num_layers, False, dropout)
    # Zeros, so that training begins at persistence.
    change = keras.layers.Dense(num_features, kernel_initializer="zeros", name="changes")(features)
    errors = keras.layers.Subtract(name="errors")([scaled, past + change])
    return keras.Model(sequences, mean(ops.abs(errors)), name=name)


def forecast_errors(model, name="forecast_errors"):
    """Returns what is trained of an `anomaly_scorer`: from sequences to errors, to be made small.

    Args:
        model: A model of `anomaly_scorer`.
        name: Name of the new model, which shares the layers of `model`.

    Returns:
        A `keras.Model` from `(batch, time, num_features)` to the errors `e` of `anomaly_scorer`,
        in standard deviations, of the same shape; targets are zeros.

    Example:

    >>> model = forecast_errors(anomaly_scorer(num_features=2, units=4))
    >>> model.output_shape
    (None, None, 2)
    """
    return keras.Model(model.input, model.get_layer("errors").output, name=name)
