"""What treats every step alone is streamed as it is: in taggers, and every such layer of kzoo."""

import keras
import numpy as np
import pytest
from keras import ops

import kzoo.layers
from kzoo.export import (
    PRECISIONS,
    ExportError,
    StreamingPredictor,
    export_streaming,
    streaming_model,
    zero_state,
)
from kzoo.export.streaming_graph import STEPWISE_LAYERS
from kzoo.export.verification import TOLERANCE
from kzoo.layers import (
    Attention,
    Cell,
    FeedForward,
    GRUCell,
    NearestRows,
    QuantileSpread,
    Recurrent,
    SubwordEmbedding,
    TokenDropout,
    ZeroMasked,
)
from kzoo.layers.bias import Bias
from kzoo.models import tag_decoder, tagger
from tests.export.streaming_inputs import IDS, TIME, VOCABULARY
from tests.weights import randomize

LETTERS = np.random.default_rng(1).integers(1, 9, (*IDS.shape, 5)).astype("int32")
LETTERS[np.arange(5) > IDS[..., None] % 5] = LETTERS[IDS == 0] = 0
INPUTS = {"words": IDS, "characters": LETTERS}
SPELLING = {
    "character_vocabulary_size": 9,
    "character_dim": 8,
    "character_units": 16,
    "character_order": 3,
    "character_ngram_dim": 4,
}
# Words alone, and words with their letters.
TAGGERS = {
    "lstm": {"cell": "lstm", "ngrams": {"max_order": 2, "num_buckets": 50}},
    "sru": {"cell": "sru", "num_layers": 2, **SPELLING, "character_encoder": "cnn"},
}
FILES = [(cell, precision) for cell in TAGGERS for precision in PRECISIONS]


def make(**options):
    """A causal tagger, and the inputs that it takes."""
    sizes = {"vocabulary_size": VOCABULARY, "num_tags": 4, "embedding_dim": 32, "units": 32}
    model = tagger(**sizes, head="softmax", bidirectional=False, **options)
    model = tag_decoder(randomize(model, scale=0.3))
    return model, {tensor.name: INPUTS[tensor.name] for tensor in model.inputs}


def run(step, inputs, chunk_size):
    """The outputs of a step model, chunk by chunk, put together."""
    count = len(step.outputs) - len(zero_state(step))
    state, parts = zero_state(step, len(IDS)), []
    for start in range(0, TIME, chunk_size):
        chunk = [ops.convert_to_tensor(x[:, start : start + chunk_size]) for x in inputs]
        outputs = step([*chunk, *state])
        parts.append([ops.convert_to_numpy(x) for x in outputs[:count]])
        state = outputs[count:]
    return [np.concatenate(part, axis=1) for part in zip(*parts, strict=True)]


