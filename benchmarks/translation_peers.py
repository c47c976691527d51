"""The same encoder-decoder elsewhere: PyTorch's layers in ONNX Runtime, with a loop in NumPy."""

from pathlib import Path

import numpy as np
import onnxruntime
import torch
from onnxruntime.quantization import quantize_dynamic

START, END = 2, 3


def gru_weights(kernel, recurrent_kernel, bias):
    """Returns a Keras GRU's weights as PyTorch has them: transposed, and the reset gate first."""
    arrays = []
    for array in (kernel, recurrent_kernel, *np.asarray(bias)):
        update, reset, candidate = np.split(np.asarray(array), 3, axis=-1)
        arrays.append(torch.tensor(np.concatenate([reset, update, candidate], axis=-1).T))
    return arrays


def linear(kernel, bias=None):
    """Returns a `torch.nn.Linear` with a Keras kernel."""
    layer = torch.nn.Linear(*kernel.shape, bias=bias is not None)
    layer.weight.data = torch.tensor(np.asarray(kernel).T.copy())
    if bias is not None:
        layer.bias.data = torch.tensor(np.asarray(bias))
    return layer


class Encoder(torch.nn.Module):
    """The encoder of a model of `seq2seq_gru_bahdanau` with one layer."""

    def __init__(self, model):
        super().__init__()
        encoder = model.get_layer("encoder")
        attention = model.get_layer("decoder").cells[0].attention
        table = encoder.get_layer("embedding").embeddings
        self.embedding = torch.nn.Embedding.from_pretrained(torch.tensor(np.asarray(table)))
        weights = encoder.get_layer("bidirectional_0").get_weights()
        units = weights[1].shape[0]
        self.gru = torch.nn.GRU(
            table.shape[1], units, batch_first=True, bidirectional=True
        ).requires_grad_(False)
        for side, part in (("", weights[:3]), ("_reverse", weights[3:])):
            names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
            for name, array in zip(names, gru_weights(*part), strict=True):
                getattr(self.gru, f"{name}_l0{side}").data = array
        self.initial = linear(*encoder.get_layer("initial_state_0_0").get_weights())
        self.keys = linear(attention.memory_kernel, attention.bias)

    def forward(self, ids):
        """Returns the values, the keys and the first state for ids `(1, source)`."""
        values, last = self.gru(self.embedding(ids))
        hidden = torch.tanh(self.initial(torch.cat([last[0], last[1]], -1)))
        return values, self.keys(values), hidden


class Step(torch.nn.Module):
    """One step of its decoder; the memory has one row, which all beams share."""

    def __init__(self, model):
        super().__init__()
        decoder = model.get_layer("decoder")
        wrapper = decoder.cells[0]
        self.embedding = torch.nn.Embedding.from_pretrained(
            torch.tensor(np.asarray(decoder.embedding.embeddings))
        )
        cell = wrapper.cell
        self.cell = torch.nn.GRUCell(cell.kernel.shape[0], cell.units).requires_grad_(False)
        arrays = gru_weights(cell.kernel, cell.recurrent_kernel, cell.bias)
        names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        for name, array in zip(names, arrays, strict=True):
            getattr(self.cell, name).data = array
        self.query = linear(wrapper.attention.query_kernel)
        self.score = linear(wrapper.attention.score_vector)
        self.output = linear(wrapper.output_kernel)
        # Its weight is the table of the embedding.
        self.vocabulary = linear(np.asarray(decoder.embedding.embeddings).T, decoder.bias)

    def forward(self, ids, values, keys, hidden, output):
        """Returns the logits and the next state."""
        hidden = self.cell(torch.cat([self.embedding(ids), output], -1), hidden)
        scores = self.score(torch.tanh(self.query(hidden)[:, None] + keys))
        alignments = torch.softmax(scores, 1).transpose(1, 2)
        context = torch.matmul(alignments, values)[:, 0]
        output = torch.tanh(self.output(torch.cat([hidden, context], -1)))
        return self.vocabulary(output), hidden, output


