"""What a `.tflite` file of a model that writes can do: step by step, greedy and beam search."""

from dataclasses import dataclass
from functools import cached_property

import keras
import numpy as np
from keras import ops

from kzoo.decoding import beam_search, gnmt_length_penalty, greedy, score
from kzoo.decoding.step import StepFunction
from kzoo.export.lowering import Lowering
from kzoo.export.reference import full_precision
from kzoo.export.trace import for_device, separate


@dataclass(frozen=True)
class StateTensor:
    """A tensor of the state.

    Attributes:
        name: its path in the tree of the state, as "states_0_1".
        shape: its shape, None for the batch axis and where the length of what was read decides.
        dtype: its type.
        is_memory: whether no step changes it.
    """

    name: str
    shape: tuple[int | None, ...]
    dtype: str
    is_memory: bool


class StepPrograms:
    """Functions of tensors for the signatures `step`, `greedy` and `beam`.

    A subclass says what is read first: `begin(ids)` returns the state before the first step and the
    ids `(batch,)` that the first step is given.

    Args:
        model: keras.Model with a layer "decoder".
        steps: its step function, with a `decoder`.
        search: `Search`.

    Attributes:
        reading: name of the signature that reads, and of its input.
        source: shape and dtype of that input.
        state: list of `StateTensor`, the flat state.
    """

    reading = None
    source = (None, None), "int32"

    def __init__(self, model, steps, search):
        """Find the state; see the class."""
        self.model = model
        self.steps = steps
        self.search = search
        self._traces = {}
        for name in ("start_id", "end_id"):
            value = getattr(search, name)
            if value is not None and value >= self.vocabulary_size:
                raise ValueError(
                    f"`{name}` must be below the vocabulary_size of the decoder, "
                    f"{self.vocabulary_size}. Received: {name}={value}"
                )
        (_, *shape), dtype = self.source
        with full_precision(model):
            # What differs between texts of two lengths has an axis of their length.
            (short, ids), (long, _) = (
                self.begin(np.ones([2, *(size or length for size in shape)], dtype))
                for length in (3, 5)
            )
            is_memory = StepFunction(steps.step, short, ids).is_memory
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
        """Number of ids that are written."""
        return self.steps.decoder.vocabulary_size

    @cached_property
    def inputs(self):
        """Lists of (name, shape, dtype) by signature."""
        signature, name = self.reading
        read = [(name, *self.source)]
        step = [("ids", (None,), "int32"), *self.state_specs()]
        return {signature: read, "step": step, "greedy": read, "beam": read}

    @cached_property
    def outputs(self):
        """Lists of (name, shape, dtype) by signature."""
        changing = [
            (f"next_{tensor.name}", tensor.shape, tensor.dtype)
            for tensor in self.state
            if not tensor.is_memory
        ]
        return {
            self.reading[0]: self.state_specs(),
            "step": [self.logits_spec(), *changing],
            "greedy": self.decoded_specs((None,)),
            "beam": self.decoded_specs((None, self.search.num_results)),
        }

    def state_specs(self):
        """Name, shape and dtype of every tensor of the state."""
        return [(tensor.name, tensor.shape, tensor.dtype) for tensor in self.state]

    def logits_spec(self):
        """Name, shape and dtype of the logits of one step."""
        return "logits", (None, self.vocabulary_size), "float32"

    def decoded_specs(self, lead):
        """Name, shape and dtype of what decoding returns, with these axes in front."""
        return [
            ("ids", (*lead, self.search.max_length), "int32"),
            ("lengths", lead, "int32"),
            ("scores", lead, "float32"),
        ]

    def begin(self, ids):
        """Returns `(state, start_ids)`."""
        raise NotImplementedError

    def start(self, signature, ids):
        """Returns what a search starts from, arguments of `kzoo.decoding` by name."""
        state, start_ids = self.begin(ids)
        return {"step": self.steps.step, "state": state, "start_ids": start_ids}

    def named_state(self, state):
        """Returns the tensors of a tree of the state by name."""
        tensors = zip(self.state, keras.tree.flatten(state), strict=True)
        return {tensor.name: x for tensor, x in tensors}

    def step(self, ids, *state):
        """Returns the logits and what has changed of the state by name."""
        state = keras.tree.pack_sequence_as(self._structure, list(state))
        logits, state = self.steps.step(ids, state)
        named = zip(self.state, keras.tree.flatten(state), strict=True)
        changed = {f"next_{tensor.name}": x for tensor, x in named if not tensor.is_memory}
        return {"logits": ops.cast(logits, "float32"), **changed}

    def greedy(self, ids):
        """Returns ids, lengths, scores and what else the search gives."""
        return found(greedy(**self.start("greedy", ids), **self.search.rules))

    def beam(self, ids):
        """Returns the same of several hypotheses, best first."""
        search = self.search
        decoded = beam_search(
            **self.start("beam", ids),
            **search.rules,
            num_beams=search.beam_size,
            num_results=search.num_results,
            length_penalty=self._length_penalty(),
        )
        return found(decoded)

    def rescore(self, ids, written, lengths, is_beam):
        """Returns the scores `(batch,)` of a search that wrote these ids, a `score` by name."""
        scores = score(self.steps.step, *self.begin(ids), written, lengths)
        if penalty := self._length_penalty():
            penalized = scores / penalty(ops.cast(lengths, "float32"))
            scores = ops.where(is_beam, penalized, scores)
        return {"score": scores}

    def trace(self, lowering):
        """Trace all of it for inference, once for each lowering.

        Args:
            lowering: one of `kzoo.export.lowering.LOWERINGS`, for what reads.

        Returns:
            `tf.function`s by signature, and the lowering of each recurrent layer by name.
        """
        if lowering in self._traces:
            return self._traces[lowering]
        choice = Lowering(lowering)

        def serving(program):
            def serve(*tensors):
                with for_device(self.model, choice):
                    return separate(program(*tensors), lambda x: (x.dtype, tuple(x.shape[1:])))

            return serve

        functions = {
            name: graph(serving(getattr(self, name)), inputs)
            for name, inputs in self.inputs.items()
        }
        for function in functions.values():
            function.get_concrete_function()
        self._traces[lowering] = functions, choice.used
        return self._traces[lowering]

    def _length_penalty(self):
        alpha = self.search.length_penalty
        return gnmt_length_penalty(alpha) if alpha else None


def graph(program, inputs):
    """Returns the `tf.function` of a program whose inputs are (name, shape, dtype)."""
    import tensorflow as tf

    specs = [tf.TensorSpec(shape, dtype, name=name) for name, shape, dtype in inputs]
    return tf.function(program, input_signature=specs, autograph=False)


def found(decoded):
    """Returns what there is of a `Decoded` by name."""
    return {name: x for name, x in decoded._asdict().items() if x is not None}


def _name(path):
    parts = [str(part) for part in path]
    return "_".join(parts if parts and not parts[0].isdigit() else ["state", *parts])


def _shape(short, long):
    sizes = zip(short.shape, long.shape, strict=True)
    return (None, *(a if a == b else None for a, b in list(sizes)[1:]))
