"""What the file of a model that writes can do by chance: draw one id, or a whole text."""

from functools import cached_property

import numpy as np
from keras import ops

from kzoo.decoding import sample
from kzoo.decoding.random_numbers import next_uniform, seed_rows
from kzoo.decoding.sampling import draw, mark_chosen, penalize_repetition
from kzoo.decoding.step import Rules
from kzoo.export.step_programs import StepPrograms, found

# What decides how ids are drawn; the seeds are one a row.
DRAWING = [
    ("temperature", (), "float32"),
    ("top_k", (), "int32"),
    ("top_p", (), "float32"),
    ("repetition_penalty", (), "float32"),
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
            "draw": [self.logits_spec(), seed, *self.drawn_specs(""), *DRAWING],
        }

    @cached_property
    def outputs(self):
        """Lists of (name, shape, dtype) by signature."""
        return {
            **super().outputs,
            "sample": self.decoded_specs((None,)),
            "draw": [("ids", (None,), "int32"), *self.drawn_specs("next_")],
            "score": [("log_probabilities", (None, None), "float32")],
        }

    def drawn_specs(self, prefix):
        """Name, shape and dtype of what `draw` remembers from step to step."""
        return [
            (f"{prefix}generator", (None, 3), "int32"),
            (f"{prefix}chosen", (None, self.vocabulary_size), "float32"),
        ]

    def sample(self, sources, seed, *drawing):
        """Returns ids, lengths and scores; takes `DRAWING` last."""
        options = {name: x for (name, _, _), x in zip(DRAWING, drawing, strict=True)}
        decoded = sample(
            self.steps.step, *self.begin(sources), **self.search.rules, seed=seed, **options
        )
        return found(decoded)

    def draw(self, logits, seed, generator, chosen, temperature, top_k, top_p, repetition_penalty):
        """Returns the ids `(batch,)` that `sample` draws from logits, and what to remember.

        Zeros stand before the first step: then the seed makes the generator, and the row has
        chosen no id.
        """
        logits = Rules(**self.search.rules).block(logits, 0)
        logits = penalize_repetition(logits, chosen, repetition_penalty)
        started = ops.not_equal(generator, 0)
        generator = ops.where(started, generator, seed_rows(seed, ops.shape(seed)[0]))
        u, generator = next_uniform(generator)
        ids = draw(logits / temperature, u, top_k, top_p)
        return {
            "ids": ids,
            "next_generator": generator,
            "next_chosen": mark_chosen(chosen, ids),
        }


def log_probabilities(logits, ids):
    """Returns `log p(id)` `(batch, time)` under the logits of each step, 0 for padding."""
    logits = ops.cast(logits, "float32")
    logits = logits - ops.logsumexp(logits, axis=-1, keepdims=True)
    targets = ops.expand_dims(ids, -1) == np.arange(logits.shape[-1])
    return ops.where(ids != 0, ops.sum(ops.where(targets, logits, 0.0), axis=-1), 0.0)
