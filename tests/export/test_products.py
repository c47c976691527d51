"""Products with weights on device."""

from collections import Counter

import keras
import numpy as np
import tensorflow as tf
from ai_edge_litert import schema_py_generated as schema

from kzoo.export import Export, export_many
from kzoo.export.products import whole_products


def test_a_dense_layer_of_a_sequence_is_one_operator(tmp_path):
    """Keras's own `tensordot` needs GATHER, PACK and REDUCE_PROD around it."""
    model = keras.Sequential([keras.Input((None, 4)), keras.layers.Dense(3, "relu")])
    path = tmp_path / "dense.tflite"
    export_many([Export(model, path, inputs=np.ones((2, 5, 4), "float32"))])
    content = schema.ModelT.InitFromPackedBuf(path.read_bytes(), 0)
    names = {value: name for name, value in vars(schema.BuiltinOperator).items()}
    used = Counter(
        names[content.operatorCodes[operator.opcodeIndex].builtinCode]
        for operator in content.subgraphs[0].operators
    )
    assert used["FULLY_CONNECTED"] == 1
    assert not used.keys() & {"GATHER", "PACK", "REDUCE_PROD", "ADD", "RELU"}


def test_a_product_of_a_vector_and_an_array_stays():
    with whole_products():
        product = tf.tensordot(np.arange(3.0), np.ones((3, 2)), [[-1], [0]])
    np.testing.assert_array_equal(product, [3.0, 3.0])
