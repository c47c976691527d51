"""A Transformer that translates, in LiteRT and in CTranslate2 with the same weights.

    python -m benchmarks.ctranslate [--data FOLDER]

prints tokens per second: batch 1, one thread, medians over real sentences, greedy search and beam
search of width 4. kzoo runs a whole search in one signature of its `.tflite` file. The sizes are
those of the recipe's `transformer_seq2seq_tiny` on Multi30k; the weights are untrained and the end
id is never chosen, so that every sentence takes the same number of steps in both. int8 is kzoo's
precision "dynamic" and CTranslate2's "int8".
"""

import tempfile
from importlib.metadata import version
from pathlib import Path

import ctranslate2
import keras
import numpy as np
import tyro
from ctranslate2.specs import TransformerSpec
from ctranslate2.specs.common_spec import Activation
from keras import ops

import kzoo
from benchmarks.recurrent_report import table
from benchmarks.translation import BEAMS, SENTENCES, Knobs, Litert, race, same_ids
from kzoo.export import export_seq2seq
from kzoo.layers.sinusoidal import sinusoids
from kzoo.recipes import translation
from kzoo.recipes.parts import command_line
from kzoo.recipes.parts.generation import create_model
from kzoo.text import SentencePieceTokenizer, Tokenizer

MODEL = "transformer_seq2seq_tiny"
PRECISIONS = {"float32": ("float32", "float32"), "int8": ("dynamic", "int8")}
SPECIAL = ["<blank>", "<unk>", "<s>", "</s>"]
POSITIONS = 512


def main(knobs):
    """Prints the table."""
    sentences, model = prepare(knobs)
    lengths = [sentence.shape[1] for sentence in sentences]
    libraries = ", ".join(f"{name} {version(name)}" for name in ("ai-edge-litert", "ctranslate2"))
    print(f"{libraries}; {model.count_params():,} weights, {np.mean(lengths):.1f} ids a sentence")
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(knobs.files or temporary)
        folder.mkdir(parents=True, exist_ok=True)
        files = {kind: folder / f"{MODEL}_{kind}.tflite" for kind, _ in PRECISIONS.values()}
        options = {"max_length": knobs.steps, "beam_size": BEAMS, "inputs": sentences[0]}
        options |= {"start_id": Tokenizer.start_id, "end_id": Tokenizer.end_id}
        export_seq2seq(model, files, banned_ids=Tokenizer.unwritten_ids, **options)
        runners = {}
        for name, (kind, quantization) in PRECISIONS.items():
            runners["kzoo", name] = Litert(files[kind])
            runners["CTranslate2", name] = CTranslator(model, quantization, knobs.steps)
        rows = []
        for search, title in (("greedy", "greedy"), ("beam", f"beam {BEAMS}")):
            pair = (runners[side, "float32"] for side in ("kzoo", "CTranslate2"))
            same_ids(sentences[:5], *pair, search)
            runs = {name: getattr(runner, search) for name, runner in runners.items()}
            rows.append(row(title, race(sentences, runs, knobs), knobs.steps))
    print(table(rows))


def row(search, times, steps):
    """Returns a row of the table, of median milliseconds by library and precision."""
    cells = {"search": search}
    cells |= {f"{side} {name}": f"{1e3 * steps / t:,.0f}" for (side, name), t in times.items()}
    for name in PRECISIONS:
        ratio = times["CTranslate2", name] / times["kzoo", name]
        cells[f"{name} ratio"] = f"{ratio:.2f}"
    return cells


def prepare(knobs):
    """Returns the source ids of real sentences, and a model of the recipe's sizes."""
    recipe = command_line.parse(
        translation.Knobs,
        translation.SETTINGS,
        translation.__doc__,
        ["--dataset", "multi30k", "--model", MODEL],
    )
    name = "multi30k" if knobs.data else "translation_ko_en"
    data = kzoo.data.load_translation(name, knobs.data)
    sides = (data.train.sources, data.train.targets)
    tokenizers = [SentencePieceTokenizer.train(side, recipe.vocabulary_size) for side in sides]
    keras.utils.set_random_seed(0)
    model = create_model(recipe, tokenizers)
    # A score of zero is never among the best of thousands.
    scores = model.get_layer("decoder").embedding.embeddings
    scores.assign(ops.slice_update(scores, (Tokenizer.end_id, 0), ops.zeros((1, scores.shape[1]))))
    return [tokenizers[0]([text]) for text in data.test.sources[:SENTENCES]], model


