"""Forecasters: from the last values of some series to the next ones, raw numbers in and out."""

import keras
from keras import ops

from kzoo.layers import (
    CELLS,
    AttentionCell,
    FeedbackCell,
    QuantileSpread,
    Recurrent,
    Standardization,
)
from kzoo.layers.checks import check_sizes
from kzoo.layers.quantile_spread import check_quantiles
from kzoo.models.checks import check_statistics
from kzoo.models.encoders import walk
from kzoo.models.seq2seq import ATTENTIONS

LEVELS = {
    "last": lambda x: x[:, -1:],
    "mean": lambda x: ops.mean(x, axis=1, keepdims=True),
    "zero": lambda x: ops.zeros_like(x[:, :1]),
}


def forecaster(
    *,
    num_features,
    input_length,
    horizon,
    targets=None,
    statistics=None,
    quantiles=None,
    level="last",
    autoregressive=False,
    name="forecaster",
    **network,
):
    """Builds a forecaster of real-valued series.

    Wiring: each series is standardized; a network reads the window less its level, and what it
    writes is added to the level and scaled back. The direct network reads segments of the window
    by recurrent layers, whose last output gives all steps of the horizon at once, beside a linear
    map of the window. The autoregressive one is an encoder-decoder with attention, which reads at
    each step what it wrote at the step before.

    Sources: Zeng et al. 2023, "Are Transformers Effective for Time Series Forecasting?" (arXiv
    2205.13504), for the linear map and the level; Lin et al. 2023, "SegRNN" (arXiv 2308.11200),
    for segments, and series that share one network; Bahdanau, Cho and Bengio 2015 (arXiv
    1409.0473) for the encoder-decoder.

    Args:
        num_features: Number of series that are read.
        input_length: Steps that are read.
        horizon: Steps that are forecast.
        targets: List of the numbers of the series that are forecast; None for all.
        statistics: `(mean, variance)` of the series, two lists, by which the model standardizes;
            None for zeros and ones.
        quantiles: Increasing numbers in (0, 1), 0.5 among them, to forecast quantiles; None for a
            point forecast.
        level: What is taken for the level of a window: "last", its last value; "mean"; or "zero",
            the mean of the whole series.
        autoregressive: Whether each step reads the one before it.
        name: Name of the model.
        **network:
            `cell`: name of a recurrent cell, one of `kzoo.layers.CELLS`; "gru" by default.
            `units`: width of a recurrent layer; 64 by default.
            `num_layers`: number of recurrent layers; 1 by default.
            `dropout`: fraction of features dropped before each layer; 0.3 by default.
            `segment_length`: steps that the direct network reads at once; 1 by default. A divisor
                of `input_length`.
            `independent`: whether the direct network reads each series by itself, with the same
                weights; False by default.
            `own_length`: where series are independent, steps at the end of the window from which a
                linear map of each series' own forecasts too; the linear part is the mean of both.
                None, the default, for no such map.
            `attention`: one of `kzoo.models.ATTENTIONS` for the autoregressive network, or None;
                "bahdanau" by default.

    Returns:
        A `keras.Model` from `series`, `(batch, input_length, num_features)`, to
        `(batch, horizon, len(targets))`, or `(batch, horizon, len(targets), len(quantiles))`. It is
        trained through `standardized_forecaster`.

    Example:

    >>> import numpy as np
    >>> model = forecaster(num_features=3, input_length=12, horizon=4, targets=[2], units=8)
    >>> tuple(model(np.ones((2, 12, 3), "float32")).shape)
    (2, 4, 1)
    """
    check_sizes(num_features=num_features, input_length=input_length, horizon=horizon)
    targets = list(range(num_features)) if targets is None else list(targets)
    if not targets or not set(targets) <= set(range(num_features)):
        raise ValueError(
            f"`targets` must be numbers of the {num_features} series. Received: targets={targets}"
        )
    if level not in LEVELS:
        raise ValueError(f"`level` must be one of {list(LEVELS)}. Received: level={level!r}")
    if quantiles is not None:
        check_quantiles(quantiles)
    mean, variance = check_statistics(statistics, num_features)
    # Layers
    scaling = Standardization(mean, variance, name="scaling")
    unscaling = Standardization(
        *([values[i] for i in targets] for values in (mean, variance)),
        axis=2,
        invert=True,
        name="unscaling",
    )
    # Wiring
    series = keras.Input((input_length, num_features), name="series")
    scaled = scaling(series)
    base = LEVELS[level](ops.take(scaled, targets, axis=2))
    wire = _decode if autoregressive else _map
    num_spreads = 0 if quantiles is None else len(quantiles) - 1
    outputs, spreads = wire(scaled, base, targets, horizon, num_spreads, **network)
    if quantiles is not None:
        outputs = QuantileSpread(quantiles, name="quantiles")(outputs, spreads)
    return keras.Model(series, unscaling(outputs), name=name)


