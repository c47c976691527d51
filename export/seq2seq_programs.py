"""What a `.tflite` file of an encoder-decoder can do: encode, one step, greedy and beam search."""

from functools import cached_property

from keras import ops

from kzoo.decoding import greedy
from kzoo.export.errors import ExportError
from kzoo.export.step_programs import StepPrograms, found
from kzoo.models import Seq2SeqSteps


class Programs(StepPrograms):
    """Functions of tensors for the signatures `encode`, `step`, `greedy` and `beam`.

    Args:
        model: keras.Model with an "encoder" and a "decoder", as `kzoo.models.seq2seq` builds.
        search: `Search`.
    """

    reading = ("encode", "source_ids")

    def __init__(self, model, search):
        """Find the encoder, the decoder and the state; see the class."""
        super().__init__(model, _steps(model, search.max_length), search)
        if search.alignments and not self.steps.decoder.attends:
            raise ValueError(
                f"alignments: expected a decoder that attends, and that of {model.name!r} does not"
            )

    @cached_property
    def outputs(self):
        """Lists of (name, shape, dtype) by signature."""
        outputs = super().outputs
        if self.search.alignments:
            shape = (None, self.search.max_length, None)
            outputs["greedy"].append(("alignments", shape, "float32"))
        return outputs

    def begin(self, ids):
        """Returns `(state, start_ids)`."""
        return self.steps.begin(ids)[0], ops.full_like(ids[:, 0], self.search.start_id)

    def encode(self, source_ids):
        """Returns the state before the first step by name."""
        return self.named_state(self.begin(source_ids)[0])

    def greedy(self, ids):
        """Returns ids, lengths, scores and, on request, alignments."""
        if not self.search.alignments:
            return super().greedy(ids)
        state, mask = self.steps.begin(ids)
        arguments = state, ops.full_like(ids[:, 0], self.search.start_id)
        decoded = greedy(self.steps.attend, *arguments, **self.search.rules, source_mask=mask)
        return found(decoded)


def _steps(model, max_length):
    try:
        steps = Seq2SeqSteps(model, max_length)
    except (AttributeError, ValueError):
        steps = None
    if steps is None or not all(hasattr(steps.decoder, name) for name in ("begin", "step")):
        raise ExportError(
            "model: expected a keras.Model with a layer 'encoder' and a layer 'decoder' that "
            "decodes step by step, as kzoo.models.seq2seq builds; got "
            f"{getattr(model, 'name', model)!r} ({type(model).__name__})"
        )
    return steps
