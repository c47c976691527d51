"""Leave out of a `.tflite` flatbuffer what no runtime reads."""

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

from kzoo.export.counters import drop_counters

IDENTIFIER = b"TFL3"
# What the schema asks for constants, and kernels count on.
ALIGNMENT = 16


def slim(flatbuffer):
    """Return the flatbuffer without what `drop_counters` and `slim_model` find, in fewer bytes.

    The converter names each tensor by its path through the model, gives it a buffer of its own,
    and an empty record of its quantization. For a recurrent layer that is more than its operators
    take. The names of the model's inputs and outputs stay.

    Example:

    >>> builder = flatbuffers.Builder()
    >>> _ = builder.Finish(schema.ModelT(version=3).Pack(builder), IDENTIFIER)
    >>> slim(bytes(builder.Output()))[4:8]
    b'TFL3'
    """
    model = schema.ModelT.InitFromPackedBuf(flatbuffer, 0)
    # Constants behind the flatbuffer, as in files above 2 GB, are found by their place in it.
    if any(buffer.offset for buffer in model.buffers or []):
        return flatbuffer
    drop_counters(model)
    slim_model(model)
    return pack(model, len(flatbuffer))


def slim_model(model):
    """Take out of a `schema.ModelT` the names of inner tensors, and all but one of equal constants.

    Constants that nothing reads go, too.
    """
    subgraphs, metadata = model.subgraphs or [], model.metadata or []
    holders = [*(tensor for subgraph in subgraphs for tensor in subgraph.tensors), *metadata]
    # The first buffer is empty by convention, and stands for all that are.
    read = sorted({0, *(holder.buffer for holder in holders)}) if model.buffers else []
    contents = {
        place: b"" if model.buffers[place].data is None else model.buffers[place].data.tobytes()
        for place in read
    }
    first = {content: model.buffers[place] for place, content in contents.items()}
    number = {content: index for index, content in enumerate(first)}
    model.buffers = list(first.values())
    model.metadataBuffer = None
    for holder in holders:
        holder.buffer = number[contents[holder.buffer]]
    entrances = {0, *(signature.subgraphIndex for signature in model.signatureDefs or [])}
    for position, subgraph in enumerate(subgraphs):
        named = {*subgraph.inputs, *subgraph.outputs} if position in entrances else ()
        for index, tensor in enumerate(subgraph.tensors):
            if index not in named:
                tensor.name = None
            if _says_nothing(tensor.quantization):
                tensor.quantization = None


def pack(model, size):
    """Return the flatbuffer of a `schema.ModelT`; `size` is about how many bytes that takes."""
    builder = _Builder(size)
    builder.Finish(model.Pack(builder), IDENTIFIER)
    return bytes(builder.Output())


class _Builder(flatbuffers.Builder):
    """Writes equal vectors once, and bytes where the schema wants constants."""

    def __init__(self, size):
        super().__init__(size)
        self.written = {}

    def CreateNumpyVector(self, x):
        key = x.dtype.str, x.tobytes()
        if key not in self.written:
            alignment = ALIGNMENT if x.dtype == np.uint8 else x.dtype.alignment
            self.StartVector(x.itemsize, x.size, alignment)
            self.head -= len(key[1])
            self.Bytes[self.head : self.head + len(key[1])] = key[1]
            self.written[key] = self.EndVector()
        return self.written[key]


def _says_nothing(quantization):
    return quantization is not None and quantization.scale is None and quantization.details is None
