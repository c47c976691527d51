"""Check what is asked of an export, before anything is traced."""

from kzoo.export.kept import kept_kernels
from kzoo.export.lowering import Lowering
from kzoo.export.signature import input_tensors, output_tensors
from kzoo.export.verification import cap
from kzoo.export.written import check_precision


def check_export(export):
    """Raise ValueError where the attributes of an `Export` cannot be, or do not fit its model.

    Example:

    >>> import keras
    >>> from kzoo.export import Export
    >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    >>> check_export(Export(model, "model.tflite", batch_size=0))
    Traceback (most recent call last):
    ValueError: batch_size: expected a positive integer or None, got 0
    """
    check_precision(export.precision)
    Lowering(export.lowering)
    size = export.batch_size
    if size is not None and (isinstance(size, bool) or not isinstance(size, int) or size < 1):
        raise ValueError(f"batch_size: expected a positive integer or None, got {size!r}")
    cap(export.lengths, export.max_length)
    inputs = input_tensors(export.model)
    if export.keep_float and export.precision != "dynamic":
        raise ValueError(
            "keep_float: expected the precision 'dynamic', which alone rounds kernels to int8, "
            f"got {export.precision!r}"
        )
    kept_kernels(export.model, export.keep_float)
    check_tokenizer(export.tokenizer, inputs)
    outputs = output_tensors(export.model)
    if isinstance(export.tolerance, dict) and not set(export.tolerance) <= set(outputs):
        raise ValueError(
            f"tolerance: expected names of the outputs {list(outputs)}, "
            f"got {list(export.tolerance)}"
        )
    if export.labels is not None:
        check_labels(export.labels, *next(iter(outputs.items())))


def check_tokenizer(tokenizer, inputs, method="to_json"):
    """Raise ValueError unless a tokenizer has a method and makes these inputs, or is None.

    Example:

    >>> from kzoo.text import ByteTokenizer
    >>> try:
    ...     check_tokenizer(ByteTokenizer(), ["ids", "mask"])
    ... except ValueError as error:
    ...     print(str(error)[-48:])
    got ByteTokenizer and the inputs ['ids', 'mask']
    """
    # A tokenizer makes one array, or says which ones by name.
    made = getattr(tokenizer, "input_names", list(inputs)[:1])
    if tokenizer is not None and (set(made) != set(inputs) or not hasattr(tokenizer, method)):
        raise ValueError(
            f"tokenizer: expected an object with {method}() and a model with one input, or with "
            f"its input_names, got {type(tokenizer).__name__} and the inputs {list(inputs)}"
        )


def check_labels(labels, name, output):
    """Raise ValueError unless labels are one line of text for each feature of an output.

    Example:

    >>> import numpy as np
    >>> check_labels(["spam"], "classes", np.zeros((1, 2)))
    Traceback (most recent call last):
    ValueError: labels: expected 2 names for output 'classes' of shape (1, 2), got ['spam']
    """
    if isinstance(labels, str) or len(labels) != output.shape[-1]:
        raise ValueError(
            f"labels: expected {output.shape[-1]} names for output {name!r} of shape "
            f"{output.shape}, got {labels!r}"
        )
    for label in labels:
        if not isinstance(label, str) or "\n" in label:
            raise ValueError(f"labels: expected strings of one line, got {label!r}")