def standardized_forecaster(model, name="standardized_forecaster"):
    """Wires what is trained of a forecaster: from raw numbers to standardized ones.

    Args:
        model: A model of `forecaster`.
        name: Name of the new model, which shares the layers of `model`.

    Returns:
        A `keras.Model` with the outputs of `model` in standard deviations from the mean, so that
        every series weighs the same in a loss.

    Example:

    >>> statistics = [5.0], [4.0]
    >>> model = forecaster(num_features=1, input_length=6, horizon=2, statistics=statistics)
    >>> x = keras.random.normal((1, 6, 1))
    >>> gap = model(x) - (2 * standardized_forecaster(model)(x) + 5)
    >>> float(ops.max(ops.abs(gap))) < 1e-5
    True
    """
    return keras.Model(model.input, model.get_layer("unscaling").input, name=name)


def _map(
    scaled,
    base,
    targets,
    horizon,
    num_spreads,
    *,
    cell="gru",
    units=64,
    num_layers=1,
    dropout=0.3,
    segment_length=1,
    independent=False,
    own_length=None,
):
    """Wires the direct network: all steps of the horizon from the last output of the encoder."""
    length = scaled.shape[1]
    check_sizes(segment_length=segment_length)
    if length % segment_length:
        raise ValueError(
            f"`segment_length` must divide input_length={length}. "
            f"Received: segment_length={segment_length}"
        )
    if own_length is not None and not (independent and 0 < own_length <= length):
        raise ValueError(
            f"`own_length` must be None, or at most input_length={length} with independent series. "
            f"Received: own_length={own_length}"
        )
    windows = ops.take(scaled, targets, axis=2) - base
    num_targets, per_step = len(targets), num_spreads + 1
    if independent:
        series = ops.transpose(windows, (0, 2, 1))
        segments = ops.reshape(series, (-1, length // segment_length, segment_length))
        linear = keras.layers.Dense(horizon, kernel_initializer="zeros", name="linear")
        change = ops.transpose(linear(series), (0, 2, 1))
        if own_length is not None:
            own = keras.layers.EinsumDense(
                "blf,flh->bhf",
                (horizon, num_targets),
                bias_axes="hf",
                kernel_initializer="zeros",
                name="linear_own",
            )
            change = (change + own(windows[:, -own_length:])) / 2
        outputs = base + change
        rows = 1
    else:
        windows = ops.concatenate([scaled, windows], axis=-1)
        size = segment_length * windows.shape[-1]
        segments = ops.reshape(windows, (-1, length // segment_length, size))
        linear = keras.layers.Dense(
            horizon * num_targets, kernel_initializer="zeros", name="linear"
        )
        flat = ops.reshape(windows, (-1, length * windows.shape[-1]))
        outputs = base + ops.reshape(linear(flat), (-1, horizon, num_targets))
        rows = num_targets
    if segment_length > 1:
        segments = keras.layers.Dense(units, activation="relu", name="segments")(segments)
    features = walk(segments, cell, units, num_layers, False, dropout, return_sequences=False)
    features = keras.layers.Dropout(dropout, name="dropout")(features)
    # Zeros, so that training begins at the linear map.
    head = keras.layers.Dense(rows * horizon * per_step, kernel_initializer="zeros", name="changes")
    changes = ops.reshape(head(features), (-1, num_targets, horizon, per_step))
    changes = ops.transpose(changes, (0, 2, 1, 3))
    return outputs + changes[..., 0], changes[..., 1:]


def _decode(
    scaled,
    base,
    targets,
    horizon,
    num_spreads,
    *,
    cell="gru",
    units=64,
    num_layers=1,
    dropout=0.3,
    attention="bahdanau",
):
    """Wires the encoder-decoder, which reads what it writes."""
    if cell not in CELLS:
        raise ValueError(f"`cell` must be one of {sorted(CELLS)}. Received: cell={cell!r}")
    if attention is not None and attention not in ATTENTIONS:
        raise ValueError(
            f"`attention` must be None or one of {list(ATTENTIONS)}. Received: {attention!r}"
        )
    num_targets = len(targets)
    # Layers
    encoder = Recurrent(
        CELLS[cell](units), return_sequences=True, return_state=True, name="encoder"
    )
    decoder_cell, memory = CELLS[cell](units), {}
    if attention is not None:
        decoder_cell = AttentionCell(decoder_cell, ATTENTIONS[attention](units), units)
    decoder = Recurrent(
        FeedbackCell(decoder_cell, num_targets), return_sequences=True, name="decoder"
    )
    # Wiring
    windows = ops.concatenate([scaled, ops.take(scaled, targets, axis=2) - base], axis=-1)
    if num_layers > 1:
        windows = walk(windows, cell, units, num_layers - 1, False, dropout)
    windows = keras.layers.Dropout(dropout, name="dropout_encoder")(windows)
    encoded, *states = encoder(windows)
    context = keras.layers.RepeatVector(horizon, name="context")(encoded[:, -1])
    if attention is not None:
        memory = {"memory": keras.layers.Dropout(dropout, name="dropout_memory")(encoded)}
    decoded = decoder(context, initial_state=[*states, base[:, 0]], **memory)
    outputs, features = decoded[..., :num_targets], decoded[..., num_targets:]
    if not num_spreads:
        return outputs, ops.expand_dims(outputs, -1)[..., :0]
    spreads = keras.layers.Dense(num_targets * num_spreads, name="spreads")(features)
    return outputs, ops.reshape(spreads, (-1, horizon, num_targets, num_spreads))
