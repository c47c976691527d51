"""Look into a `.tflite` flatbuffer with the schema that comes with ai-edge-litert."""

from collections import Counter

from ai_edge_litert import schema_py_generated as schema

_OPERATOR = {
    value: name for name, value in vars(schema.BuiltinOperator).items() if isinstance(value, int)
}
_TYPE = {value: name for name, value in vars(schema.TensorType).items() if isinstance(value, int)}


def _subgraphs(model):
    return [model.Subgraphs(i) for i in range(model.SubgraphsLength())]


def operators(flatbuffer):
    """Sorted names of the operators that a runtime must have for a file, and of custom ones.

    Those of loop bodies are among them. A file has a table of them, which is short.
    """
    model = schema.Model.GetRootAs(flatbuffer, 0)
    builtin, custom = set(), set()
    for code in map(model.OperatorCodes, range(model.OperatorCodesLength())):
        # Codes above 127 live in the newer field; older writers fill only the deprecated one.
        value = max(code.BuiltinCode(), code.DeprecatedBuiltinCode())
        if value == schema.BuiltinOperator.CUSTOM:
            custom.add((code.CustomCode() or b"unnamed").decode())
        else:
            builtin.add(_OPERATOR[value])
    return tuple(sorted(builtin)), tuple(sorted(custom))


def has_variables(flatbuffer):
    """Whether there are variable tensors, which keep their values from run to run."""
    model = schema.Model.GetRootAs(flatbuffer, 0)
    return any(
        subgraph.Tensors(i).IsVariable()
        for subgraph in _subgraphs(model)
        for i in range(subgraph.TensorsLength())
    )


def batched_inputs(flatbuffer, signature):
    """Names of a signature's inputs that take any number of rows, as their first axis."""
    model = schema.Model.GetRootAs(flatbuffer, 0)
    definitions = [model.SignatureDefs(i) for i in range(model.SignatureDefsLength())]
    (definition,) = (d for d in definitions if d.SignatureKey().decode() == signature)
    subgraph = model.Subgraphs(definition.SubgraphIndex())
    inputs = [definition.Inputs(i) for i in range(definition.InputsLength())]
    tensors = {entry.Name().decode(): subgraph.Tensors(entry.TensorIndex()) for entry in inputs}
    return {
        name
        for name, tensor in tensors.items()
        if tensor.ShapeSignatureLength() and tensor.ShapeSignature(0) < 0
    }


def constant_bytes(flatbuffer):
    """Bytes of constants by tensor type, as {"INT8": 4000000, "FLOAT32": 7680}.

    Shows what quantisation left in float: weights of fewer than 1024 elements always stay.
    """
    model = schema.Model.GetRootAs(flatbuffer, 0)
    sizes, seen = Counter(), set()
    for subgraph in _subgraphs(model):
        for i in range(subgraph.TensorsLength()):
            tensor = subgraph.Tensors(i)
            place = tensor.Buffer()
            if place in seen:
                continue
            seen.add(place)
            if size := model.Buffers(place).DataLength():
                sizes[_TYPE[tensor.Type()]] += size
    return dict(sizes)