class OnnxTranslator:
    """Greedy and beam search by ONNX Runtime on one thread, with the loop in NumPy.

    Args:
        model: A model of `seq2seq_gru_bahdanau` with one layer.
        folder: Where to write the two files.
        max_length: Ids after which a row ends.
        precision: "float32", or "int8" for weights rounded by `quantize_dynamic`.
    """

    def __init__(self, model, folder, max_length, precision="float32"):
        self.max_length = max_length
        encoder, step = Encoder(model).eval(), Step(model).eval()
        self.width = step.output.out_features
        ids = torch.ones((1, 5), dtype=torch.int64)
        values, keys, hidden = encoder(ids)
        self.encode = session(
            encoder,
            Path(folder, "encoder.onnx"),
            {"ids": (ids, {1: "source"})},
            ("values", "keys", "hidden"),
            precision,
        )
        rows, memory = {0: "beams"}, {1: "source"}
        self.step = session(
            step,
            Path(folder, "step.onnx"),
            {
                "ids": (torch.ones(4, dtype=torch.int64), rows),
                "values": (values, memory),
                "keys": (keys, memory),
                "hidden": (hidden.repeat(4, 1), rows),
                "output": (torch.zeros((4, self.width)), rows),
            },
            ("logits", "next_hidden", "next_output"),
            precision,
        )

    def start(self, source, beams):
        """Encodes a source `(1, source)`; returns the inputs of the first step."""
        values, keys, hidden = self.encode.run(None, {"ids": source.astype("int64")})
        return {
            "ids": np.full(beams, START),
            "values": values,
            "keys": keys,
            "hidden": np.repeat(hidden, beams, 0),
            "output": np.zeros((beams, self.width), "float32"),
        }

    def greedy(self, source):
        """Returns the list of ids."""
        feed, ids = self.start(source, 1), []
        while len(ids) < self.max_length and END not in ids[-1:]:
            logits, feed["hidden"], feed["output"] = self.step.run(None, feed)
            ids.append(int(logits[0].argmax()))
            feed["ids"][0] = ids[-1]
        return ids

    def beam(self, source, beams=4):
        """Returns the best list of ids, by the rules of `kzoo.decoding.beam_search`."""
        feed = self.start(source, beams)
        scores = np.array([0.0] + [-np.inf] * (beams - 1), "float32")
        history, best = [[] for _ in range(beams)], (-np.inf, [])
        for length in range(1, self.max_length + 1):
            logits, hidden, output = self.step.run(None, feed)
            shifted = logits - logits.max(1, keepdims=True)
            gains = shifted - np.log(np.exp(shifted).sum(1, keepdims=True))
            totals = (gains + scores[:, None]).ravel()
            picked = np.argpartition(-totals, 2 * beams)[: 2 * beams]
            picked = picked[np.argsort(-totals[picked], kind="stable")]
            parents, ids = np.divmod(picked, logits.shape[1])
            ended = (ids == END) | (length == self.max_length)
            for n in np.flatnonzero(ended[:beams]):
                if totals[picked[n]] > best[0]:
                    best = totals[picked[n]], [*history[parents[n]], int(ids[n])]
            live = np.flatnonzero(~(ids == END))[:beams]
            scores, parents = totals[picked[live]], parents[live]
            if length == self.max_length or scores[0] <= best[0]:
                break
            history = [[*history[p], int(i)] for p, i in zip(parents, ids[live], strict=True)]
            feed["ids"] = ids[live]
            feed["hidden"], feed["output"] = hidden[parents], output[parents]
        return best[1]


def session(module, path, inputs, outputs, precision):
    """Exports a PyTorch module and returns its session in ONNX Runtime, on one thread.

    Args:
        module: The module.
        path: The file to write.
        inputs: Dict from names to an example and the names of its dynamic axes.
        outputs: Names of the outputs.
        precision: As for `OnnxTranslator`.
    """
    torch.onnx.export(
        module,
        tuple(example for example, _ in inputs.values()),
        str(path),
        input_names=list(inputs),
        output_names=list(outputs),
        dynamic_axes={name: axes for name, (_, axes) in inputs.items()},
        dynamo=False,
    )
    if precision == "int8":
        small = path.with_suffix(".int8.onnx")
        quantize_dynamic(path, small)
        path = small
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
