"""Learning rates that recipes share."""

from keras.optimizers.schedules import CosineDecay


def warmup_cosine(learning_rate, warmup_steps, steps):
    """Returns a schedule that rises linearly from 0, and then falls to 0 as a cosine.

    Args:
        learning_rate: The highest rate.
        warmup_steps: Number of batches of the rise; 0 for none.
        steps: Number of batches in the whole training.

    Example:

    >>> schedule = warmup_cosine(0.5, warmup_steps=10, steps=30)
    >>> [round(float(schedule(step)), 2) for step in (0, 5, 10, 20, 30)]
    [0.0, 0.25, 0.5, 0.25, 0.0]
    """
    return CosineDecay(
        0.0,
        decay_steps=max(1, steps - warmup_steps),
        warmup_target=learning_rate,
        warmup_steps=warmup_steps,
    )