@pytest.mark.parametrize("chunk_size", [1, 4])
@pytest.mark.parametrize(
    "options",
    [
        *TAGGERS.values(),
        {"cell": "gru", **SPELLING, "character_encoder": "lstm"},
        {"cell": "sru_plus_plus"},
    ],
    ids=[*TAGGERS, "gru", "sru_plus_plus"],
)
def test_a_causal_tagger_runs_while_the_words_come_in(options, chunk_size):
    model, inputs = make(**options)
    found = run(streaming_model(model, chunk_size), inputs.values(), chunk_size)
    expected = model(inputs)
    np.testing.assert_allclose(found[0], expected["probabilities"], atol=1e-5)
    np.testing.assert_array_equal(found[1], expected["tags"])


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A tagger, its inputs, and its verified step model, by cell and precision."""
    folder, found = tmp_path_factory.mktemp("taggers"), {}
    for cell, precision in FILES:
        model, inputs = make(**TAGGERS[cell])
        path = folder / f"{cell}_{precision}.tflite"
        verification = export_streaming(model, path, 1, precision, inputs=inputs, lengths=(9,))
        found[cell, precision] = model, inputs, verification
    return found


@pytest.mark.parametrize(("cell", "precision"), FILES)
def test_its_file_tags_word_by_word_in_every_precision(files, cell, precision):
    model, inputs, verification = files[cell, precision]
    assert verification.runtimes == ("Interpreter", "CompiledModel")
    assert verification.precision == precision
    kinds = {"float32": "FLOAT32", "float16": "FLOAT16", "dynamic": "INT8"}
    assert kinds[precision] in verification.constant_bytes
    predictor = StreamingPredictor(verification.path)
    parts = [
        predictor({name: x[:, step : step + 1] for name, x in inputs.items()})
        for step in range(TIME)
    ]
    found = np.concatenate([part["probabilities"] for part in parts], axis=1)
    expected = ops.convert_to_numpy(model(inputs)["probabilities"])
    np.testing.assert_allclose(found, expected, atol=TOLERANCE[precision])


def walk(features):
    return Recurrent(GRUCell(4), return_sequences=True)(features)


def of_words():
    ids = keras.Input((None,), dtype="int32")
    x = SubwordEmbedding(VOCABULARY, 4, num_buckets=50)(TokenDropout(0.5)(ids))
    return keras.Model(ids, NearestRows(6, 2)(walk(x)))


def of_features():
    x = inputs = keras.Input((None, 5))
    for layer in (keras.layers.Masking(), Bias(), FeedForward(8), ZeroMasked()):
        x = layer(x)
    return keras.Model(inputs, walk(x))


def of_forecasts():
    median, spreads = keras.Input((None,)), keras.Input((None, 2))
    return keras.Model([median, spreads], walk(QuantileSpread([0.1, 0.5, 0.9])(median, spreads)))


def tied():
    ids = keras.Input((None,), dtype="int32")
    embedding = keras.layers.ReversibleEmbedding(VOCABULARY, 4)
    return keras.Model(ids, embedding(walk(embedding(ids)), reverse=True))


@pytest.mark.parametrize("build", [of_words, of_features, of_forecasts, tied])
def test_what_treats_every_step_alone_is_streamed(build):
    model = randomize(build())
    rng = np.random.default_rng(2)
    for layer in model.layers:
        if isinstance(layer, NearestRows):
            layer.set_table(rng.normal(size=(6, 4)))
    inputs = [
        IDS if "int" in x.dtype else rng.normal(size=(*IDS.shape, *x.shape[2:])).astype("float32")
        for x in model.inputs
    ]
    inputs = [x * (IDS != 0)[(..., *[None] * (x.ndim - 2))] for x in inputs]
    found = run(streaming_model(model), inputs, 1)
    expected = keras.tree.flatten(model(inputs if len(inputs) > 1 else inputs[0]))
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


@pytest.mark.parametrize(("axis", "goes"), [(0, False), (1, False), (2, True), (-1, True)])
def test_a_new_axis_goes_behind_time(axis, goes):
    inputs = keras.Input((None, 4))
    model = keras.Model(inputs, ops.expand_dims(walk(inputs), axis))
    if goes:
        assert streaming_model(model).output_shape[0][1] == 1
    else:
        with pytest.raises(ExportError, match=r"'expand_dims.*' \(ExpandDims\) mixes time steps"):
            streaming_model(model)


def test_of_every_layer_it_is_known_whether_it_can_be_streamed():
    """A layer that is new must be named here, in `STEPWISE_LAYERS`, or be given a memory."""
    remember = """
        Changes Delay Highway LogMel NGramEmbedding NewSymbols Recurrent Residual SRUPlusPlus
    """
    mix = """
        AttentionPooling Bidirectional CRF LearnedPositions LengthMasking Marginals MaxPooling
        MeanPooling MultiHeadAttention RecurrentDecoder SinusoidalPositions TakeSteps
        TransformerDecoder TransformerDecoderBlock TransformerEncoder TransformerEncoderBlock
        Viterbi
    """
    layers = [getattr(kzoo.layers, name) for name in kzoo.layers.__all__]
    layers = {x for x in layers if isinstance(x, type) and issubclass(x, keras.layers.Layer)}
    layers = {x for x in layers - set(STEPWISE_LAYERS) if not issubclass(x, (Attention, Cell))}
    assert {x.__name__ for x in layers} == {*remember.split(), *mix.split()}
