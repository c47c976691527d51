"""Round the weights of a `.tflite` flatbuffer of int8 better than the converter does."""

import math
from copy import copy
from pathlib import Path

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from kzoo.export.errors import ExportError
from kzoo.export.kept import kept_kernels
from kzoo.export.slim import pack, slim_model

# Of a narrower row, a scale of its own would be more than a fifth of the bytes.
NARROWEST_ROW = 16
# Of a step: what rounding to the nearest may miss, and what float32 adds to that.
HALF = 0.501
GATHER, MUL = schema.BuiltinOperator.GATHER, schema.BuiltinOperator.MUL
DEQUANTIZE = schema.BuiltinOperator.DEQUANTIZE
# In how many parts a kernel may stand in a file, see `kzoo.layers.cell.products`.
MATRICES = (1, 2, 3, 4)
INT8, FLOAT32 = schema.TensorType.INT8, schema.TensorType.FLOAT32


def round_file(path, model, precision, keep_float=()):
    """Round the weights in a file of the precision "dynamic" again; see `round_again`.

    Args:
        path: the file.
        model: the keras.Model that it was made from.
        precision: of the file; another one than "dynamic" is left alone.
        keep_float: see `kzoo.export.kept.kept_kernels`.
    """
    if precision == "dynamic":
        tables = [
            np.asarray(weight, "float32")
            for weight in model.weights
            if len(weight.shape) == 2 and weight.shape[1] >= NARROWEST_ROW
        ]
        kernels = kept_kernels(model, keep_float)
        content = Path(path).read_bytes()
        Path(path).write_bytes(round_again(content, tables, kernels))


def round_again(flatbuffer, tables, kernels):
    """Return the flatbuffer with a scale for each row of its tables, and some kernels in float32.

    The converter gives a whole embedding table one scale, that of its largest number. Here each row
    `e` has its own, and is looked up as

        round(e / s) * s,  s = max|e| / 127.

    These are the numbers by which a table also scores, so that a tied one is in the file once.

    Args:
        flatbuffer: bytes of a file that the converter wrote with int8 weights.
        tables: arrays of two axes, among which those that the file looks rows up in are found by
            their numbers.
        kernels: dict from paths of layers to lists of their kernels, which are to be float32.

    Returns:
        Bytes; the same ones if there is nothing to change.

    Raises:
        ExportError: a kernel is not in the file.
    """
    file = _File(flatbuffer)
    for path, arrays in kernels.items():
        for array in arrays:
            file.keep(path, np.asarray(array, "float32"))
    for subgraph in file.model.subgraphs:
        file.scale_rows(subgraph, tables)
    if not file.is_changed:
        return flatbuffer
    slim_model(file.model)
    return pack(file.model, len(flatbuffer))


