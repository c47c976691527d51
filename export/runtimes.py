"""The two runtimes of ai-edge-litert behind one method: arrays by name in, arrays by name out."""

import os
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from ai_edge_litert.compiled_model import CompiledModel
from ai_edge_litert.interpreter import Interpreter
from ai_edge_litert.tensor_buffer import TensorBuffer

from kzoo.export.errors import ExportError
from kzoo.export.flatbuffer import operators

# Runs after the first one, at most.
RUNS = 4


class InterpreterRuntime:
    """The classic `Interpreter`, on one thread.

    In LiteRT 2.3 the first runs of a file with loops are wrong now and then: XNNPACK's working
    memory grows and moves, and not all that points to it follows. So first runs, of the largest
    size so far, are thrown away, see `settle`, and a longer input or a larger batch starts a new
    Interpreter.
    """

    def __init__(self, path, signature):
        """Load the file; an ExportError says that it cannot be loaded."""
        self._path = path
        self._signature = signature
        self._start()
        self._has_loops = has_loops(path)
        self._room = None
        self.input_names = sorted(self._runner.get_input_details())

    def _start(self):
        try:
            with quiet():
                self._interpreter = Interpreter(str(self._path), num_threads=1)
                self._runner = self._interpreter.get_signature_runner(self._signature)
        except (RuntimeError, ValueError) as error:
            raise ExportError(
                f"{self._path}: LiteRT's Interpreter cannot load it: {error}"
            ) from error

    def run(self, inputs, output_shapes=None):
        """Return outputs by name for arrays by name; finds the output shapes by itself."""
        if self._has_loops:
            self._make_room({name: np.asarray(x) for name, x in inputs.items()})
        return self._run(inputs)

    def _run(self, inputs):
        outputs = self._runner(**inputs)
        # A fused LSTM would go on from the state in which this run left it.
        self._interpreter.reset_all_variables()
        return outputs

    def _make_room(self, inputs):
        before = self._room or {name: x.shape for name, x in inputs.items()}
        room = {name: tuple(map(max, x.shape, before[name])) for name, x in inputs.items()}
        if room == self._room:
            return
        if self._room is not None:
            self._start()
        self._room = room
        full = {name: np.resize(x, room[name]) for name, x in inputs.items()}
        settle(lambda: self._run(full))


class CompiledModelRuntime:
    """The newer `CompiledModel`, on one thread of the CPU.

    Every run starts a new one, whose first results do not count where there are loops, for the same
    reason as an Interpreter's.
    """

    def __init__(self, path, signature):
        """Load the file once; an ExportError says that it cannot be loaded."""
        self._path = path
        self._signature = signature
        self.input_names = sorted(self._start().get_input_tensor_details(signature))
        self._has_loops = has_loops(path)

    def _start(self):
        try:
            return CompiledModel.from_file(str(self._path))
        except RuntimeError as error:
            raise ExportError(
                f"{self._path}: LiteRT's CompiledModel cannot load it: {error}"
            ) from error

    def run(self, inputs, output_shapes):
        """Return outputs by name for arrays by name.

        Args:
            inputs: arrays by name.
            output_shapes: shapes by output name. The runtime learns the shape of an output that
                depends on a loop only while it runs, and needs the memory before.
        """
        model, signature = self._start(), self._signature
        details = model.get_output_tensor_details(signature)
        outputs = {
            name: TensorBuffer.create_from_host_memory(np.zeros(shape, details[name]["dtype"]))
            for name, shape in output_shapes.items()
        }
        for name, array in inputs.items():
            if array.shape:
                model.resize_input_tensor_by_name(signature, name, array.shape)
        buffers = {}
        for name, array in inputs.items():
            buffers[name] = model.create_input_buffer_by_name(signature, name)
            buffers[name].write(array)

        def run():
            model.run_by_name(signature, buffers, outputs)
            return {
                name: buffer.read(int(np.prod(shape)), details[name]["dtype"]).reshape(shape)
                for (name, shape), buffer in zip(
                    output_shapes.items(), outputs.values(), strict=True
                )
            }

        return settle(run) if self._has_loops else run()


def has_loops(path):
    """Whether a file has loops."""
    return "WHILE" in operators(Path(path).read_bytes())[0]


def settle(run):
    """Call a function until two results in a row are the same, a few times at most.

    Args:
        run: function that returns arrays by name. After its first result a RuntimeError ends it:
            a CompiledModel refuses memory for outputs whose size its first run has changed.

    Returns:
        The last result.

    Example:

    >>> results = iter([{"y": np.zeros(2)}, {"y": np.ones(2)}, {"y": np.ones(2)}])
    >>> settle(lambda: next(results))["y"].tolist()
    [1.0, 1.0]
    """
    result = run()
    for _ in range(RUNS):
        before = result
        try:
            result = run()
        except RuntimeError:
            break
        if all(np.array_equal(x, before[name], equal_nan=True) for name, x in result.items()):
            break
    return result


@contextmanager
def quiet():
    """Keep LiteRT's C++ lines on starting and stopping off stderr; Python has no setting for it."""
    saved = os.dup(2)
    with open(os.devnull, "w") as null:
        os.dup2(null.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
