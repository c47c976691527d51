"""The learning rate of BERT: up in a line, down in a line."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="kzoo")
class LinearWarmup(keras.optimizers.schedules.LearningRateSchedule):
    """Grows from zero over `warmup_steps`, then falls in a line to zero at `steps`.

        rate(t) = learning_rate min((t + 1) / (w + 1), (n - t) / (n - w))

    where w are the `warmup_steps`, n the `steps`, and t counts from 0, so that no step of training
    has a rate of zero.

    Source: Devlin et al. 2019 (arXiv 1810.04805), appendix A.2.

    Args:
        learning_rate: The highest rate.
        warmup_steps: Number of steps before it.
        steps: Number of all steps, more than `warmup_steps`.

    Example:

    >>> schedule = LinearWarmup(1.0, warmup_steps=1, steps=5)
    >>> [float(schedule(step)) for step in range(6)]
    [0.5, 1.0, 0.75, 0.5, 0.25, 0.0]
    """

    def __init__(self, learning_rate, warmup_steps, steps):
        super().__init__()
        if not 0 <= warmup_steps < steps:
            raise ValueError(
                f"`warmup_steps` must be in [0, {steps}), for there are {steps} steps. "
                f"Received: warmup_steps={warmup_steps}"
            )
        self.learning_rate = learning_rate
        self.warmup_steps = warmup_steps
        self.steps = steps

    def __call__(self, step):
        """Returns the rate of a step."""
        step = ops.cast(step, "float32")
        up = (step + 1) / (self.warmup_steps + 1)
        down = (self.steps - step) / (self.steps - self.warmup_steps)
        return self.learning_rate * ops.maximum(ops.minimum(up, down), 0.0)

    def get_config(self):
        """Returns the constructor arguments."""
        names = ("learning_rate", "warmup_steps", "steps")
        return {name: getattr(self, name) for name in names}
