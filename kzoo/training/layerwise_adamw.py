"""AdamW with other learning rates for other layers."""

import keras


@keras.saving.register_keras_serializable(package="kzoo")
class LayerwiseAdamW(keras.optimizers.AdamW):
    """AdamW where the learning rate of a layer is multiplied by a factor of its own.

        rate_l = factor_l * learning_rate

    Layers near the input of a pretrained model hold what all tasks share, so they are to change
    less. Weight decay goes by the common learning rate, and leaves out vectors: biases, and what
    normalizations scale by; `exclude_from_weight_decay` leaves out more.

    Sources: Howard and Ruder 2018 (arXiv 1801.06146), section 3.2, "discriminative fine-tuning";
    Loshchilov and Hutter 2019 (arXiv 1711.05101).

    Args:
        learning_rate: Number, or a schedule.
        weight_decay: Decoupled weight decay.
        factors: Dict from the name of a layer of the model to its factor; 1 for all others.
        **kwargs: As of `keras.optimizers.AdamW`.

    Example:

    >>> import numpy as np
    >>> layers = [keras.Input((1,)), keras.layers.Dense(1, name="low"), keras.layers.Dense(1)]
    >>> model = keras.Sequential(layers)
    >>> before = np.ravel(model.get_layer("low").kernel)[0]
    >>> model.compile(LayerwiseAdamW(0.1, 0.0, {"low": 0.5}), "mse")
    >>> _ = model.train_on_batch(np.ones((1, 1)), np.ones((1, 1)) * 9)
    >>> round(float(abs(np.ravel(model.get_layer("low").kernel)[0] - before)), 3)
    0.05
    """

    def __init__(self, learning_rate=1e-3, weight_decay=0.01, factors=None, **kwargs):
        super().__init__(learning_rate, weight_decay, **kwargs)
        self.factors = dict(factors or {})

    def build(self, variables):
        """Creates the moments, and finds the factor of each variable."""
        if not self.built:
            self._rates = [self._rate(variable.path.split("/")) for variable in variables]
        super().build(variables)

    def _use_weight_decay(self, variable):
        """Whether a variable decays: no vector, nor what `exclude_from_weight_decay` names."""
        return len(variable.shape) > 1 and super()._use_weight_decay(variable)

    def _rate(self, path):
        return next((rate for name, rate in self.factors.items() if name in path), 1.0)

    def update_step(self, gradient, variable, learning_rate):
        """Moves a variable by its layer's learning rate."""
        # On TensorFlow the variable comes without its path.
        factor = self._rates[self._get_variable_index(variable)]
        super().update_step(gradient, variable, learning_rate * factor)

    def get_config(self):
        """Returns the constructor arguments."""
        return {**super().get_config(), "factors": self.factors}
