"""The named inputs and outputs of a Keras model, and how to call it by those names."""

from itertools import count

import keras

from kzoo.export.errors import ExportError


def input_tensors(model):
    """The model's symbolic inputs by the name of their input layer, in the model's order."""
    if not isinstance(model, keras.Model):
        raise ExportError(f"model: expected a keras.Model, got {type(model).__name__}")
    try:
        tensors = model.inputs
    except (AttributeError, ValueError):
        tensors = None
    if not tensors:
        raise ExportError(
            f"model: {model.name!r} has no symbolic inputs; build it from keras.Input "
            "(functional, or Sequential beginning with keras.Input)"
        )
    return {tensor.name: tensor for tensor in tensors}


def output_tensors(model):
    """The symbolic outputs by name: the key in a dict of outputs, else the layer's.

    Further outputs of one layer get `_1`, `_2`, ...
    """
    names = _output_names(model)
    unique = []
    for name in names:
        if name in unique:
            # A layer may have the name that a further output of another one would get.
            taken = {*names, *unique}
            name = next(new for n in count(1) if (new := f"{name}_{n}") not in taken)
        unique.append(name)
    return dict(zip(unique, model.outputs, strict=True))


def _output_names(model):
    if isinstance(model, keras.Sequential):
        return [model.layers[-1].name]
    if isinstance(model.output, dict):
        return ["_".join(map(str, path)) for path, _ in keras.tree.flatten_with_path(model.output)]
    return model.output_names


def call_by_name(model, inputs):
    """Run the model for inference on tensors by input name; return tensors by output name."""
    flat = [inputs[name] for name in input_tensors(model)]
    if isinstance(model, keras.Sequential):
        outputs = model(flat[0], training=False)
    else:
        outputs = model(keras.tree.pack_sequence_as(model.input, flat), training=False)
    return dict(zip(output_tensors(model), keras.tree.flatten(outputs), strict=True))


def describe(tensors):
    """Names, shapes (None where any size goes) and dtypes, ready for JSON."""
    return [
        {"name": name, "shape": list(tensor.shape), "dtype": tensor.dtype}
        for name, tensor in tensors.items()
    ]
