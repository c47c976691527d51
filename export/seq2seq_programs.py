"""What a `.tflite` file of an encoder-decoder can do: encode, one step, greedy and beam search."""

from functools import cached_property

from keras import ops

from kzoo.export.errors import ExportError
from kzoo.export.sampling_programs import SamplingPrograms, log_probabilities
from kzoo.export.step_programs import StepPrograms
from kzoo.models import Seq2SeqSteps


class Programs(StepPrograms):
    """Functions of tensors for the signatures `encode`, `step`, `greedy` and `beam`.

    Args:
        model: keras.Model with an "encoder" and a "decoder", as `kzoo.models.seq2seq` builds.
        search: `Search`.
    """

    def __init__(self, model, search):
        """Find the encoder, the decoder and the state; see the class."""
        steps = _steps(model, search.max_length)
        self.reading = "encode", steps.source.name
        self.source = tuple(steps.source.shape), steps.source.dtype
        super().__init__(model, steps, search)
        if search.alignments and not self.steps.decoder.attends:
            raise ValueError(
                f"alignments: expected a decoder that attends, and that of {model.name!r} does not"
            )

    @cached_property
    def outputs(self):
        """Lists of (name, shape, dtype) by signature."""
        outputs = super().outputs
        for signature in self.search.alignments:
            (_, shape, _), *_ = outputs[signature]
            outputs[signature].append(("alignments", (*shape, self.steps.places), "float32"))
        return outputs

    def begin(self, sources):
        """Returns `(state, start_ids)`."""
        return self.steps.begin(sources)[0], self._start_ids(sources)

    def encode(self, sources):
        """Returns the state before the first step by name."""
        return self.named_state(self.begin(sources)[0])

    def start(self, signature, sources):
        """Returns what a search starts from; one that shall give alignments attends."""
        if signature not in self.search.alignments:
            return super().start(signature, sources)
        state, mask = self.steps.begin(sources)
        start_ids = self._start_ids(sources)
        step = self.steps.attend
        return {"step": step, "state": state, "start_ids": start_ids, "source_mask": mask}

    def _start_ids(self, sources):
        return ops.full((ops.shape(sources)[0],), self.search.start_id, "int32")


class DrawingPrograms(SamplingPrograms, Programs):
    """The same, and those for `sample`, `draw` and `score`."""

    @cached_property
    def inputs(self):
        """Lists of (name, shape, dtype) by signature."""
        inputs = super().inputs
        return {**inputs, "score": [*inputs["encode"], ("ids", (None, None), "int32")]}

    def score(self, sources, ids):
        """Returns `log p(id | source, ids before)` `(batch, time)`, 0 for padding."""
        before = ops.concatenate([self._start_ids(sources)[:, None], ids[:, :-1]], axis=1)
        inputs = {self.reading[1]: sources, "target_ids": before}
        return {"log_probabilities": log_probabilities(self.model(inputs, training=False), ids)}


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
