"""Scores of anomalies: how much of a measurement the measurements before it did not announce."""

import keras
from keras import ops

from kzoo.layers import Delay, Standardization
from kzoo.layers.checks import check_sizes
from kzoo.models.checks import check_statistics
from kzoo.models.encoders import walk


def anomaly_scorer(
    *,
    num_features,
    statistics=None,
    cell="gru",
    units=32,
    num_layers=1,
    dropout=0.1,
    horizons=(1,),
    window=12,
    name="anomaly_scorer",
):
    """Builds a causal model that scores every step of a real-valued sequence.

        e_{t,h} = x_t - f_h(x_1 .. x_{t-h}),    score_t = mean of |e| over the features, the
                                                    horizons h, and the steps t - window + 1 .. t

    Wiring: features are standardized; recurrent layers forecast each step from those before it,
    as many steps ahead as each horizon says; the score is the mean size of what was not forecast,
    over the features, the horizons and the last steps. A short horizon sees a jump, a long one that
    the machine stays where it does not belong. The score needs no labels, and can run while the
    sequence comes in, see `kzoo.export.export_streaming`.

    Source: Malhotra et al. 2015, "Long Short Term Memory Networks for Anomaly Detection in Time
    Series" (ESANN), section 2, with the mean of the errors in the place of their likelihood under a
    normal distribution.

    Args:
        num_features: Number of features of a time step.
        statistics: `(mean, variance)` of the features, by which the model standardizes.
        cell: Name of a recurrent cell, one of `kzoo.layers.CELLS`.
        units: Width of a recurrent layer.
        num_layers: Number of recurrent layers.
        dropout: Fraction of features dropped before each layer.
        horizons: How many steps ahead is forecast. A step that has no forecast yet counts as
            forecast to be the mean.
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
    horizons = tuple(horizons)
    if not horizons or len(set(horizons)) < len(horizons):
        raise ValueError(
            f"`horizons` must be different positive integers. Received: horizons={horizons!r}"
        )
    for horizon in horizons:
        check_sizes(horizons=horizon)
    # Layers
    scaling = Standardization(*check_statistics(statistics, num_features), name="scaling")
    mean = keras.layers.Conv1D(
        1,
        window,
        padding="causal",
        use_bias=False,
        kernel_initializer=keras.initializers.Constant(1 / (window * num_features * len(horizons))),
        trainable=False,
        name="scores",
    )
    # Wiring
    sequences = keras.Input((None, num_features), name="sequences")
    scaled = scaling(sequences)
    past = Delay(name="delay")(scaled)
    features = walk(past, cell, units, num_layers, False, dropout)
    errors = []
    for horizon in horizons:
        # Zeros, so that training begins at persistence.
        change = keras.layers.Dense(
            num_features, kernel_initializer="zeros", name=f"changes_{horizon}"
        )
        forecast = past + change(features)
        if horizon > 1:
            forecast = Delay(horizon - 1, name=f"delay_{horizon}")(forecast)
        errors.append(scaled - forecast)
    errors = keras.layers.Concatenate(name="errors")(errors)
    return keras.Model(sequences, mean(ops.abs(errors)), name=name)


def forecast_errors(model, name="forecast_errors"):
    """Returns what is trained of an `anomaly_scorer`: from sequences to errors, to be made small.

    Args:
        model: A model of `anomaly_scorer`.
        name: Name of the new model, which shares the layers of `model`.

    Returns:
        A `keras.Model` from `(batch, time, num_features)` to the errors `e` of `anomaly_scorer`,
        in standard deviations, `(batch, time, horizons * num_features)`; targets are zeros.

    Example:

    >>> model = forecast_errors(anomaly_scorer(num_features=2, units=4))
    >>> model.output_shape
    (None, None, 2)
    """
    return keras.Model(model.input, model.get_layer("errors").output, name=name)
