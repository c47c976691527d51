"""Run a `.tflite` step model over a sequence, chunk by chunk; needs no TensorFlow."""

from itertools import cycle

import numpy as np

from kzoo.export.arrays import check_rows, named_arrays
from kzoo.export.bundle import SIGNATURE, read_bundle
from kzoo.export.errors import ExportError
from kzoo.export.runtimes import InterpreterRuntime

# Chunks to verify with where any size goes.
CHUNK_SIZES = (1, 7, 3)


class Stream:
    """A runtime of a step model, together with the state between two chunks.

    Args:
        runtime: has `run(inputs, output_shapes)`, see `kzoo.export.runtimes`.
        manifest: the file's manifest, with `streaming`.
    """

    def __init__(self, runtime, manifest):
        """Begin at the state zero; see the class."""
        signature = manifest["signatures"][SIGNATURE]
        self._runtime = runtime
        self._spec = manifest["streaming"]
        names = {state["input"] for state in self._spec["state"]}
        self.inputs = [spec for spec in signature["inputs"] if spec["name"] not in names]
        names = {state["output"] for state in self._spec["state"]}
        self.outputs = [spec for spec in signature["outputs"] if spec["name"] not in names]
        self.input_names = sorted(spec["name"] for spec in self.inputs)
        self.state = None

    def step(self, chunk):
        """Run one chunk, arrays by input name; return the outputs by name."""
        rows = len(next(iter(chunk.values())))
        steps = chunk[self._spec["inputs"][0]].shape[1]
        specs = self._spec["state"]
        if self.state is None:
            self.state = {s["input"]: np.zeros([rows, *s["shape"]], s["dtype"]) for s in specs}
        if any(len(array) != rows for array in self.state.values()):
            raise ValueError(
                f"inputs: the stream began with {len(next(iter(self.state.values())))} rows, "
                f"got {rows}; call reset() before another stream"
            )
        shapes = {s["output"]: (rows, *s["shape"]) for s in specs}
        for spec in self.outputs:
            timed = spec["name"] in self._spec["outputs"]
            rest = (steps, *spec["shape"][2:]) if timed else spec["shape"][1:]
            shapes[spec["name"]] = (rows, *rest)
        outputs = self._runtime.run({**chunk, **self.state}, shapes)
        self.state = {s["input"]: outputs.pop(s["output"]) for s in specs}
        return outputs

    def run(self, inputs, output_shapes=None):
        """Run whole sequences from the state zero: what the offline model gives for them."""
        self.state = None
        steps = inputs[self._spec["inputs"][0]].shape[1]
        sizes = cycle([self._spec["chunk_size"]] if self._spec["chunk_size"] else CHUNK_SIZES)
        start, parts = 0, []
        while start < steps:
            end = start + next(sizes)
            parts.append(self.step(self.cut(inputs, start, end)))
            start = end
        return {
            name: np.concatenate([part[name] for part in parts], 1)
            if name in self._spec["outputs"]
            else array
            for name, array in parts[-1].items()
        }

    def cut(self, inputs, start, end):
        """The time steps from `start` to `end` of the inputs that have them."""
        timed = self._spec["inputs"]
        return {n: array[:, start:end] if n in timed else array for n, array in inputs.items()}


class StreamingPredictor:
    """Predictions from a file of `export_streaming`, chunk by chunk.

    Args:
        path: the file.

    Attributes:
        manifest: the file's manifest.
        labels: class names, or None.
        state: dict of arrays by state input, or None before the first chunk. It may be kept, and
            put back later.

    Raises:
        ExportError: the file is missing, damaged, or no step model.

    Example:

    >>> from kzoo.export import ExportError, StreamingPredictor
    >>> try:
    ...     StreamingPredictor("missing.tflite")
    ... except ExportError as error:
    ...     print(error)
    path: no such file: missing.tflite
    """

    def __init__(self, path):
        """Load the file; see the class."""
        bundle = read_bundle(path)
        if bundle is None or "streaming" not in bundle.manifest:
            raise ExportError(f"path: {path} is no step model; write it with export_streaming")
        self.manifest = bundle.manifest
        self.labels = bundle.labels
        self._stream = Stream(InterpreterRuntime(path, SIGNATURE), bundle.manifest)

    @property
    def state(self):
        """The state after the last chunk."""
        return self._stream.state

    @state.setter
    def state(self, state):
        self._stream.state = state

    def reset(self):
        """Begin a new stream: the next chunk finds a state of zeros."""
        self._stream.state = None

    def __call__(self, inputs):
        """Run the next chunk.

        Args:
            inputs: array, list of arrays or dict of arrays by input name, with the manifest's
                `chunk_size` time steps (any number if that is None).

        Returns:
            The output for the chunk, or a dict of arrays by output name if there are several.

        Raises:
            ValueError: wrong names, shapes, or number of steps or rows.
        """
        chunk = named_arrays(inputs, self._stream.inputs)
        check_rows(chunk)
        outputs = self._stream.step(chunk)
        return outputs[self._stream.outputs[0]["name"]] if len(outputs) == 1 else outputs
