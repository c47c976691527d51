"""Name the Keras layers whose operators TensorFlow Lite's built-in set does not hold."""

import re

from kzoo.export.errors import ExportError


def unsupported_operators(message):
    """The TensorFlow operators that a converter message complains about, in its order.

    >>> unsupported_operators("error: 'tf.Erfinv' op is neither a custom op nor a flex op")
    ['Erfinv']
    """
    return list(dict.fromkeys(re.findall(r"(?:'tf\.|\bFlex)(\w+)", message)))


def blame(message, graph, model):
    """An `ExportError` that names each unsupported operator and the layers that need it.

    Args:
        message: what the converter said.
        graph: GraphDef of the traced model. Loop bodies sit in its function library.
        model: the traced keras.Model. Its layer names are the scopes of the graph's node names.
    """
    layers = {layer.name: layer for layer in model._flatten_layers(include_self=False)}
    lines = []
    for operator in unsupported_operators(message):
        owners = (_owner(node, layers) for node in _nodes(operator, message, graph))
        owners = ", ".join(dict.fromkeys(owners)) or "an unknown place"
        lines.append(f"  {operator}: needed by {owners}")
    text = (
        f"model: {model.name!r} needs operators outside TensorFlow Lite's built-in set:\n"
        + "\n".join(lines)
    )
    if "TensorList" in text:
        text += "\nThe recurrent layers of kzoo.layers take the same weights and can be exported."
    return ExportError(text)


def _nodes(operator, message, graph):
    named = re.findall(rf'"{operator}:", "([^"@]+)', message)
    # Only some uses of an operator may fail, and the message names them. But lists, the storage of
    # Keras's own loops, all fail, and the converter stops at the first one.
    if named and not operator.startswith("TensorList"):
        return named
    nodes = [*graph.node, *(node for f in graph.library.function for node in f.node_def)]
    return [node.name for node in nodes if node.op == operator]


def _owner(node_name, layers):
    path = []
    for scope in node_name.split("/")[:-1]:
        # Keras enters a layer's scope a second time to run it, so TensorFlow appends a number.
        name = re.sub(r"_\d+$", "", scope)
        path += [n for n in (name, scope) if n in layers][:1]
    if not path:
        return f"an operation outside any layer ({node_name})"
    return f"layer '{'/'.join(path)}' ({type(layers[path[-1]]).__name__})"