class _File:
    """A file in the making; constants that nothing reads any more are left to `slim_model`."""

    def __init__(self, flatbuffer):
        self.model = schema.ModelT.InitFromPackedBuf(flatbuffer, 0)
        self.is_changed = False
        self.added = {}
        # Older writers fill only the deprecated field.
        self.codes = [
            max(code.builtinCode, code.deprecatedBuiltinCode) for code in self.model.operatorCodes
        ]

    def keep(self, path, kernel):
        """Make a kernel float32 wherever it is a constant, whole or matrix by matrix."""
        counts = [count for count in MATRICES if kernel.shape[-1] % count == 0]
        # A list, so that all matrices are looked for.
        if not any(
            all([self.keep_matrix(path, matrix) for matrix in np.split(kernel, count, axis=-1)])
            for count in counts
        ):
            raise ExportError(
                f"keep_float: the file holds no int8 kernel of layer {path!r}; the converter has "
                "joined it with other weights, or split it"
            )

    def keep_matrix(self, path, matrix):
        """Make an array float32 wherever it is a constant; return whether it is one."""
        # Products and convolutions have what they put out in front; some operators have it last.
        shapes = [(math.prod(matrix.shape[:axis]), -1) for axis in range(1, matrix.ndim)]
        orders = [*(matrix.reshape(shape).T for shape in shapes), matrix]
        found = False
        for subgraph in self.model.subgraphs:
            for tensor in subgraph.tensors:
                for order in orders:
                    if self.is_rounded(tensor, order):
                        tensor.buffer = self.add((path, tensor.buffer), order)
                        tensor.type, tensor.quantization = FLOAT32, None
                        found = self.is_changed = True
        return found

    def scale_rows(self, subgraph, tables):
        """Give the rows of tables that are only looked up in a subgraph a scale each."""
        readers = {}
        for operator in subgraph.operators:
            for place in operator.inputs:
                readers.setdefault(int(place), []).append(operator)
        scales = {}
        for place, tensor in enumerate(list(subgraph.tensors)):
            lookups = readers.get(place, [])
            if not all(self.is_lookup(subgraph, x, place, readers) for x in lookups) or not lookups:
                continue
            if (table := next((x for x in tables if self.is_table(tensor, x)), None)) is None:
                continue
            rows, steps = self.by_rows(table)
            tensor.buffer = self.add((id(table), "rows"), rows)
            scale = self.add((id(table), "steps"), steps)
            constant = schema.TensorT(shape=[len(steps), 1], type=FLOAT32, buffer=scale)
            constant.hasRank = tensor.hasRank
            subgraph.tensors.append(constant)
            for one in (tensor, *(subgraph.tensors[x.outputs[0]] for x in lookups)):
                # DEQUANTIZE becomes a cast.
                one.quantization = schema.QuantizationParametersT(scale=[1.0], zeroPoint=[0])
            for lookup in lookups:
                for reader in readers[int(lookup.outputs[0])]:
                    scales[id(reader)] = lookup, len(subgraph.tensors) - 1
        operators = []
        for operator in subgraph.operators:
            operators.append(operator)
            if id(operator) in scales:
                operators += self.scaling(subgraph, operator, *scales[id(operator)])
                self.is_changed = True
        subgraph.operators = operators

    def is_lookup(self, subgraph, operator, table, readers):
        """Whether an operator gathers rows of a table, all of which become float at once."""
        if self.code(operator) != GATHER or operator.inputs[0] != table:
            return False
        options, rows = operator.builtinOptions, int(operator.outputs[0])
        return (
            (options is None or options.axis == options.batchDims == 0)
            and rows not in subgraph.outputs
            and all(self.code(reader) == DEQUANTIZE for reader in readers.get(rows, []))
        )

    def scaling(self, subgraph, dequantize, lookup, scale):
        """The operators that multiply the rows of a lookup by their scales."""
        result = int(dequantize.outputs[0])
        steps, rows = copy(subgraph.tensors[result]), copy(subgraph.tensors[result])
        for name in ("shape", "shapeSignature"):
            if getattr(steps, name) is not None:
                setattr(steps, name, [*getattr(steps, name)[:-1], 1])
        steps.buffer = rows.buffer = 0
        steps.name = rows.name = None
        subgraph.tensors += [steps, rows]
        count = len(subgraph.tensors)
        dequantize.outputs = [count - 1]
        gather, multiply = copy(lookup), schema.OperatorT(opcodeIndex=self.multiplying())
        gather.inputs, gather.outputs = [scale, lookup.inputs[1]], [count - 2]
        multiply.inputs, multiply.outputs = [count - 1, count - 2], [result]
        multiply.builtinOptionsType = schema.BuiltinOptions.MulOptions
        multiply.builtinOptions = schema.MulOptionsT()
        return [gather, multiply]

    def by_rows(self, table):
        """The int8 rows of a table and the scale of each, those of a product where there is one."""
        for subgraph in self.model.subgraphs:
            for tensor in subgraph.tensors:
                if not self.is_table(tensor, table) or tensor.quantization.quantizedDimension:
                    continue
                if len(scale := tensor.quantization.scale) == len(table):
                    return self.data(tensor), np.asarray(scale, "float32")
        steps = np.abs(table).max(axis=1, keepdims=True) / 127
        steps[steps == 0] = 1
        return np.round(table / steps).astype("int8"), steps

    def is_table(self, tensor, table):
        """Whether a tensor is a constant that holds a table as it is, rounded to int8."""
        return np.array_equal(tensor.shape, table.shape) and self.is_rounded(tensor, table)

    def is_rounded(self, tensor, array):
        """Whether a tensor is a constant that holds an array, rounded to int8."""
        quantization = tensor.quantization
        scale = getattr(quantization, "scale", None)
        data = self.model.buffers[tensor.buffer].data
        if tensor.type != INT8 or scale is None or data is None or len(data) != array.size:
            return False
        array = array.reshape(tensor.shape)
        shape = [1] * array.ndim
        shape[quantization.quantizedDimension] = len(scale)
        scale = np.reshape(np.asarray(scale, "float32"), shape)
        return bool((np.abs(self.data(tensor) * scale - array) <= HALF * scale).all())

    def data(self, tensor):
        """The numbers of a constant of int8."""
        return self.model.buffers[tensor.buffer].data.view("int8").reshape(tensor.shape)

    def add(self, key, array):
        """The number of a new constant, the same one for the same key."""
        if key not in self.added:
            data = np.ascontiguousarray(array).reshape(-1).view("uint8")
            self.model.buffers.append(schema.BufferT(data=data))
            self.added[key] = len(self.model.buffers) - 1
        return self.added[key]

    def code(self, operator):
        """The built-in operator that this is."""
        return self.codes[operator.opcodeIndex]

    def multiplying(self):
        """The place of MUL among the file's operators."""
        if MUL not in self.codes:
            code = schema.OperatorCodeT(builtinCode=MUL, deprecatedBuiltinCode=MUL, version=1)
            self.model.operatorCodes.append(code)
            self.codes.append(MUL)
        return self.codes.index(MUL)