class CTranslator:
    """The model in CTranslate2.

    Args:
        model: A model of `kzoo.models.transformer_seq2seq` with its defaults.
        quantization: "float32" or "int8".
        steps: Ids that are written.
    """

    def __init__(self, model, quantization, steps):
        spec = make_spec(model)
        self.steps = steps
        with tempfile.TemporaryDirectory() as folder:
            spec.validate()
            spec.optimize(quantization=None if quantization == "float32" else quantization)
            spec.save(folder)
            threads = dict(inter_threads=1, intra_threads=1)
            self.translator = ctranslate2.Translator(
                folder, "cpu", compute_type=quantization, **threads
            )

    def greedy(self, source):
        """Returns the list of ids."""
        return self._translate(source, 1)

    def beam(self, source):
        """Returns the best list of ids."""
        return self._translate(source, BEAMS)

    def _translate(self, source, beam_size):
        found = self.translator.translate_batch(
            [[token(id) for id in source[0].tolist()]],
            beam_size=beam_size,
            length_penalty=0,
            min_decoding_length=self.steps,
            max_decoding_length=self.steps,
            suppress_sequences=[[token] for token in SPECIAL[:3]],
        )
        return [int(token) for token in found[0].hypotheses[0]]


def token(id):
    """Returns what stands for an id in CTranslate2's vocabulary."""
    return SPECIAL[id] if id < len(SPECIAL) else str(id)


def make_spec(model):
    """Returns CTranslate2's description of a model, with its weights."""
    encoder = model.get_layer("encoder").get_layer("transformer_encoder")
    decoder = model.get_layer("decoder")
    first = encoder.blocks[0]
    spec = TransformerSpec.from_config(
        (len(encoder.blocks), len(decoder.blocks)),
        first.attention.num_heads,
        pre_norm=first.normalize_first,
        activation=Activation.RELU,
    )
    for side, layer in ((spec.encoder, encoder), (spec.decoder, decoder)):
        for found, block in zip(side.layer, layer.blocks, strict=True):
            set_attention(found.self_attention, block.attention, block.attention_normalization)
            set_linear(found.ffn.linear_0, block.feed_forward.hidden_projection)
            set_linear(found.ffn.linear_1, block.feed_forward.output_projection)
            set_normalization(found.ffn.layer_norm, block.feed_forward_normalization)
        size = layer.embedding.output_dim
        side.position_encodings.encodings = array(sinusoids(np.arange(POSITIONS), size))
        if first.normalize_first:
            set_normalization(side.layer_norm, layer.normalization)
    for found, block in zip(spec.decoder.layer, decoder.blocks, strict=True):
        set_attention(found.attention, block.cross_attention, block.cross_normalization, True)
    spec.encoder.embeddings[0].weight = array(encoder.embedding.embeddings)
    spec.decoder.embeddings.weight = array(decoder.embedding.embeddings)
    spec.decoder.projection.weight = array(decoder.embedding.embeddings)
    spec.config.layer_norm_epsilon = first.epsilon
    for register, layer in (
        (spec.register_source_vocabulary, encoder),
        (spec.register_target_vocabulary, decoder),
    ):
        register([token(id) for id in range(layer.embedding.input_dim)])
    return spec


def set_attention(found, attention, normalization, crosses=False):
    """Sets an attention and its normalization."""
    names = ("query", "key", "value")
    query, key, value = (getattr(attention, f"{name}_projection") for name in names)
    groups = [[query], [key, value]] if crosses else [[query, key, value]]
    for linear, layers in zip(found.linear, [*groups, [attention.output_projection]], strict=True):
        set_linear(linear, *layers)
    set_normalization(found.layer_norm, normalization)


def set_linear(found, *layers):
    """Sets a product with the weights of layers side by side."""
    found.weight = np.concatenate([array(layer.kernel).T for layer in layers])
    found.bias = np.concatenate([array(layer.bias) for layer in layers])


def set_normalization(found, layer):
    """Sets a layer normalization."""
    found.gamma, found.beta = array(layer.gamma), array(layer.beta)


def array(tensor):
    """Returns a tensor as CTranslate2 takes it."""
    return np.ascontiguousarray(ops.convert_to_numpy(tensor))


if __name__ == "__main__":
    main(tyro.cli(Knobs, description=__doc__))
