"""Check what is asked of an export, before anything is traced."""

import keras

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
        name, output = next(iter(outputs.items()))
        check_labels(export.labels, output.shape[-1], f"output {name!r} of shape {output.shape}")


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


def check_labels(labels, count, named):
    """Raise ValueError unless labels are as many lines of text as what they name has classes.

    Example:

    >>> check_labels(["spam"], 2, "output 'classes' of shape (1, 2)")
    Traceback (most recent call last):
    ValueError: labels: expected 2 names for output 'classes' of shape (1, 2), got ['spam']
    """
    if isinstance(labels, str) or len(labels) != count:
        raise ValueError(f"labels: expected {count} names for {named}, got {labels!r}")
    for label in labels:
        if not isinstance(label, str) or "\n" in label:
            raise ValueError(f"labels: expected strings of one line, got {label!r}")


def check_classes(labels, encoder):
    """Raise ValueError unless labels are names of the classes that an encoder reads, or None.

    Example:

    >>> import keras
    >>> classes = keras.Input((), dtype="int32")
    >>> encoder = keras.Model(classes, keras.layers.Embedding(3, 4, name="table")(classes))
    >>> check_classes(["noun", "verb"], encoder)
    Traceback (most recent call last):
    ValueError: labels: expected 3 names for the classes in layer 'table', got ['noun', 'verb']
    """
    if labels is None:
        return
    tables = [layer for layer in encoder.layers if isinstance(layer, keras.layers.Embedding)]
    if len(encoder.inputs[0].shape) != 1 or not tables:
        raise ValueError(
            "labels: expected an encoder that reads the number of a class (batch,), or None; got "
            f"{labels!r} and an input of shape {encoder.inputs[0].shape}"
        )
    check_labels(labels, tables[0].input_dim, f"the classes in layer {tables[0].name!r}")
