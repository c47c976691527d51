"""The metadata by which MediaPipe and the Task libraries know what a classifier of texts reads.

It is a flatbuffer of its own, inside the model's, after the schema `metadata_schema.fbs` of
MediaPipe (version 1.5.0). The files it names lie behind the model in the zip archive of the bundle.
"""

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

from kzoo.export.bundle import LABELS, VOCABULARY
from kzoo.export.slim import pack

KEY, IDENTIFIER = "TFLITE_METADATA", b"M001"
# The parser must know of tokenizers of BERT.
MIN_PARSER_VERSION = "1.1.0"
# What the schema's enumerations say.
TENSOR_AXIS_LABELS, VOCABULARY_FILE, BERT_TOKENIZER = 2, 5, 4
# What those libraries look for, whatever the order of the inputs.
DESCRIPTIONS = {
    "ids": "Ids of the pieces of the text.",
    "mask": "1, and 0 at padding.",
    "segment_ids": "0 in a first text, 1 in a second one.",
}


def add_metadata(flatbuffer, name):
    """Return the flatbuffer of a classifier with BERT's three inputs with its metadata.

    `vocab.txt` is the vocabulary, one piece a line, and `labels.txt` the classes. MediaPipe cuts
    texts at 512 ids where the length is dynamic, so that a model with fewer positions must be given
    shorter texts; it lowers the case of ASCII alone, and strips no accents.

    Args:
        flatbuffer: bytes of a model whose signature has the inputs `ids`, `mask` and `segment_ids`.
        name: str, the model's name.

    Raises:
        ValueError: the model has other inputs, or several outputs.
    """
    model = schema.ModelT.InitFromPackedBuf(flatbuffer, 0)
    (signature,) = model.signatureDefs
    by_tensor = {tensor.tensorIndex: tensor.name.decode() for tensor in signature.inputs}
    graph = model.subgraphs[signature.subgraphIndex]
    inputs = [by_tensor[index] for index in graph.inputs]
    if set(inputs) != set(DESCRIPTIONS) or len(graph.outputs) != 1:
        raise ValueError(
            f"flatbuffer: expected the inputs {list(DESCRIPTIONS)} and one output, "
            f"got {inputs} and {len(graph.outputs)}"
        )
    content = schema.BufferT()
    content.data = np.frombuffer(describe(name, inputs), "uint8")
    entry = schema.MetadataT()
    entry.name, entry.buffer = KEY, len(model.buffers)
    model.buffers.append(content)
    model.metadata = [*(model.metadata or []), entry]
    return pack(model, len(flatbuffer))


def describe(name, inputs):
    """Return the metadata as bytes.

    Args:
        name: str, the model's name.
        inputs: list of the names of the inputs, in the order of the model's graph.

    Example:

    >>> describe("a classifier", ["ids", "mask", "segment_ids"])[4:8]
    b'M001'
    """
    builder = flatbuffers.Builder()

    def file(path, kind):
        return table(builder, 5, {0: builder.CreateString(path)}, {2: kind})

    def tensor(title, description, files=()):
        strings = {0: builder.CreateString(title), 1: builder.CreateString(description)}
        return table(builder, 7, strings | ({6: vector(builder, files)} if files else {}))

    options = table(builder, 1, {0: vector(builder, [file(VOCABULARY, VOCABULARY_FILE)])})
    tokenizer = table(builder, 2, {1: options}, {0: BERT_TOKENIZER})
    labels = file(LABELS, TENSOR_AXIS_LABELS)
    graph = {
        2: vector(builder, [tensor(key, DESCRIPTIONS[key]) for key in inputs]),
        3: vector(builder, [tensor("probability", "Probabilities of the labels.", [labels])]),
        5: vector(builder, [tokenizer]),
    }
    model = {
        0: builder.CreateString(name),
        3: vector(builder, [table(builder, 10, graph)]),
        7: builder.CreateString(MIN_PARSER_VERSION),
    }
    builder.Finish(table(builder, 8, model), IDENTIFIER)
    return bytes(builder.Output())


def table(builder, num_fields, offsets, numbers=()):
    """Write a table: offsets and bytes by the place of their field in the schema."""
    builder.StartObject(num_fields)
    for field, offset in offsets.items():
        builder.PrependUOffsetTRelativeSlot(field, offset, 0)
    for field, number in dict(numbers).items():
        builder.PrependInt8Slot(field, number, 0)
    return builder.EndObject()


def vector(builder, offsets):
    """Write a vector of tables."""
    builder.StartVector(4, len(offsets), 4)
    for offset in reversed(offsets):
        builder.PrependUOffsetTRelative(offset)
    return builder.EndVector()
