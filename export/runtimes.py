"""The two runtimes of ai-edge-litert behind one method: arrays by name in, arrays by name out."""

import os
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from ai_edge_litert.compiled_model import CompiledModel
from ai_edge_litert.interpreter import Interpreter
from ai_edge_litert.tensor_buffer import TensorBuffer

from kzoo.export.errors import ExportError
from kzoo.export.flatbuffer import has_variables, operators


class InterpreterRuntime:
    """The classic `Interpreter`, on one thread.

    In LiteRT 2.3 a run of a file with loops that needs more of XNNPACK's working memory than all
    before computes wrong numbers now and then: that memory moves, and not all that points to it
    follows. So a first run, of the largest size so far, is thrown away, and a longer input or a
    larger batch starts a new Interpreter.
    """

    def __init__(self, path, signature):
        """Load the file; an ExportError says that it cannot be loaded."""
        self._path = path
        self._signature = signature
        self._start()
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
        self._make_room({name: np.asarray(x) for name, x in inputs.items()})
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
        self._runner(**{name: np.resize(x, room[name]) for name, x in inputs.items()})
        self._interpreter.reset_all_variables()


class CompiledModelRuntime:
    """The newer `CompiledModel`, on one thread of the CPU.

    Every run starts a new one, and with loops its first result is thrown away, for the same reason
    as an Interpreter's. Variables, as a fused LSTM's, would keep what that run left in them.
    """

    def __init__(self, path, signature):
        """Load the file once; an ExportError says that it cannot be loaded."""
        self._path = path
        self._signature = signature
        self.input_names = sorted(self._start().get_input_tensor_details(signature))
        flatbuffer = Path(path).read_bytes()
        self._runs = (
            2 if "WHILE" in operators(flatbuffer)[0] and not has_variables(flatbuffer) else 1
        )

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
        for _ in range(self._runs):
            model.run_by_name(signature, buffers, outputs)
        return {
            name: buffer.read(int(np.prod(shape)), details[name]["dtype"]).reshape(shape)
            for (name, shape), buffer in zip(output_shapes.items(), outputs.values(), strict=True)
        }


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
