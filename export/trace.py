"""Trace a Keras model for export, and write what was traced for the converter."""

import contextlib
import keyword
import re

import keras
from keras import layers, ops

from kzoo.decoding.rows import operators_scope
from kzoo.export.errors import ExportError
from kzoo.export.lowering import Lowering
from kzoo.export.new_axes import expanded_axes
from kzoo.export.products import whole_products
from kzoo.export.reference import full_precision
from kzoo.export.signature import call_by_name, input_tensors
from kzoo.layers import lowering_scope

TABLES = (layers.IntegerLookup, layers.StringLookup, layers.TextVectorization)


def require_tensorflow_backend():
    """Fail early where Keras runs on another backend: its graphs cannot be converted."""
    backend = keras.backend.backend()
    if backend != "tensorflow":
        raise ExportError(
            f"export needs Keras on TensorFlow, but this process runs it on {backend}: save the "
            "model with model.save('model.keras') and run "
            "`KERAS_BACKEND=tensorflow kzoo export model.keras model.tflite`"
        )


@contextlib.contextmanager
def for_device(model, lowering):
    """Make what is traced in this context fit for `.tflite` files.

    Args:
        model: the keras.Model that is traced.
        lowering: `kzoo.export.lowering.Lowering`.
    """
    import tensorflow as tf

    operators = operators_scope(tf.gather, tf.argmax)
    products, axes = whole_products(), expanded_axes()
    with lowering_scope(lowering), operators, full_precision(model), products, axes:
        yield


def trace(model, lowering="auto", batch_size=None):
    """Trace the model's signature for inference.

    Every None dimension of the model's inputs stays dynamic, batch and time alike. (Keras's own
    input signature is not used: it fixes what should be dynamic.)

    Args:
        model: functional or Sequential keras.Model.
        lowering: one of `kzoo.export.lowering.LOWERINGS`.
        batch_size: fixes the batch size of every input.

    Returns:
        The traced `tf.function`, and the lowering of each recurrent layer by name.
    """
    require_tensorflow_backend()
    import tensorflow as tf

    inputs = input_tensors(model)
    _check_names(inputs)
    _check_tables(model)
    choice = Lowering(lowering)

    def serve(*tensors):
        with for_device(model, choice):
            outputs = call_by_name(model, dict(zip(inputs, tensors, strict=True)))
        return separate(outputs, lambda x: x.ref())

    specs = [
        tf.TensorSpec([batch_size or t.shape[0], *t.shape[1:]], t.dtype, name=name)
        for name, t in inputs.items()
    ]
    function = tf.function(serve, input_signature=specs, autograph=False)
    try:
        function.get_concrete_function()
    except Exception:
        # Keras wraps what a layer says in lines about its arguments.
        if choice.refusal:
            raise ExportError(choice.refusal) from None
        raise
    return function, choice.used


def _check_names(names):
    """Raise ExportError for names of inputs that TensorFlow's signatures cannot have."""
    for name in names:
        if keyword.iskeyword(name) or not re.fullmatch(r"[A-Za-z0-9.][A-Za-z0-9_./>-]*", name):
            raise ExportError(
                "model: expected names of inputs of ASCII letters, digits, '_', '.' and '-' that "
                "do not begin with '_' and are no keywords of Python, "
                f"got {name!r}; name it anew in keras.Input"
            )


def _check_tables(model):
    """Raise ExportError for layers that look into tables, which files cannot hold."""
    for layer in model._flatten_layers(include_self=False):
        if isinstance(layer, TABLES):
            raise ExportError(
                f"model: layer {layer.name!r} ({type(layer).__name__}) looks into a table, which "
                "cannot be exported; export the layers behind it, and look up before them, such "
                "as with a tokenizer of kzoo.text"
            )


def separate(outputs, kind):
    """Return outputs that are as many tensors, none of which comes straight out of a loop.

    LiteRT's CompiledModel can write no such. A slice of all rows stays in the graph, where the
    converter takes an identity away. Of two outputs that are one tensor, such as a layer's output
    and its state, or several states of zeros, the converter keeps one name; so these are slices of
    what they are together.

    Args:
        outputs: tensors by name, with one batch axis.
        kind: function of a tensor; those for which it is equal may be one tensor, and have one
            shape.

    Returns:
        Tensors by name.
    """
    alike = {}
    for name, x in outputs.items():
        alike.setdefault(kind(x), []).append(name)
    separated = {}
    for names in alike.values():
        tensors = [outputs[name] for name in names]
        rows = ops.shape(tensors[0])[0]
        joined = tensors[0] if len(tensors) == 1 else ops.concatenate(tensors, axis=0)
        for index, name in enumerate(names):
            separated[name] = joined[index * rows : (index + 1) * rows]
    return {name: separated[name] for name in outputs}


def write_graphs(functions, folder, tables=()):
    """Write functions as the signatures of a SavedModel.

    Args:
        functions: dict from signatures to `tf.function`s of one input signature.
        folder: where to write.
        tables: `tf.Module`s of tables that the functions look into.
    """
    import tensorflow as tf

    # Functions themselves, in signatures or an archive, would be traced anew to be saved.
    graphs = {name: function.get_concrete_function() for name, function in functions.items()}
    owner = tf.Module()
    owner.captured = [variable for graph in graphs.values() for variable in graph.variables]
    owner.tables = list(tables)
    tf.saved_model.save(owner, folder, signatures=graphs)
