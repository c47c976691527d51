"""The linear map of a forecaster in closed form, before training."""

import keras
import numpy as np

PENALTIES = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)


def start_at_ridge(model, train, validation, penalties=PENALTIES):
    """Sets the linear map of a forecaster to ridge regression.

        W = (X'X + penalty n I)^-1 X'Y

    where a row of X is what the map reads of one of n windows, and one of Y what the model, whose
    recurrent network and linear map begin at zero, leaves to forecast. The bias has no penalty.
    What training then has to find is what a linear map cannot say.

    Args:
        model: A model of `kzoo.models.standardized_forecaster` that was not trained yet.
        train: `SeriesBatches` to solve for.
        validation: `SeriesBatches` by whose squared error the penalty is chosen.
        penalties: Numbers to choose from, in variances of a standardized series.

    Returns:
        The penalty, or None for a model without a linear map, which is left as it is.

    Example:

    >>> from kzoo.models import forecaster, standardized_forecaster
    >>> from kzoo.training import SeriesBatches
    >>> series = np.sin(np.arange(60.0))[:, None]
    >>> model = standardized_forecaster(forecaster(num_features=1, input_length=4, horizon=2))
    >>> train = SeriesBatches(series, series, np.arange(40), 4, 2)
    >>> penalty = start_at_ridge(model, train, train)
    >>> inputs, targets = train[0]
    >>> bool(abs(np.array(model(inputs)) - targets).max() < 0.01)
    True
    """
    layers = [layer for layer in model.layers if layer.name == "linear"]
    if not layers:
        return None
    (linear,) = layers
    parts = keras.Model(model.input, [linear.input, model.output])
    rest_of = _rests(model, linear)
    gram, products, count = _normal_equations(parts, rest_of, train)
    best = None
    for penalty in penalties:
        # The last row is the bias.
        weight = np.full(len(gram), penalty * count)
        weight[-1] = 0
        solution = np.linalg.solve(gram + np.diag(weight), products)
        error = _error(parts, rest_of, validation, solution)
        if best is None or error < best[0]:
            best = error, penalty, solution
    _, penalty, solution = best
    linear.set_weights([solution[:-1], solution[-1]])
    return penalty


def _rests(model, linear):
    """A function from targets and outputs to what is left to forecast, a row a reading."""
    # Quantiles have one axis more, and their median is what the map moves.
    middle = None
    if len(model.output.shape) == 4:
        middle = model.get_layer("quantiles").quantiles.index(0.5)
    shared = len(linear.output.shape) == 3

    def rest_of(targets, outputs):
        rest = targets - (outputs if middle is None else outputs[..., middle])
        if shared:
            rest = rest.transpose(0, 2, 1)
            return rest.reshape(-1, rest.shape[-1])
        return rest.reshape(len(rest), -1)

    return rest_of


def _rows(parts, rest_of, batches):
    """Yields what the map reads, with a one for the bias, and what is left to forecast."""
    for index in range(len(batches)):
        inputs, targets = batches[index]
        read, outputs = (keras.ops.convert_to_numpy(x) for x in parts(inputs, training=False))
        read = read.reshape(-1, read.shape[-1]).astype("float64")
        rest = rest_of(targets, outputs).astype("float64")
        # A target that is not known takes the whole window with it.
        known = ~np.isnan(rest).any(axis=1)
        ones = np.ones((int(known.sum()), 1))
        yield np.concatenate([read[known], ones], axis=1), rest[known]


def _normal_equations(parts, rest_of, batches):
    gram = products = count = 0
    for read, rest in _rows(parts, rest_of, batches):
        gram, products = gram + read.T @ read, products + read.T @ rest
        count += len(read)
    return gram, products, count


def _error(parts, rest_of, batches, solution):
    total = count = 0
    for read, rest in _rows(parts, rest_of, batches):
        total += np.sum((rest - read @ solution) ** 2)
        count += rest.size
    return total / count
