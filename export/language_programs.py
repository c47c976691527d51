"""What a `.tflite` file of a language model can do: read a prompt, step, draw, search and score."""

from functools import cached_property

import numpy as np
from keras import ops

from kzoo.decoding import sample
from kzoo.decoding.random_numbers import next_uniform, seed_rows
from kzoo.decoding.sampling import draw
from kzoo.decoding.step import Rules
from kzoo.export.errors import ExportError
from kzoo.export.step_programs import StepPrograms, found
from kzoo.layers import LearnedPositions
from kzoo.models import LanguageModelSteps

# What decides how ids are drawn; the seeds are one a row.
DRAWING = [
    ("temperature", (), "float32"),
    ("top_k", (), "int32"),
    ("top_p", (), "float32"),
]


class LanguagePrograms(StepPrograms):
    """Functions of tensors for the signatures of `export_language_model`.

    Args:
        model: keras.Model with a "decoder", as `kzoo.models.language_model` builds.
        search: `Search`.

    Attributes:
        max_prompt_length: the longest prompt that leaves positions for a text, or None.
    """

    reading = ("prefill", "prompt_ids")

    def __init__(self, model, search):
        """Find the decoder and the state; see the class."""
        steps = _steps(model)
        self.max_prompt_length = None
        positions = getattr(steps.decoder, "positions", None)
        if isinstance(positions, LearnedPositions):
            self.max_prompt_length = positions.max_length - search.max_length
            if self.max_prompt_length < 1:
                raise ValueError(
                    f"`max_length` must be below {positions.max_length}, the positions that the "
                    f"model has learned. Received: max_length={search.max_length}"
                )
        super().__init__(model, steps, search)

    @cached_property
    def inputs(self):
        """Lists of (name, shape, dtype) by signature."""
        inputs = super().inputs
        seed = ("seed", (None,), "int32")
        return {
            **inputs,
            "sample": [*inputs["greedy"], seed, *DRAWING],
            "draw": [self.logits_spec(), seed, ("generator", (None, 3), "int32"), *DRAWING],
            "score": [("ids", (None, None), "int32")],
        }

    @cached_property
    def outputs(self):
        """Lists of (name, shape, dtype) by signature."""
        return {
            **super().outputs,
            "prefill": [self.logits_spec(), *self.state_specs()],
            "sample": self.decoded_specs((None,)),
            "draw": [("ids", (None,), "int32"), ("next_generator", (None, 3), "int32")],
            "score": [("log_probabilities", (None, None), "float32")],
        }

    def begin(self, ids):
        """Returns `(state, start_ids)`."""
        return self.steps.begin(ids, self.search.max_length)

    def prefill(self, prompt_ids):
        """Returns the logits after the last id of each row, and the state by name."""
        state, ids = self.begin(prompt_ids)
        logits, state = self.steps.step(ids, state)
        return {"logits": ops.cast(logits, "float32"), **self.named_state(state)}

    def sample(self, prompt_ids, seed, temperature, top_k, top_p):
        """Returns ids, lengths and scores."""
        options = {"temperature": temperature, "top_k": top_k, "top_p": top_p}
        decoded = sample(
            self.steps.step, *self.begin(prompt_ids), **self.search.rules, seed=seed, **options
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

    def score(self, ids):
        """Returns `log p(id | ids before)` `(batch, time)`, 0 for the first id and for padding."""
        logits = ops.cast(self.steps.decoder(ids), "float32")
        logits = logits - ops.logsumexp(logits, axis=-1, keepdims=True)
        targets = ops.expand_dims(ids[:, 1:], -1) == np.arange(self.vocabulary_size)
        found = ops.sum(ops.where(targets, logits[:, :-1], 0.0), axis=-1)
        found = ops.where(ids[:, 1:] != 0, found, 0.0)
        return {"log_probabilities": ops.pad(found, ((0, 0), (1, 0)))}


def _steps(model):
    try:
        steps = LanguageModelSteps(model)
    except (AttributeError, ValueError):
        steps = None
    names = ("begin", "prefill", "step")
    if steps is None or not all(hasattr(steps.decoder, name) for name in names):
        raise ExportError(
            "model: expected a keras.Model with a layer 'decoder' that decodes step by step, as "
            "kzoo.models.language_model builds; got "
            f"{getattr(model, 'name', model)!r} ({type(model).__name__})"
        )
    return steps
