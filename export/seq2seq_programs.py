"""What a `.tflite` file of an encoder-decoder can do: encode, one step, greedy and beam search."""

from dataclasses import dataclass
from functools import cached_property

import keras
import numpy as np
from keras import ops

from kzoo.decoding import beam_search, gnmt_length_penalty, greedy, score
from kzoo.decoding.step import StepFunction
from kzoo.export.errors import ExportError
from kzoo.export.lowering import Lowering
from kzoo.export.reference import full_precision
from kzoo.layers import lowering_scope
from kzoo.models import Seq2SeqSteps


@dataclass(frozen=True)
class StateTensor:
    """A tensor of the state.

    Attributes:
        name: its path in the tree of the state, as "states_0_1".
        shape: its shape, None for the batch axis and where the source's length decides.
        dtype: its type.
        is_memory: whether no step changes it.
    """

    name: str
    shape: tuple[int | None, ...]
    dtype: str
    is_memory: bool


class Programs:
    """Functions of tensors for the signatures `encode`, `step`, `greedy` and `beam`.

    Args:
        model: keras.Model with an "encoder" and a "decoder", as `kzoo.models.seq2seq` builds.
        search: `Search`.

    Attributes:
        state: list of `StateTensor`, the flat state.
    """

    def __init__(self, model, search):
        """Find the encoder, the decoder and the state; see the class."""
        self.model = model
        self.search = search
        self.steps = _steps(model, search.max_length)
        for name in ("start_id", "end_id"):
            if (value := getattr(search, name)) >= self.vocabulary_size:
                raise ValueError(
                    f"`{name}` must be below the vocabulary_size of the decoder, "
                    f"{self.vocabulary_size}. Received: {name}={value}"
                )
        if search.alignments and not self.steps.decoder.attends:
            raise ValueError(
                f"alignments: expected a decoder that attends, and that of {model.name!r} does not"
            )
        with full_precision(model):
            # What differs between sources of two lengths has the axis of the source.
            short, long = (self.steps.begin(np.ones((2, n), "int32"))[0] for n in (3, 5))
            is_memory = StepFunction(self.steps.step, short, [search.start_id] * 2).is_memory
        self._structure = short
        pairs = zip(keras.tree.flatten(short), keras.tree.flatten(long), strict=True)
        paths = [path for path, _ in keras.tree.flatten_with_path(short)]
        self.state = [
            StateTensor(
                _name(path), _shape(*pair), keras.backend.standardize_dtype(pair[0].dtype), m
            )
            for path, pair, m in zip(paths, pairs, is_memory, strict=True)
        ]

    @property
    def vocabulary_size(self):
        """Number of target ids."""
        return self.steps.decoder.vocabulary_size

    @cached_property
    def inputs(self):
        """Lists of (name, shape, dtype) by signature."""
        source = [("source_ids", (None, None), "int32")]
        state = [(tensor.name, tensor.shape, tensor.dtype) for tensor in self.state]
        return {
            "encode": source,
            "step": [("ids", (None,), "int32"), *state],
            "greedy": source,
            "beam": source,
        }

    @cached_property
    def outputs(self):
        """Lists of (name, shape, dtype) by signature."""
        search = self.search
        lead = {"greedy": (None,), "beam": (None, search.num_results)}
        found = {
            name: [
                ("ids", (*shape, search.max_length), "int32"),
                ("lengths", shape, "int32"),
                ("scores", shape, "float32"),
            ]
            for name, shape in lead.items()
        }
        if search.alignments:
            found["greedy"].append(("alignments", (None, search.max_length, None), "float32"))
        state = [(tensor.name, tensor.shape, tensor.dtype) for tensor in self.state]
        changing = [
            (f"next_{tensor.name}", tensor.shape, tensor.dtype)
            for tensor in self.state
            if not tensor.is_memory
        ]
        logits = ("logits", (None, self.vocabulary_size), "float32")
        return {"encode": state, "step": [logits, *changing], **found}

    def encode(self, source_ids):
        """Returns the state before the first step by name."""
        state = keras.tree.flatten(self.steps.begin(source_ids)[0])
        return {tensor.name: x for tensor, x in zip(self.state, state, strict=True)}

    def step(self, ids, *state):
        """Returns the logits and what has changed of the state by name."""
        state = keras.tree.pack_sequence_as(self._structure, list(state))
        logits, state = self.steps.step(ids, state)
        named = zip(self.state, keras.tree.flatten(state), strict=True)
        changed = {f"next_{tensor.name}": x for tensor, x in named if not tensor.is_memory}
        return {"logits": ops.cast(logits, "float32"), **changed}

    def greedy(self, source_ids):
        """Returns ids, lengths, scores and, on request, alignments."""
        search = self.search
        state, mask = self.steps.begin(source_ids)
        step = self.steps.attend if search.alignments else self.steps.step
        decoded = greedy(
            step,
            state,
            self._start_ids(source_ids),
            search.end_id,
            search.max_length,
            banned_ids=search.banned_ids,
            source_mask=mask if search.alignments else None,
        )
        return {name: x for name, x in decoded._asdict().items() if x is not None}

    def beam(self, source_ids):
        """Returns ids, lengths and scores, best first."""
        search = self.search
        decoded = beam_search(
            self.steps.step,
            self.steps.begin(source_ids)[0],
            self._start_ids(source_ids),
            search.end_id,
            search.max_length,
            num_beams=search.beam_size,
            num_results=search.num_results,
            length_penalty=self._length_penalty(),
            banned_ids=search.banned_ids,
        )
        return {name: x for name, x in decoded._asdict().items() if x is not None}

    def rescore(self, source_ids, ids, lengths, is_beam):
        """Returns the scores `(batch,)` of a search that found these ids."""
        scores = score(
            self.steps.step,
            self.steps.begin(source_ids)[0],
            self._start_ids(source_ids),
            ids,
            lengths,
        )
        penalty = self._length_penalty()
        return scores / penalty(ops.cast(lengths, "float32")) if is_beam and penalty else scores

    def trace(self, lowering):
        """Trace all of it for inference.

        Args:
            lowering: one of `kzoo.export.lowering.LOWERINGS`, for the encoder.

        Returns:
            A `keras.export.ExportArchive`, its `tf.function`s by signature, and the lowering of
            each recurrent layer by name.
        """
        import tensorflow as tf

        choice = Lowering(lowering)
        archive = keras.export.ExportArchive()

        def serving(program):
            def serve(*tensors):
                with lowering_scope(choice), full_precision(self.model):
                    return _separate(program(*tensors))

            return serve

        functions = {}
        for name, inputs in self.inputs.items():
            specs = [tf.TensorSpec(shape, dtype, name=n) for n, shape, dtype in inputs]
            functions[name] = archive.add_endpoint(name, serving(getattr(self, name)), specs)
        return archive, functions, choice.used

    def _start_ids(self, source_ids):
        return ops.full_like(source_ids[:, 0], self.search.start_id)

    def _length_penalty(self):
        alpha = self.search.length_penalty
        return gnmt_length_penalty(alpha) if alpha else None


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


def _name(path):
    parts = [str(part) for part in path]
    return "_".join(parts if parts and not parts[0].isdigit() else ["state", *parts])


def _shape(short, long):
    sizes = zip(short.shape, long.shape, strict=True)
    return (None, *(a if a == b else None for a, b in list(sizes)[1:]))


def _separate(outputs):
    """Returns outputs that are as many tensors, none of which comes straight out of a loop.

    LiteRT's CompiledModel can write no such, and loses one of two outputs that are one tensor, as
    several states of zeros are to the converter.
    """
    alike = {}
    for name, x in outputs.items():
        alike.setdefault((x.dtype, tuple(x.shape[1:])), []).append(name)
    separate = {}
    for names in alike.values():
        tensors = [outputs[name] for name in names]
        rows = ops.shape(tensors[0])[0]
        joined = tensors[0] if len(tensors) == 1 else ops.concatenate(tensors, axis=0)
        for index, name in enumerate(names):
            separate[name] = joined[index * rows : (index + 1) * rows]
    return {name: separate[name] for name in outputs}
