"""Searching, measuring and drawing: beside plain Python, and on real Korean text."""

import warnings

import keras
import numpy as np
import pytest
from matplotlib import pyplot

import kzoo
from kzoo.data import TextPairs
from kzoo.decoding import beam_search, gnmt_length_penalty, greedy
from kzoo.models import Seq2SeqSteps
from kzoo.recipes.parts import generation, heat_maps, measures, report
from kzoo.text import SentencePieceTokenizer, WordTokenizer

SENTENCES = ["나는 학교에 간다.", "너는 밥을 먹는다.", "우리는 집에 있다.", ""]


@pytest.fixture(scope="module")
def tokenizer():
    texts = kzoo.data.load_translation("translation_ko_en").train.sources
    return SentencePieceTokenizer.train(texts, 1200)


@pytest.fixture(scope="module")
def model(tokenizer):
    keras.utils.set_random_seed(3)
    sizes = dict(source_vocabulary_size=1200, target_vocabulary_size=tokenizer.vocabulary_size)
    model = kzoo.create_model("seq2seq_gru_bahdanau", embedding_dim=8, units=8, **sizes)
    # Large weights, so that sentences differ in what is written for them.
    for weight in model.trainable_variables:
        weight.assign(keras.random.normal(weight.shape, stddev=0.9, seed=len(weight.shape)))
    return model


def test_the_writer_gives_what_greedy_search_gives_for_each_text_alone(model, tokenizer):
    writer = generation.Writer(model, (tokenizer, tokenizer), max_length=12, length_penalty=0.6)
    steps = Seq2SeqSteps(model)
    expected = []
    for text in SENTENCES:
        state, _ = steps.begin(tokenizer([text]))
        ids = greedy(steps.step, state, [2], 3, 12, banned_ids=(0, 1, 2)).ids
        expected.append(tokenizer.detokenize(keras.ops.convert_to_numpy(ids)[0]))
    assert writer(SENTENCES) == expected
    assert writer(SENTENCES, batch_size=1) == expected
    assert len(set(expected)) > 1
    assert writer([]) == []


def test_each_width_of_the_beam_is_a_search_of_its_own(model, tokenizer):
    writer = generation.Writer(model, (tokenizer, tokenizer), max_length=12, length_penalty=0.9)
    steps = Seq2SeqSteps(model)
    expected = []
    for text in SENTENCES:
        state, _ = steps.begin(tokenizer([text]))
        options = dict(num_beams=6, length_penalty=gnmt_length_penalty(0.9))
        found = beam_search(steps.step, state, [2], 3, 12, banned_ids=(0, 1, 2), **options)
        expected.append(tokenizer.detokenize(keras.ops.convert_to_numpy(found.ids)[0, 0]))
    narrow = writer(SENTENCES)
    assert writer(SENTENCES, num_beams=6) == expected != narrow
    assert writer(SENTENCES) == narrow


def test_alignments_are_shares_of_the_source(model, tokenizer):
    source = tokenizer.tokenize(SENTENCES[0])
    ids, weights = heat_maps.alignments(model, source, max_length=7)
    assert weights.shape == (len(ids), len(source))
    assert 1 <= len(ids) <= 7
    np.testing.assert_allclose(weights.sum(axis=1), 1, rtol=1e-5)


def test_heat_maps_are_drawn_with_every_character(model, tokenizer, tmp_path):
    sources = [tokenizer.tokenize(text) for text in SENTENCES[:3]]
    with warnings.catch_warnings():
        # A character that no font has is a warning.
        warnings.simplefilter("error")
        heat_maps.plot(model, sources, (tokenizer, tokenizer), tmp_path / "attention.png")
    picture = pyplot.imread(tmp_path / "attention.png")
    assert picture.shape[0] > 500
    # The fourth quarter is empty.
    assert picture[-300:, -300:, :3].min() == 1
    assert picture[:300, :300, :3].min() < 0.5


def test_the_font_has_all_hangul():
    every = "".join(map(chr, [*range(0xAC00, 0xD7A4), *range(0x3131, 0x3164)]))
    figure = pyplot.figure()
    figure.text(0, 0, every + "éß▁")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure.canvas.draw()
        figure.text(0, 0, "漢")
        with pytest.raises(UserWarning, match="missing from font"):
            figure.canvas.draw()
    pyplot.close(figure)
    assert pyplot.rcParams["font.family"] == ["DejaVu Sans", "kzoo Hangul"]


