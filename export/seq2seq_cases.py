"""What a Keras model that writes gives on texts, program by program."""

from dataclasses import dataclass

import keras
import numpy as np

from kzoo.export.arrays import named_arrays, nested_list
from kzoo.export.cases import Case, draw
from kzoo.export.reference import full_precision
from kzoo.export.step_programs import graph

BATCH_SIZE = 8
# Rows and time steps of random sources.
RANDOM_SHAPES = ((1, 3), (5, 20))
# Steps that are compared one by one.
STEPS = 3


@dataclass(frozen=True)
class TextCases:
    """What a model makes of one batch of texts.

    Attributes:
        plain: list of `(signature, Case)` that are compared number by number: what reads comes
            first, then the first steps of greedy search, each from Keras's own state.
        searches: dict of `Case` by signature.
    """

    plain: list[tuple[str, Case]]
    searches: dict[str, Case]

    @property
    def by_signature(self):
        """One `Case` for each signature, the first."""
        return {**dict(reversed(self.plain)), **self.searches}

    @property
    def golden(self):
        """Nested lists of one batch of each signature, for JSON."""
        return {
            name: {
                "inputs": {n: nested_list(x) for n, x in case.inputs.items()},
                "outputs": {n: nested_list(x) for n, x in case.expected.items()},
            }
            for name, case in self.by_signature.items()
        }

    @property
    def greedy(self):
        """`Case` of greedy search."""
        return self.searches["greedy"]


class Reference:
    """Runs the programs in TensorFlow, as they are before any lowering.

    Args:
        programs: `kzoo.export.step_programs.StepPrograms`.
    """

    def __init__(self, programs):
        """Nothing is traced yet; see the class."""
        self._programs = programs
        written = [("written", (None, None), "int32"), ("lengths", (None,), "int32")]
        rescored = [*programs.inputs["greedy"], *written, ("is_beam", (), "bool")]
        self._functions = {
            name: graph(getattr(programs, name), inputs)
            for name, inputs in {**programs.inputs, "rescore": rescored}.items()
        }

    def run(self, name, *arrays):
        """Runs one program on arrays; returns arrays by output name."""
        with full_precision(self._programs.model):
            outputs = self._functions[name](*arrays)
        return {name: keras.ops.convert_to_numpy(x) for name, x in outputs.items()}

    def cases(self, ids):
        """Returns the `TextCases` of int32 `(batch, time)`."""
        programs = self._programs
        signature, name = programs.reading
        inputs = {name: ids}
        read = Case(inputs, self.run(signature, ids))
        searches = {name: Case(inputs, self.run(name, ids)) for name in ("greedy", "beam")}
        state = {n: x for n, x in read.expected.items() if n != "logits"}
        fed = searches["greedy"].expected["ids"].T
        if "logits" not in read.expected:
            fed = np.concatenate([np.full((1, len(ids)), programs.search.start_id, "int32"), fed])
        steps = []
        for ids in fed[: min(STEPS, programs.search.max_length)]:
            outputs = self.run("step", ids, *(state[tensor.name] for tensor in programs.state))
            steps.append(("step", Case({"ids": ids, **state}, outputs)))
            state = {name: outputs.get(f"next_{name}", x) for name, x in state.items()}
        return TextCases([(signature, read), *steps], searches)


def make_sources(programs, inputs, limit):
    """Batches of real sources, or of random ones.

    Args:
        programs: `kzoo.export.seq2seq_programs.Programs`.
        inputs: ids `(rows, source)` padded with 0, or other sources such as pictures, or None.
        limit: the longest source, or None.

    Returns:
        List of arrays that begin with the batch axis, ids without columns of padding alone; the
        first one has a single row.
    """
    steps = programs.steps
    limit = limit or None
    if inputs is None:
        (_, *shape), dtype = programs.source
        shapes = [
            (rows, *(size or min(time, limit or time) for size in shape))
            for rows, time in RANDOM_SHAPES
        ]
        return [draw(steps.encoder, steps.source, shape).astype(dtype) for shape in shapes]
    if steps.reads_ids:
        return cut_batches(inputs, limit)
    shape, dtype = programs.source
    spec = {"name": "inputs", "shape": list(shape), "dtype": dtype}
    return _batches(named_arrays({"inputs": inputs}, [spec])["inputs"])


def cut_batches(inputs, limit=None):
    """Cuts ids `(rows, time)` into int32 batches as `make_sources` returns them."""
    spec = {"name": "inputs", "shape": [None, None], "dtype": "int32"}
    ids = named_arrays(inputs, [spec])["inputs"][:, :limit]
    return [batch[:, : _longest(batch)] for batch in _batches(ids)]


def _batches(rows):
    """Cuts rows into batches, the first of which has a single row."""
    if not len(rows):
        raise ValueError("inputs: expected at least one row, got none")
    rest = [rows[start : start + BATCH_SIZE] for start in range(0, len(rows), BATCH_SIZE)]
    return [rows[:1], *rest]


def _longest(batch):
    used = np.flatnonzero((batch != 0).any(axis=0))
    return int(used[-1]) + 1 if len(used) else 1
