"""Several fine-tunings of one model as one of the same size."""

import numpy as np


def uniform_soup(members):
    """Gives the first of several models the mean of their weights.

        w = (w_1 + ... + w_n) / n

    Models that were fine-tuned from the same weights lie in one valley of the loss. Their mean lies
    nearer to its ground: it errs less than each of them, as their `ensemble` does, and costs no
    more than one. Models that were trained from scratch have nothing in common, nor has their mean.

    Source: Wortsman et al. 2022, "Model soups: averaging weights of multiple fine-tuned models
    improves accuracy without increasing inference time" (arXiv 2203.05482), section 2.

    Args:
        members: List of `keras.Model`s with weights of the same shapes.

    Returns:
        The first of them.

    Raises:
        ValueError: if there is none, or the shapes of the weights differ.

    Example:

    >>> import keras
    >>> members = [keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]) for _ in range(2)]
    >>> for value, model in enumerate(members):
    ...     model.set_weights([np.full((2, 1), value), np.full(1, 3.0 * value)])
    >>> [w.tolist() for w in uniform_soup(members).get_weights()]
    [[[0.5], [0.5]], [1.5]]
    """
    if not members:
        raise ValueError("`members` must hold at least one model. Received: an empty list")
    shapes = [[tuple(w.shape) for w in member.weights] for member in members]
    for index, found in enumerate(shapes):
        if found != shapes[0]:
            raise ValueError(
                "`members` must have weights of the same shapes. "
                f"Received: {shapes[0]}, and {found} of number {index}"
            )
    weights = zip(*(member.get_weights() for member in members), strict=True)
    members[0].set_weights([np.mean(same, axis=0) for same in weights])
    return members[0]
