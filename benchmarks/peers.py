"""The same recurrent layer in other libraries: ONNX Runtime, PyTorch, and Keras's converter."""

import tempfile

import keras
import numpy as np
import onnx
import onnxruntime
import tensorflow as tf
import torch

# Keras's gates i, f, c, o in ONNX's order i, o, f, c; the other layers have the same order.
ONNX_GATES = {"lstm": (0, 3, 1, 2), "gru": (0, 1, 2), "simple_rnn": (0,)}
ONNX_OPERATORS = {"lstm": "LSTM", "gru": "GRU", "simple_rnn": "RNN"}
TORCH_LAYERS = {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU, "simple_rnn": torch.nn.RNN}


def onnx_runner(cell, weights, sequence):
    """Returns a function that runs a Keras layer's weights in ONNX Runtime on one thread.

    Args:
        cell: "lstm", "gru" or "simple_rnn".
        weights: What `get_weights` of the Keras layer returns.
        sequence: `(1, time, features)`.

    Returns:
        A function without arguments that returns the last output, `(1, units)`.
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
    names = ["sequence", *arrays]
    node = onnx.helper.make_node(ONNX_OPERATORS[cell], names, ["", "last"], **options)
    kind = onnx.TensorProto.FLOAT
    graph = onnx.helper.make_graph(
        [node],
        cell,
        [onnx.helper.make_tensor_value_info("sequence", kind, ["time", 1, kernel.shape[0]])],
        [onnx.helper.make_tensor_value_info("last", kind, [1, 1, units])],
        [onnx.numpy_helper.from_array(np.ascontiguousarray(a), n) for n, a in arrays.items()],
    )
    opset = [onnx.helper.make_opsetid("", 17)]
    model = onnx.helper.make_model(graph, opset_imports=opset, ir_version=8)
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = settings.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), settings, providers=["CPUExecutionProvider"]
    )
    feed = {"sequence": np.ascontiguousarray(sequence.transpose(1, 0, 2))}
    return lambda: session.run(None, feed)[0][0]


def keras_file(layer, sequence):
    """Returns the `.tflite` file of a Keras layer with a fixed batch size and length."""
    archive = keras.export.ExportArchive()
    archive.track(layer)
    archive.add_endpoint("serve", layer.call, [tf.TensorSpec(sequence.shape)])
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
