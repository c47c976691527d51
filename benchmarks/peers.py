"""The same recurrent layer in other libraries: ONNX, PyTorch, and Keras's converter."""

import tempfile

import keras
import numpy as np
import onnx
import tensorflow as tf
import torch

# Keras's gates i, f, c, o in ONNX's order i, o, f, c; the other layers have the same order.
ONNX_GATES = {"lstm": (0, 3, 1, 2), "gru": (0, 1, 2), "simple_rnn": (0,)}
ONNX_OPERATORS = {"lstm": "LSTM", "gru": "GRU", "simple_rnn": "RNN"}
TORCH_LAYERS = {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU, "simple_rnn": torch.nn.RNN}


def write_onnx(path, cell, weights, return_sequences):
    """Writes a Keras layer's weights as an ONNX model of one operator, for a batch of one.

    Args:
        path: The file to write.
        cell: "lstm", "gru" or "simple_rnn".
        weights: What `get_weights` of the Keras layer returns.
        return_sequences: Whether the outputs are those of all steps, or the last.
    """
    order = ONNX_GATES[cell]

    def reorder(array):
        parts = np.split(array, len(order), axis=-1)
        return np.concatenate([parts[gate] for gate in order], axis=-1)

    kernel, recurrent_kernel, bias = map(reorder, weights)
    # A GRU of Keras has two biases, as ONNX has; the others have one.
    biases = bias.ravel() if bias.ndim == 2 else np.concatenate([bias, np.zeros_like(bias)])
    arrays = {"W": kernel.T[None], "R": recurrent_kernel.T[None], "B": biases[None]}
    units = recurrent_kernel.shape[0]
    options = {"hidden_size": units, **({"linear_before_reset": 1} if cell == "gru" else {})}
    outputs = ["outputs"] if return_sequences else ["", "outputs"]
    node = onnx.helper.make_node(ONNX_OPERATORS[cell], ["sequence", *arrays], outputs, **options)
    kind = onnx.TensorProto.FLOAT
    shape = ["time", 1, 1, units] if return_sequences else [1, 1, units]
    graph = onnx.helper.make_graph(
        [node],
        cell,
        [onnx.helper.make_tensor_value_info("sequence", kind, ["time", 1, kernel.shape[0]])],
        [onnx.helper.make_tensor_value_info("outputs", kind, shape)],
        [onnx.numpy_helper.from_array(np.ascontiguousarray(a), n) for n, a in arrays.items()],
    )
    opset = [onnx.helper.make_opsetid("", 17)]
    onnx.save(onnx.helper.make_model(graph, opset_imports=opset, ir_version=8), str(path))


def keras_file(layer, shape):
    """Returns the `.tflite` file of a Keras layer for sequences of one shape."""
    archive = keras.export.ExportArchive()
    archive.track(layer)
    archive.add_endpoint("serve", layer.call, [tf.TensorSpec(shape)])
    with tempfile.TemporaryDirectory() as folder:
        archive.write_out(folder, verbose=False)
        return tf.lite.TFLiteConverter.from_saved_model(folder).convert()


def torch_step(cell, features, units, inputs, targets):
    """Returns a function that takes one training step with Adam in PyTorch on two threads."""
    torch.set_num_threads(2)
    layer = TORCH_LAYERS[cell](features, units, batch_first=True)
    head = torch.nn.Linear(units, 1)
    optimizer = torch.optim.Adam([*layer.parameters(), *head.parameters()])
    inputs, targets = torch.tensor(inputs), torch.tensor(targets)

    def step():
        optimizer.zero_grad()
        torch.nn.functional.mse_loss(head(layer(inputs)[0][:, -1]), targets).backward()
        optimizer.step()

    return step
