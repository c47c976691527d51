"""Random weights, for models whose tests train nothing."""

import numpy as np


def randomize(model, seed=1, scale=0.4):
    """Gives every trainable weight of a built model or layer random values, biases included."""
    rng = np.random.default_rng(seed)
    for weight in model.trainable_weights:
        weight.assign(rng.normal(scale=scale, size=weight.shape))
    return model
