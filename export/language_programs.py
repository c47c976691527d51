"""What a `.tflite` file of a language model can do: read a prompt, step, draw, search and score."""

from functools import cached_property

from keras import ops

from kzoo.export.errors import ExportError
from kzoo.export.sampling_programs import SamplingPrograms, log_probabilities
from kzoo.layers import LearnedPositions
from kzoo.models import LanguageModelSteps


class LanguagePrograms(SamplingPrograms):
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
        return {**super().inputs, "score": [("ids", (None, None), "int32")]}

    @cached_property
    def outputs(self):
        """Lists of (name, shape, dtype) by signature."""
        return {**super().outputs, "prefill": [self.logits_spec(), *self.state_specs()]}

    def begin(self, ids):
        """Returns `(state, start_ids)`."""
        return self.steps.begin(ids, self.search.max_length)

    def prefill(self, prompt_ids):
        """Returns the logits after the last id of each row, and the state by name."""
        state, ids = self.begin(prompt_ids)
        logits, state = self.steps.step(ids, state)
        return {"logits": ops.cast(logits, "float32"), **self.named_state(state)}

    def score(self, ids):
        """Returns `log p(id | ids before)` `(batch, time)`, 0 for the first id and for padding."""
        scores = log_probabilities(self.steps.decoder(ids)[:, :-1], ids[:, 1:])
        return {"log_probabilities": ops.pad(scores, ((0, 0), (1, 0)))}


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
