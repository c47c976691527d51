"""What the file of a model that writes can do by chance: draw one id, or a whole text."""

from functools import cached_property

import numpy as np
from keras import ops

from kzoo.decoding import sample
from kzoo.decoding.random_numbers import next_uniform, seed_rows
from kzoo.decoding.sampling import draw
from kzoo.decoding.step import Rules
from kzoo.export.step_programs import StepPrograms, found

# What decides how ids are drawn; the seeds are one a row.
DRAWING = [
    ("temperature", (), "float32"),
    ("top_k", (), "int32"),
    ("top_p", (), "float32"),
]


class SamplingPrograms(StepPrograms):
    """Functions of tensors for the signatures `sample`, `draw` and `score` too.

    A subclass says by `score` how probable a text is.
    """

    @cached_property
    def inputs(self):
        """Lists of (name, shape, dtype) by signature."""
        inputs = super().inputs
        seed = ("seed", (None,), "int32")
        return {
            **inputs,
            "sample": [*inputs["greedy"], seed, *DRAWING],
            "draw": [self.logits_spec(), seed, ("generator", (None, 3), "int32"), *DRAWING],
        }

    @cached_property
    def outputs(self):
        """Lists of (name, shape, dtype) by signature."""
        return {
            **super().outputs,
            "sample": self.decoded_specs((None,)),
            "draw": [("ids", (None,), "int32"), ("next_generator", (None, 3), "int32")],
            "score": [("log_probabilities", (None, None), "float32")],
        }

    def sample(self, sources, seed, temperature, top_k, top_p):
        """Returns ids, lengths and scores."""
        options = {"temperature": temperature, "top_k": top_k, "top_p": top_p}
        decoded = sample(
            self.steps.step, *self.begin(sources), **self.search.rules, seed=seed, **options
        )
        return found(decoded)

    def draw(self, logits, seed, generator, temperature, top_k, top_p):
        """Returns the ids `(batch,)` that `sample` draws from logits, and the next generator.

        A generator of zeros stands before the first step: then the seed makes the generator.
        """
        logits = Rules(**self.search.rules).block(logits, 0)
        started = ops.not_equal(generator, 0)
        generator = ops.where(started, generator, seed_rows(seed, ops.shape(seed)[0]))
        u, generator = next_uniform(generator)
        return {"ids": draw(logits / temperature, u, top_k, top_p), "next_generator": generator}


def log_probabilities(logits, ids):
    """Returns `log p(id)` `(batch, time)` under the logits of each step, 0 for padding."""
    logits = ops.cast(logits, "float32")
    logits = logits - ops.logsumexp(logits, axis=-1, keepdims=True)
    targets = ops.expand_dims(ids, -1) == np.arange(logits.shape[-1])
    return ops.where(ids != 0, ops.sum(ops.where(targets, logits, 0.0), axis=-1), 0.0)
