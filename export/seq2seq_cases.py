"""What the Keras encoder-decoder gives on sources, program by program."""

from dataclasses import dataclass

import keras
import numpy as np

from kzoo.export.arrays import named_arrays
from kzoo.export.cases import Case, draw
from kzoo.export.reference import full_precision

BATCH_SIZE = 8
# Rows and time steps of random sources.
RANDOM_SHAPES = ((1, 3), (5, 20))
# Steps that are compared one by one.
STEPS = 3


@dataclass(frozen=True)
class SourceCases:
    """One batch of sources.

    Attributes:
        source_ids: int32 `(batch, source)`.
        encode: `Case` of the encoder.
        steps: list of `Case`, the first steps of greedy search, each from Keras's own state.
        greedy: `Case`.
        beam: `Case`.
    """

    source_ids: np.ndarray
    encode: Case
    steps: list[Case]
    greedy: Case
    beam: Case

    @property
    def by_signature(self):
        """One `Case` for each signature."""
        return {
            "encode": self.encode,
            "step": self.steps[0],
            "greedy": self.greedy,
            "beam": self.beam,
        }


class Reference:
    """Runs the programs in TensorFlow, as they are before any lowering.

    Args:
        programs: `kzoo.export.seq2seq_programs.Programs`.
    """

    def __init__(self, programs):
        """Nothing is traced yet; see the class."""
        import tensorflow as tf

        self._programs = programs
        self._functions = {
            name: tf.function(getattr(programs, name), autograph=False, reduce_retracing=True)
            for name in (*programs.inputs, "rescore")
        }

    def run(self, name, *arrays):
        """Runs one program on arrays; returns arrays by output name, or one array."""
        with full_precision(self._programs.model):
            outputs = self._functions[name](*arrays)
        return keras.tree.map_structure(keras.ops.convert_to_numpy, outputs)

    def cases(self, source_ids):
        """Returns the `SourceCases` of int32 `(batch, source)`."""
        inputs = {"source_ids": source_ids}
        expected = {name: self.run(name, source_ids) for name in ("encode", "greedy", "beam")}
        state = expected["encode"]
        ids = np.full(len(source_ids), self._programs.search.start_id, "int32")
        steps = []
        for t in range(min(STEPS, self._programs.search.max_length)):
            tensors = [state[tensor.name] for tensor in self._programs.state]
            outputs = self.run("step", ids, *tensors)
            steps.append(Case({"ids": ids, **state}, outputs))
            state = {name: outputs.get(f"next_{name}", x) for name, x in state.items()}
            ids = expected["greedy"]["ids"][:, t]
        cases = {name: Case(inputs, outputs) for name, outputs in expected.items()}
        return SourceCases(source_ids, steps=steps, **cases)


def make_sources(model, inputs, limit):
    """Batches of real sources, or of random ones.

    Args:
        model: the keras.Model.
        inputs: ids `(rows, source)` padded with 0, or None.
        limit: the longest source, or None.

    Returns:
        List of int32 `(batch, source)`, without columns of padding alone; the first one has a
        single row.
    """
    limit = limit or None
    if inputs is None:
        encoder = model.get_layer("encoder")
        (source,) = keras.tree.flatten(encoder.inputs)
        shapes = [(rows, min(time, limit or time)) for rows, time in RANDOM_SHAPES]
        return [draw(encoder, source, shape).astype("int32") for shape in shapes]
    spec = {"name": "inputs", "shape": [None, None], "dtype": "int32"}
    ids = named_arrays(inputs, [spec])["inputs"][:, :limit]
    if not len(ids):
        raise ValueError("inputs: expected at least one row, got none")
    rest = [ids[start : start + BATCH_SIZE] for start in range(0, len(ids), BATCH_SIZE)]
    return [batch[:, : _longest(batch)] for batch in (ids[:1], *rest)]


def _longest(batch):
    used = np.flatnonzero((batch != 0).any(axis=0))
    return int(used[-1]) + 1 if len(used) else 1
