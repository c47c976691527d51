"""The two runtimes of ai-edge-litert behind one method: arrays by name in, arrays by name out."""

import atexit
import os
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
from ai_edge_litert.compiled_model import CompiledModel
from ai_edge_litert.interpreter import Interpreter
from ai_edge_litert.tensor_buffer import TensorBuffer

from kzoo.export.errors import ExportError
from kzoo.export.flatbuffer import batched_inputs, operators

# Runs after the first one, at most.
RUNS = 4


class InterpreterRuntime:
    """The classic `Interpreter`, on one thread.

    With XNNPACK, LiteRT 2.3 computes files with loops wrong now and then: its working memory grows
    and moves during the first run, and what was run before keeps pointing to where it was, until
    the sizes of its inputs change. So a first run has one row more than asked for, where the batch
    size is dynamic, and is thrown away; and a longer input or a larger batch starts a new
    Interpreter. Where the batch size is fixed, see `settle`.
    """

    def __init__(self, path, signature):
        """Load the file; an ExportError says that it cannot be loaded."""
        self._path = path
        self._signature = signature
        self._start()
        self._loops = Loops(path, signature)
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
        if self._loops.exist:
            self._make_room({name: np.asarray(x) for name, x in inputs.items()})
        return self._run(inputs)

    def _run(self, inputs):
        outputs = self._runner(**inputs)
        # A fused LSTM would go on from the state in which this run left it.
        self._interpreter.reset_all_variables()
        return outputs

    def _make_room(self, inputs):
        needed = {name: x.shape for name, x in self._loops.one_row_more(inputs).items()}
        before = self._room or needed
        room = {name: tuple(map(max, shape, before[name])) for name, shape in needed.items()}
        if room == self._room:
            return
        if self._room is not None:
            self._start()
        self._room = room
        full = {name: np.resize(x, room[name]) for name, x in inputs.items()}
        if self._loops.batched:
            self._run(full)
        else:
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
        self._loops = Loops(path, signature)

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
        if self._loops.batched:
            shapes = {name: (shape[0] + 1, *shape[1:]) for name, shape in output_shapes.items()}
            # Some files refuse another size once they ran.
            with suppress(RuntimeError):
                model = self._start()
                self._prepare(model, self._loops.one_row_more(inputs), shapes)()
                return self._prepare(model, inputs, output_shapes)()
        run = self._prepare(self._start(), inputs, output_shapes)
        return settle(run) if self._loops.exist else run()

    def _prepare(self, model, inputs, output_shapes):
        """Return a function that runs a model with these inputs."""
        signature = self._signature
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

        return run


class Loops:
    """What the runtimes must know of the loops of a file.

    Attributes:
        exist: whether there are any.
        batched: names of the inputs of a signature that take any number of rows; none where there
            are no loops.
    """

    def __init__(self, path, signature):
        """Read the file."""
        content = Path(path).read_bytes()
        self.exist = "WHILE" in operators(content)[0]
        self.batched = batched_inputs(content, signature) if self.exist else set()

    def one_row_more(self, inputs):
        """Return arrays by name, of which those with rows have one more."""
        return {
            name: np.resize(x, (len(x) + 1, *x.shape[1:])) if name in self.batched else x
            for name, x in inputs.items()
        }


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
    _silence()
    try:
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)


def end_quietly():
    """Let this process be silent on stderr once Python is done, where LiteRT's C++ takes leave."""
    atexit.register(_silence)


def _silence():
    with open(os.devnull, "w") as null:
        os.dup2(null.fileno(), 2)
