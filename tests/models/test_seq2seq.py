"""Encoder-decoders: presets, the step beside the walk, padding, and decoding."""

import keras
import numpy as np
import pytest
from keras import ops

import kzoo
from kzoo.decoding import beam_search, greedy
from kzoo.models import ATTENTIONS, Seq2SeqSteps, seq2seq

SOURCE = np.array([[4, 5, 6, 7, 0], [8, 9, 0, 0, 0], [0, 0, 0, 0, 0]], "int32")
TARGET = np.array([[2, 5, 7, 6], [2, 9, 9, 0], [2, 0, 0, 0]], "int32")
SIZES = {"source_vocabulary_size": 12, "target_vocabulary_size": 11, "embedding_dim": 6, "units": 8}
START, END = 2, 3

CASES = {
    "context_vector": dict(cell="lstm", attention=None, bidirectional=False),
    "context_vector_stacked": dict(cell="sru", attention=None, num_layers=2),
    "context_in_every_step": dict(cell="lstm", attention=None, feed_context=True, num_layers=2),
    "two_tables": dict(cell="lstm", num_layers=3, tie_embeddings=False),
    "one_direction": dict(cell="gru", attention="luong_dot", bidirectional=False),
    **{
        name: dict(cell="gru", attention=name, num_layers=2)
        for name in ATTENTIONS
        if name != "luong_dot"
    },
}


def make(name):
    """Returns a model of a case with random weights, biases included."""
    model = seq2seq(**SIZES, **CASES[name])
    rng = np.random.default_rng(3)
    for weight in model.trainable_weights:
        weight.assign(rng.normal(scale=0.5, size=weight.shape))
    return model


def logits(model, source, target):
    """Returns the logits of the walk."""
    return ops.convert_to_numpy(model({"source_ids": source, "target_ids": target}))


def test_every_preset_is_under_test():
    families = ["text", "sequence", "tagger", "forecaster", "regressor", "labeller", "anomaly"]
    families += ["seq2seq", "transformer", "language", "bert", "captioner", "vector_to_sequence"]
    families += ["ctc", "skip_gram", "cbow", "fast_text", "glove", "nnlm"]
    tested = [name for family in families for name in kzoo.list_models(f"{family}*")]
    assert sorted(tested) == kzoo.list_models()


@pytest.mark.parametrize("name", kzoo.list_models("seq2seq_*"))
def test_preset_trains_saves_and_loads(name, tmp_path):
    model = kzoo.create_model(name, dropout=0.0, **SIZES)
    inputs = {"source_ids": SOURCE, "target_ids": TARGET}
    labels, weights = np.roll(TARGET, -1, axis=1), (TARGET > 0).astype("float32")
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.05), loss, weighted_metrics=[])
    history = model.fit(inputs, labels, sample_weight=weights, epochs=8, verbose=0).history
    assert history["loss"][-1] < 0.9 * history["loss"][0]
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(logits(loaded, SOURCE, TARGET), logits(model, SOURCE, TARGET))


def stepped(model):
    """Returns the logits of the steps."""
    steps = Seq2SeqSteps(model)
    state, _ = steps.begin(SOURCE)
    found = []
    for t in range(TARGET.shape[1]):
        one, state = steps.step(TARGET[:, t], state)
        found.append(ops.convert_to_numpy(one))
    return np.stack(found, axis=1)


@pytest.mark.parametrize("name", CASES)
def test_steps_equal_the_walk(name):
    model = make(name)
    walked = logits(model, SOURCE, TARGET)
    assert walked.std() > 0.1
    np.testing.assert_allclose(stepped(model), walked, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["context_in_every_step", "luong_local_monotonic"])
def test_steps_equal_the_walk_in_half_precision(name):
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_float16")
    try:
        model = make(name)
    finally:
        keras.config.set_dtype_policy(policy)
    found, walked = stepped(model), logits(model, SOURCE, TARGET)
    assert found.dtype == walked.dtype == "float16"
    np.testing.assert_allclose(found, walked, atol=0.02 * np.abs(walked).max())


@pytest.mark.parametrize("name", CASES)
def test_padding_and_batch_change_nothing(name):
    model = make(name)
    together = logits(model, SOURCE, TARGET)
    alone = logits(model, SOURCE[1:2, :2], TARGET[1:2, :2])
    np.testing.assert_allclose(together[1:2, :2], alone, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["context_vector", "bahdanau"])
def test_greedy_and_beam_give_in_a_batch_what_they_give_alone(name):
    steps = Seq2SeqSteps(make(name))

    def decode(source):
        state, _ = steps.begin(source)
        start = np.full(len(source), START)
        found = greedy(steps.step, state, start, END, 7)
        beams = beam_search(steps.step, state, start, END, 7, num_beams=3)
        return [ops.convert_to_numpy(x) for x in (found.ids, beams.ids, beams.scores)]

    for together, alone in zip(decode(SOURCE), decode(SOURCE[1:2, :2]), strict=True):
        np.testing.assert_allclose(together[1:2], alone, rtol=1e-4)


def test_the_context_reaches_every_step_by_itself():
    """Other ids before, other states: what the first state says still enters the last step."""
    model = seq2seq(**SIZES, cell="simple_rnn", attention=None, feed_context=True)
    decoder = model.get_layer("decoder")
    cell = decoder.cells[0]
    cell.recurrent_kernel.assign(np.zeros(cell.recurrent_kernel.shape))
    contexts = [np.full((1, 8), value, "float32") for value in (0.1, 0.9)]
    one, other = (decoder(TARGET[:1], initial_state=[context]) for context in contexts)
    assert (np.abs(ops.convert_to_numpy(one - other))[0].max(-1) > 1e-4).all()
    with pytest.raises(ValueError, match="`initial_state` is needed with `feed_context`"):
        decoder(TARGET[:1])


def test_alignments_are_shares_of_the_source_without_padding():
    steps = Seq2SeqSteps(make("bahdanau"))
    state, mask = steps.begin(SOURCE[:2])
    found = greedy(steps.attend, state, [START, START], END, 4, min_length=4, source_mask=mask)
    alignments = ops.convert_to_numpy(found.alignments)
    np.testing.assert_allclose(alignments.sum(-1), 1, rtol=1e-5)
    assert not alignments[1, :, 2:].any()
    assert alignments[0].std() > 0


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (dict(units=0), "`units` must be a positive integer"),
        (dict(cell="lstn"), "`cell` must be one of"),
        (dict(attention="bahdanow"), "`attention` must be None or one of"),
        (dict(feed_context=True), "`feed_context` needs `cells` without attention"),
        (dict(attention="luong_dot", bidirectional=True), "`units` must be the width of the val"),
    ],
)
def test_wrong_arguments(wrong, message):
    with pytest.raises(ValueError, match=message):
        seq2seq(**{**SIZES, **wrong})
