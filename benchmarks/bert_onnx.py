"""An encoder of `kzoo.models.bert` for ONNX Runtime, made of its own fused operators."""

import numpy as np
import onnx
from onnxruntime.quantization import QuantType, quantize_dynamic

from kzoo.models.bert_tensors import blocks, encoder_tensors

MICROSOFT = "com.microsoft"


def write_onnx(model, path, quantized_path):
    """Writes an encoder's sequence as ONNX, in float32 and with dynamically quantized int8.

    The operators are those to which ONNX Runtime's own optimizer of BERT fuses: `Attention`,
    `SkipLayerNormalization` and `BiasGelu`.

    Args:
        model: A model of `kzoo.models.bert` with the exact GELU.
        path: File of the float32 model.
        quantized_path: File of the int8 model.
    """
    graph = _Graph(model)
    arrays, epsilon = graph.arrays, graph.epsilon
    num_heads = blocks(model)[0].attention.num_heads
    length = graph.add("Shape", ["ids"], start=1, end=2)
    zero, step = graph.constant(np.array([0])), graph.constant(np.array([1]))
    positions = graph.add("Slice", ["position_embeddings", zero, length, zero, step])
    words = graph.add("Gather", ["word_embeddings", "ids"])
    segments = graph.add("Gather", ["token_type_embeddings", "segment_ids"])
    x = graph.add("Add", [graph.add("Add", [words, segments]), positions])
    names = ["embeddings.LayerNorm.weight", "embeddings.LayerNorm.bias"]
    x = graph.add("LayerNormalization", [x, *map(graph.weight, names)], epsilon=epsilon, axis=-1)
    for index in range(len(blocks(model))):
        layer = f"encoder.layer.{index}"
        parts = [f"{layer}.attention.self.{part}" for part in ("query", "key", "value")]
        kernel = np.concatenate([arrays[f"{part}.weight"].T for part in parts], axis=1)
        bias = np.concatenate([arrays[f"{part}.bias"] for part in parts])
        attended = graph.add(
            "Attention",
            [x, graph.constant(kernel), graph.constant(bias), "mask"],
            domain=MICROSOFT,
            num_heads=num_heads,
        )
        x = graph.add_and_normalize(x, attended, f"{layer}.attention.output")
        hidden = graph.multiply(x, f"{layer}.intermediate.dense")
        bias = graph.weight(f"{layer}.intermediate.dense.bias")
        hidden = graph.add("BiasGelu", [hidden, bias], domain=MICROSOFT)
        x = graph.add_and_normalize(x, hidden, f"{layer}.output")
    graph.save(x, path)
    # Shape inference stops at ONNX Runtime's own operators.
    options = {"DefaultTensorType": onnx.TensorProto.FLOAT}
    quantize_dynamic(path, quantized_path, weight_type=QuantType.QInt8, extra_options=options)


class _Graph:
    def __init__(self, model):
        self.arrays = {
            name: np.asarray(variable).T if is_transposed else np.asarray(variable)
            for name, (variable, is_transposed) in encoder_tensors(model).items()
        }
        self.epsilon = blocks(model)[0].epsilon
        self.nodes, self.constants = [], {}
        for name in ("word_embeddings", "position_embeddings", "token_type_embeddings"):
            self.constants[name] = self.arrays[f"embeddings.{name}.weight"]

    def add(self, operator, inputs, domain="", **attributes):
        """Adds an operator and returns the name of its output."""
        output = f"{operator}_{len(self.nodes)}"
        node = onnx.helper.make_node(operator, inputs, [output], domain=domain, **attributes)
        self.nodes.append(node)
        return output

    def constant(self, array):
        """Adds a constant and returns its name."""
        name = f"constant_{len(self.constants)}"
        self.constants[name] = array
        return name

    def weight(self, name):
        """Adds a tensor of the model as it is and returns its name."""
        self.constants[name] = self.arrays[name]
        return name

    def multiply(self, x, name):
        """Adds the product with a dense layer's kernel, without its bias."""
        return self.add("MatMul", [x, self.constant(self.arrays[f"{name}.weight"].T)])

    def add_and_normalize(self, x, inner, name):
        """Adds a dense layer, the sum with what went around it, and the normalization."""
        outputs = self.multiply(inner, f"{name}.dense")
        keys = (f"{name}.LayerNorm.weight", f"{name}.LayerNorm.bias", f"{name}.dense.bias")
        weights = [self.weight(key) for key in keys]
        return self.add(
            "SkipLayerNormalization", [outputs, x, *weights], MICROSOFT, epsilon=self.epsilon
        )

    def save(self, output, path):
        """Writes the model that gives `output` as "sequence"."""
        self.nodes.append(onnx.helper.make_node("Identity", [output], ["sequence"]))
        make, shape = onnx.helper.make_tensor_value_info, ["batch", "time"]
        ints, floats = onnx.TensorProto.INT32, onnx.TensorProto.FLOAT
        graph = onnx.helper.make_graph(
            self.nodes,
            "bert",
            [make(name, ints, shape) for name in ("ids", "mask", "segment_ids")],
            [make("sequence", floats, [*shape, self.arrays["pooler.dense.bias"].shape[0]])],
            [
                onnx.numpy_helper.from_array(np.ascontiguousarray(array), name)
                for name, array in self.constants.items()
            ],
        )
        opsets = [onnx.helper.make_opsetid("", 17), onnx.helper.make_opsetid(MICROSOFT, 1)]
        onnx.save(onnx.helper.make_model(graph, opset_imports=opsets, ir_version=8), path)