def test_sampled_pieces_depend_on_seed_and_epoch_alone(tokenizer):
    draw = generation.tokenize(tokenizer, SENTENCES * 5, alpha=0.1, seed=4)
    first, second = draw(0), draw(1)
    assert first != second
    assert draw(0) == first
    assert generation.tokenize(tokenizer, SENTENCES * 5, alpha=0.1, seed=5)(0) != first
    texts = [tokenizer.detokenize(ids) for ids in first]
    assert texts == SENTENCES * 5
    assert generation.tokenize(tokenizer, SENTENCES) == list(map(tokenizer.tokenize, SENTENCES))


def test_only_sentence_pieces_are_sampled():
    words = WordTokenizer.train(SENTENCES, 50)
    with pytest.raises(ValueError, match="`subword_sampling` needs the tokenizer 'sentence_piece'"):
        generation.tokenize(words, SENTENCES, alpha=0.1)


def test_bleu_is_cased_and_the_words_are_not():
    references = ["The cat is on the mat, of course.", "It's raining again today."]
    scores = measures.translation_scores([text.upper() for text in references], references)
    assert float(scores["BLEU"]) < 20
    assert scores["BLEU, words"] == "100.00"
    assert measures.bleu(references, references) == pytest.approx(100)
    # Detokenized and tokenized punctuation are the same to 13a.
    spaced = [text.replace(",", " ,").replace(".", " .") for text in references]
    assert measures.translation_scores(spaced, references)["BLEU"] == "100.00"


def test_bleu_equals_the_formula():
    """Papineni et al. 2002: 5 of 6 words, 3 of 5, 2 of 4 and 1 of 3 n-grams, equally long."""
    score = measures.bleu(["a b c d x f"], ["a b c d e f"])
    assert score == pytest.approx(100 * (5 / 6 * 3 / 5 * 2 / 4 * 1 / 3) ** 0.25)


def test_notes_name_the_signatures():
    notes = measures.translation_notes()
    assert len(notes) == 3
    assert "case:mixed|eff:no|tok:13a|smooth:exp|version:" in notes[0]
    assert "lowercased text" in notes[1]
    assert "tok:none" in notes[1]


@pytest.mark.parametrize(
    ("answer", "reference", "expected"),
    [
        ("", "", 100),
        ("", "네", 0),
        ("밥을 먹어요", "밥을 먹어요", 100),
        ("a a b", "a b b", 100 * 2 / 3),
        ("The END.", "the end", 80),
    ],
)
def test_token_f1_compares_bags_of_words(answer, reference, expected):
    assert measures.token_f1([answer], [reference]) == pytest.approx(expected)


def test_the_nearest_source_is_found_in_every_block():
    train = TextPairs([f"sentence number {n}" for n in range(30)], [str(n) for n in range(30)])
    sources = [f"number {n}" for n in range(29, 9, -1)]
    expected = [str(n) for n in range(29, 9, -1)]
    assert measures.nearest_targets(train, sources, batch_size=7) == expected


def test_a_measure_is_logged_for_later_callbacks():
    class Read(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            seen.append(logs["val_bleu"])

    seen, values = [], iter([1.5, 2.5])
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    callbacks = [generation.Measure("val_bleu", lambda: next(values)), Read()]
    history = model.fit(np.ones((2, 1)), np.ones((2, 1)), epochs=2, callbacks=callbacks, verbose=0)
    assert seen == history.history["val_bleu"] == [1.5, 2.5]


def test_curves_may_be_logged_of_validation_alone(tmp_path):
    history = [{"loss": 2.0, "val_loss": 3.0, "val_bleu": 1.0}]
    report.plot_learning_curve([history], ("loss", "bleu"), tmp_path / "curve.png")
    assert (tmp_path / "curve.png").read_bytes()[:4] == b"\x89PNG"


def test_what_a_model_writes_is_no_markup(capsys):
    """A "[/b]" among samples had ended a run in its last minute; "[unk]" was not to be seen."""
    report.print_table("of [data]", [{"written": "a[/b] [unk] :cat:"}])
    shown = capsys.readouterr().out
    assert "of [data]" in shown
    assert "a[/b] [unk] :cat:" in shown
