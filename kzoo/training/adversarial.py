"""Adversarial training: every batch is learnt again where the word vectors make it hardest."""

import keras
from keras import ops

from kzoo.training.layerwise_adamw import LayerwiseAdamW


@keras.saving.register_keras_serializable(package="kzoo")
class AdversarialTraining(keras.Model):
    """Wraps a model for training by `AdversarialAdamW`: its training step runs twice on a batch.

    Compile and fit this model; save and use the one it wraps, whose weights it trains. The loss and
    the metrics of training are means over both runs.

    Args:
        model: The `keras.Model`.

    Example:

    >>> import numpy as np
    >>> layers = [keras.Input((1,)), keras.layers.Dense(1, use_bias=False, name="embedding")]
    >>> model = keras.Sequential(layers)
    >>> model.set_weights([np.ones((1, 1))])
    >>> training = AdversarialTraining(model)
    >>> training.compile(AdversarialAdamW(0.1, 0.0, step_length=0.5), "mse")
    >>> _ = training.train_on_batch(np.ones((1, 1)), np.zeros((1, 1)))
    >>> round(model.get_weights()[0].item(), 2)
    0.9
    """

    def __init__(self, model, **kwargs):
        super().__init__(**kwargs)
        self.model = model
        # So that a checkpoint can be loaded before the first batch.
        self.built = model.built

    def call(self, inputs, training=False):
        """Returns what the model returns."""
        return self.model(inputs, training=training)

    def train_step(self, *arguments):
        """Takes the step against a batch, and then the step of training."""
        if keras.backend.backend() != "jax":
            super().train_step(*arguments)
            return super().train_step(*arguments)
        # Where nothing has state, the arguments are the state and the batch.
        state, batch = arguments
        _, state = super().train_step(state, batch)
        return super().train_step(state, batch)

    def compute_output_shape(self, input_shape):
        """Returns the shape of what the model returns."""
        return self.model.compute_output_shape(input_shape)

    def get_config(self):
        """Returns the constructor arguments."""
        return {"model": keras.saving.serialize_keras_object(self.model)}

    @classmethod
    def from_config(cls, config):
        """Rebuilds the wrapper with its model."""
        return cls(keras.saving.deserialize_keras_object(config["model"]))


@keras.saving.register_keras_serializable(package="kzoo")
class AdversarialAdamW(LayerwiseAdamW):
    """`LayerwiseAdamW` that learns from a batch and from its adversary together.

        L(E) + L(E + r),    r = epsilon g / |g|,    g = dL / dE

    `E` is the table of word vectors: `r` is the step of length `epsilon` that would make a batch's
    loss grow most. Every batch must come twice in a row, see `AdversarialTraining`: with its first
    gradients the table takes the step; the second time the table is back, and all variables move by
    the mean of both gradients. A training step takes twice as long.

    Source: Miyato, Dai and Goodfellow 2017, "Adversarial Training Methods for Semi-Supervised Text
    Classification" (arXiv 1605.07725), Eq. 5; there, the vectors of a text take the step.

    Args:
        learning_rate: Number, or a schedule, which counts every batch twice.
        weight_decay: Decoupled weight decay.
        factors: As of `LayerwiseAdamW`.
        step_length: `epsilon` above.
        table: Name of the layer of the model whose weight is `E`.
        **kwargs: As of `keras.optimizers.AdamW`.

    Raises:
        ValueError: `step_length` is not positive, or the model has no such layer.

    Example:

    >>> import numpy as np
    >>> layers = [keras.Input((1,)), keras.layers.Dense(1, use_bias=False, name="embedding")]
    >>> model = keras.Sequential(layers)
    >>> model.set_weights([np.ones((1, 1))])
    >>> model.compile(AdversarialAdamW(0.1, 0.0, step_length=0.5), "mse")
    >>> for _ in range(2):
    ...     _ = model.train_on_batch(np.ones((1, 1)), np.zeros((1, 1)))
    ...     print(f"{model.get_weights()[0].item():.2f}")
    1.50
    0.90
    """

    def __init__(
        self,
        learning_rate=1e-3,
        weight_decay=0.01,
        factors=None,
        step_length=1.0,
        table="embedding",
        **kwargs,
    ):
        if not step_length > 0:
            raise ValueError(f"`step_length` must be positive. Received: {step_length}")
        super().__init__(
            learning_rate, weight_decay, factors, **{**kwargs, "gradient_accumulation_steps": 2}
        )
        self.step_length = step_length
        self.table = table

    def build(self, variables):
        """Creates the moments, and the step of the table."""
        if not self.built:
            paths = [variable.path.split("/") for variable in variables]
            self._place = next((n for n, path in enumerate(paths) if self.table in path), None)
            if self._place is None:
                raise ValueError(f"`table`: expected a layer of the model. Received: {self.table}")
            self._step = self.add_variable_from_reference(variables[self._place], name="step")
        super().build(variables)

    def apply(self, grads, trainable_variables=None):
        """Keeps the gradients of the first time, and moves all by those of both at the second."""
        if trainable_variables is not None and not self.built:
            self.build(trainable_variables)
        grads = list(grads)
        # On TensorFlow, those of a table are those of a few rows until they meet all of them.
        slope = ops.add(grads[self._place], ops.zeros(self._step.shape, self._step.dtype))
        grads[self._place] = slope
        is_first = ops.equal(self._iterations % 2, 0)
        super().apply(grads, trainable_variables)
        length = ops.sqrt(ops.sum(ops.square(slope)))
        step = self.step_length * slope / ops.maximum(length, 1e-12)
        step = ops.where(is_first, step, 0.0)
        table = self._trainable_variables[self._place]
        table.assign(table + step - self._step)
        self._step.assign(step)

    def get_config(self):
        """Returns the constructor arguments."""
        config = {**super().get_config(), "step_length": self.step_length, "table": self.table}
        del config["gradient_accumulation_steps"]
        return config
