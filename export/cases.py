"""The batches a file is verified on, with what the Keras model makes of them."""

from dataclasses import dataclass

import keras
import numpy as np

from kzoo.export.arrays import named_arrays
from kzoo.export.errors import VerificationError
from kzoo.export.reference import ModelReference
from kzoo.export.signature import describe, input_tensors

BATCH_SIZES = (1, 5)
LENGTHS = (3, 37, 100)
SEED = 0


@dataclass(frozen=True)
class Case:
    """One batch.

    Attributes:
        inputs: arrays by input name.
        expected: the Keras model's outputs by output name.
    """

    inputs: dict[str, np.ndarray]
    expected: dict[str, np.ndarray]

    @property
    def shapes(self):
        """Input shapes by name."""
        return {name: array.shape for name, array in self.inputs.items()}


def make_cases(model, inputs=None, lengths=LENGTHS, original=None, batch_sizes=BATCH_SIZES):
    """Cut real inputs (or draw random ones) to several batch sizes and lengths.

    Args:
        model: keras.Model whose inputs are filled.
        inputs: array, list of arrays in the model's order, or dict of arrays by input name, each
            with a batch axis. They are cropped, or repeated where they are too short. Without
            them: ids inside the vocabulary with right padding, or standard normal features.
        lengths: sizes for the dynamic axes other than the batch axis, increasing.
        original: the model to run, where it is not `model`; it may have a fixed batch size.
        batch_sizes: numbers of rows, increasing.

    Returns:
        List of `Case`, batch size by batch size, lengths increasing.
    """
    tensors = input_tensors(model)
    given = None if inputs is None else named_arrays(inputs, describe(tensors))
    if given and not all(len(array) for array in given.values()):
        raise ValueError("inputs: expected at least one row, got none")
    lengths = lengths if _has_dynamic_axis(tensors) else [None]
    reference, cases = ModelReference(original or model), []
    for batch_size in batch_sizes:
        for length in lengths:
            batch = {}
            for name, tensor in tensors.items():
                shape = [
                    fixed or (batch_size if axis == 0 else length)
                    for axis, fixed in enumerate(tensor.shape)
                ]
                if given is None:
                    batch[name] = draw(model, tensor, shape)
                else:
                    batch[name] = _fit(given[name], shape)
            cases.append(run_model(reference, batch))
    return cases


def run_model(reference, inputs):
    """The `Case` of a `ModelReference` on arrays by input name; NaN in its outputs raises."""
    case = Case(inputs, reference(inputs))
    for name, output in case.expected.items():
        if np.isnan(output).any():
            raise VerificationError(
                f"model: output {name!r} of the Keras model itself holds NaN on {case.shapes}"
            )
    return case


def _has_dynamic_axis(tensors):
    return any(None in tensor.shape[1:] for tensor in tensors.values())


def _fit(array, shape):
    for axis, size in enumerate(shape):
        array = np.take(array, np.arange(size) % array.shape[axis], axis)
    return array


def draw(model, tensor, shape):
    """Random values for a symbolic input of a model: ids inside the vocabulary, with padding."""
    random = np.random.default_rng(SEED)
    vocabulary_size = _vocabulary_size(model, tensor)
    if vocabulary_size is None and tensor.dtype == "uint8":  # Pixels.
        return random.integers(0, 256, shape).astype("uint8")
    if vocabulary_size is None and "int" not in tensor.dtype:
        return random.normal(size=shape).astype(tensor.dtype)
    # Without an Embedding, integers are most often flags: masks, segments.
    ids = random.integers(1, max(vocabulary_size or 2, 2), shape).astype(tensor.dtype)
    if len(shape) > 1:
        batch_size, length = shape[:2]
        for row in range(batch_size):
            # The first row is full, the last one padded by nearly a half.
            ids[row, length - length * row // (2 * batch_size) :] = 0
    return ids


def _vocabulary_size(model, tensor):
    sizes = []
    for layer in model._flatten_layers(include_self=False):
        if isinstance(layer, keras.layers.Embedding):
            try:
                if layer.input is tensor:
                    return layer.input_dim
            except (AttributeError, ValueError):  # It sits inside another layer.
                sizes.append(layer.input_dim)
    # Bytes beside such an Embedding are pixels.
    is_id = "int" in tensor.dtype and tensor.dtype != "uint8"
    return min(sizes, default=None) if is_id else None
