"""The linear map of a forecaster in closed form, before training."""

import keras
import numpy as np

PENALTIES = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)


def start_at_ridge(model, train, validation, penalties=PENALTIES):
    """Sets the linear maps of a forecaster to ridge regression.

        W = (X'X + penalty n I)^-1 X'Y

    where a row of X is what a map reads of one of n windows, and one of Y what the model, whose
    recurrent network and linear maps begin at zero, leaves to forecast. The bias has no penalty.
    What training then has to find is what a linear map cannot say.

    Source: Hoerl and Kennard 1970, "Ridge Regression: Biased Estimation for Nonorthogonal
    Problems".

    Args:
        model: A model of `kzoo.models.standardized_forecaster` that was not trained yet.
        train: `SeriesBatches` to solve for.
        validation: `SeriesBatches` by whose squared error the penalty of a map is chosen.
        penalties: Numbers to choose from, in variances of a standardized series.

    Returns:
        Dict from the names of the maps to their penalties; empty for a model without any.

    Example:

    >>> from kzoo.models import forecaster, standardized_forecaster
    >>> from kzoo.training import SeriesBatches
    >>> series = np.sin(np.arange(60.0))[:, None]
    >>> model = standardized_forecaster(forecaster(num_features=1, input_length=4, horizon=2))
    >>> train = SeriesBatches(series, series, np.arange(40), 4, 2)
    >>> penalties = start_at_ridge(model, train, train)
    >>> inputs, targets = train[0]
    >>> bool(abs(np.array(model(inputs)) - targets).max() < 0.01)
    True
    """
    maps = [layer for layer in model.layers if layer.name in ("linear", "linear_own")]
    # All are solved for before one of them takes from what the others find to forecast.
    solved = [_solve(model, layer, train, validation, penalties) for layer in maps]
    for layer, (_, weights) in zip(maps, solved, strict=True):
        layer.set_weights(weights)
    return {layer.name: penalty for layer, (penalty, _) in zip(maps, solved, strict=True)}


def _solve(model, layer, train, validation, penalties):
    """The best penalty of a map, and its weights."""
    parts = keras.Model(model.input, [layer.input, model.output])
    gram = products = count = 0
    for read, rest, known in _rows(parts, layer, train):
        turned = read.transpose(0, 2, 1)
        gram, products = gram + turned @ read, products + turned @ rest
        count = count + known.sum(axis=1)
    # The last row is the bias.
    free = np.diag([1.0] * (gram.shape[-1] - 1) + [0.0])
    held, best = list(_rows(parts, layer, validation)), None
    for penalty in penalties:
        solution = np.linalg.solve(gram + penalty * count[:, None, None] * free, products)
        error = sum(np.sum((rest - read @ solution) ** 2) for read, rest, _ in held)
        if best is None or error < best[0]:
            best = error, penalty, solution
    _, penalty, solution = best
    if layer.name == "linear_own":
        return penalty, [solution[:, :-1], solution[:, -1].T]
    return penalty, [solution[0, :-1], solution[0, -1]]


def _rows(parts, layer, batches):
    """Yields what a map reads, with a one for the bias, what is left to forecast, what is known.

    Each is `(groups, rows, size)`, where each group has weights of its own; rows with a target
    that is not known are zeros.
    """
    outputs = parts.output[1]
    # Quantiles have one axis more, and their median is what the maps move.
    is_point = len(outputs.shape) == 3
    middle = None if is_point else parts.get_layer("quantiles").quantiles.index(0.5)
    for index in range(len(batches)):
        inputs, targets = batches[index]
        read, written = (keras.ops.convert_to_numpy(x) for x in parts(inputs, training=False))
        rest = targets - (written if is_point else written[..., middle])
        if layer.name == "linear_own":
            read, rest = read.transpose(2, 0, 1), rest.transpose(2, 0, 1)
        elif read.ndim == 3:
            rest = rest.transpose(0, 2, 1)
            read, rest = (x.reshape(1, -1, x.shape[-1]) for x in (read, rest))
        else:
            read, rest = (x.reshape(1, len(x), -1) for x in (read, rest))
        known = ~np.isnan(rest).any(axis=-1)
        read = np.concatenate([read, np.ones((*read.shape[:2], 1))], axis=-1)
        yield np.where(known[..., None], read, 0), np.where(known[..., None], rest, 0), known
