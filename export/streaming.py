"""Turn a causal Keras model into one that takes chunks of a sequence, state in and state out."""

import re
from dataclasses import dataclass

import keras

from kzoo.export.errors import ExportError
from kzoo.export.signature import input_tensors, output_tensors
from kzoo.export.streaming_graph import StreamingGraph


@dataclass
class StepModel:
    """A model that takes one chunk, and what is needed to drive it.

    Attributes:
        model: keras.Model of the chunk and the state, to the outputs and the next state.
        source: the model of whole sequences.
        chunk_size: time steps of a chunk; None takes any number.
        inputs: names of the inputs that are sequences, and come in chunks.
        outputs: names of the outputs that have a time axis; others are those of the last step.
        state: list of {"input", "output", "shape", "dtype"}, names and what one row holds.
    """

    model: keras.Model
    source: keras.Model
    chunk_size: int | None
    inputs: list[str]
    outputs: list[str]
    state: list[dict]

    def describe(self):
        """All but the models, ready for JSON."""
        names = ("chunk_size", "inputs", "outputs", "state")
        return {name: getattr(self, name) for name in names}


def streaming_model(model, chunk_size=1):
    """Turn a causal model into a step model with named states that the caller keeps.

    The step model shares the layers, and so the weights, of `model`. Its inputs are those of
    `model`, with `chunk_size` time steps, and then the states; its outputs are those of `model`
    for the chunk (with a time axis, or of the last step), and then the next states. The state
    `lstm_state_0` comes back as `next_lstm_state_0`. A sequence begins with states of zeros, and
    whatever its chunks, it gives the numbers that `model` gives for the whole of it.

    What remembers: `kzoo.layers.Recurrent` of any cell, `SRUPlusPlus` with a window, `Conv1D` with
    `padding="causal"`, `NGramEmbedding`, `Changes`, `Delay`, `LogMel` and `NewSymbols`. Everything
    else between input and last step must treat every time step alone.

    Args:
        model: functional or Sequential keras.Model.
        chunk_size: positive integer, or None for chunks of any size.

    Returns:
        keras.Model.

    Raises:
        ExportError: a layer looks ahead, or at all time steps; the message names it.

    Example:

    >>> import keras
    >>> from kzoo.export import streaming_model, zero_state
    >>> from kzoo.layers import GRUCell, Recurrent
    >>> model = keras.Sequential([keras.Input((None, 3)), Recurrent(GRUCell(4))])
    >>> step = streaming_model(model)
    >>> x = keras.random.normal((2, 5, 3))
    >>> state = zero_state(step, batch_size=2)
    >>> for t in range(5):
    ...     output, *state = step([x[:, t : t + 1], *state])
    >>> float(keras.ops.max(keras.ops.abs(output - model(x)))) < 1e-6
    True
    """
    return step_model(model, chunk_size).model


def step_model(model, chunk_size):
    """What `streaming_model` builds, as a `StepModel`."""
    if chunk_size is not None and (
        isinstance(chunk_size, bool) or not isinstance(chunk_size, int) or chunk_size < 1
    ):
        raise ValueError(f"chunk_size: expected a positive integer or None, got {chunk_size!r}")
    tensors = input_tensors(model)
    sequences = _sequences(model, chunk_size)
    graph = StreamingGraph()
    chunks = []
    for name, tensor in tensors.items():
        shape = list(tensor.shape[1:])
        if name in sequences:
            shape[0] = chunk_size
        chunk = keras.Input(shape, dtype=tensor.dtype, name=name)
        chunks.append(graph.mark(chunk) if name in sequences else chunk)
    outputs = graph.run(model, chunks)
    if not graph.state:
        raise ExportError(f"model: {model.name!r} has no layer that remembers; it needs no stream")
    step_inputs = [*chunks, *(before for before, _ in graph.state.values())]
    # What comes out of a layer with state, or of a model inside the model, has another name.
    found = output_tensors(keras.Model(step_inputs, keras.tree.flatten(outputs)))
    named = {
        name: tensor if name == other else graph.rename(tensor, name, apart=True)
        for name, (other, tensor) in zip(output_tensors(model), found.items(), strict=True)
    }
    step = keras.Model(
        step_inputs,
        [*named.values(), *(after for _, after in graph.state.values())],
        name=f"{model.name}_step",
    )
    return StepModel(
        model=step,
        source=model,
        chunk_size=chunk_size,
        inputs=sequences,
        outputs=[name for name, tensor in named.items() if graph.is_marked(tensor)],
        state=[
            {
                "input": name,
                "output": f"next_{name}",
                "shape": list(before.shape[1:]),
                "dtype": before.dtype,
            }
            for name, (before, _) in graph.state.items()
        ],
    )


def _sequences(model, chunk_size):
    """The names of the inputs that have a time axis: a dynamic one, or else all of them."""
    tensors = {n: t for n, t in input_tensors(model).items() if len(t.shape) > 1}
    dynamic = [name for name, tensor in tensors.items() if tensor.shape[1] is None]
    for name, tensor in tensors.items():
        if not dynamic and tensor.shape[1] % (chunk_size or 1):
            raise ValueError(
                f"chunk_size: expected a divisor of the {tensor.shape[1]} time steps of input "
                f"{name!r}, got {chunk_size}"
            )
    return dynamic or list(tensors)


def zero_state(step, batch_size=1):
    """The state in which a sequence begins, for a model of `streaming_model`.

    Args:
        step: the step model.
        batch_size: number of rows.

    Returns:
        List of tensors of zeros, in the order of the state inputs.

    Example:

    >>> import keras
    >>> from kzoo.export import streaming_model, zero_state
    >>> from kzoo.layers import LSTMCell, Recurrent
    >>> model = keras.Sequential([keras.Input((None, 3)), Recurrent(LSTMCell(4))])
    >>> [tuple(tensor.shape) for tensor in zero_state(streaming_model(model), 2)]
    [(2, 4), (2, 4)]
    """
    following = set(output_tensors(step))
    return [
        keras.ops.zeros((batch_size, *tensor.shape[1:]), tensor.dtype)
        for name, tensor in input_tensors(step).items()
        # A model may well say what the next one of its own inputs is.
        if f"next_{name}" in following and re.search(r"_state_\d+$", name)
    ]
