"""The graph path gives the ids of the Python path, for every string there is."""

import functools
import time

import keras
import numpy as np
import pytest
import tensorflow as tf

from kzoo.text import BertTokenizer, SentencePieceTokenizer
from tests.text.samples import CONFIGURATIONS, LONG, TORTURE, random_lines, real_lines, trained

BERT = {
    "bert": {},
    "bert with accents": {"strip_accents": False},
    "bert cased": {"lowercase": False, "split_chinese": False, "max_length": 40},
}


@functools.cache
def trained_bert(configuration):
    return BertTokenizer.train(real_lines(), 3000, **BERT[configuration])


@pytest.fixture(params=[*CONFIGURATIONS, *BERT])
def tokenizer(request):
    return (trained_bert if request.param in BERT else trained)(request.param)


def assert_same_ids(tokenizer, texts):
    graph = tokenizer.tokenize_graph(tf.constant(texts))
    assert graph.dtype == tf.int32
    for text, ids in zip(texts, graph.to_list(), strict=True):
        assert ids == tokenizer.tokenize(text), f"{text[:80]!r}"


def assert_same_arrays(found, expected):
    tf.nest.assert_same_structure(found, expected)
    for x, array in zip(tf.nest.flatten(found), tf.nest.flatten(expected), strict=True):
        assert x.dtype == array.dtype
        np.testing.assert_array_equal(x, array)


def test_real_lines(tokenizer):
    assert_same_ids(tokenizer, real_lines())


def test_torture(tokenizer):
    assert_same_ids(tokenizer, TORTURE)


def test_random_strings(tokenizer):
    assert_same_ids(tokenizer, random_lines(1500))


def test_every_code_point_of_the_alphabets(tokenizer):
    # Beyond plane 1 there are ideographs and private use only, and a few odd ones at these edges.
    codes = [*range(0xD800), *range(0xE000, 0x20000), *range(0x20000, 0x110000, 251)]
    codes += [*range(0x2F800, 0x2FA20), *range(0xE0000, 0xE0200), 0x10FFFF]
    blocks = [codes[i : i + 64] for i in range(0, len(codes), 64)]
    assert_same_ids(tokenizer, ["a".join(map(chr, block)) for block in blocks])


@pytest.mark.parametrize("length", [1, 99, 100, 101, 199, 200, 201, 400, 401, 5000])
def test_runs_around_the_limits(tokenizer, length):
    texts = ["".join(real_lines()).replace(" ", "")[offset:][:length] for offset in range(0, 90, 9)]
    assert_same_ids(tokenizer, [*texts, "a" * length, "!" * length, "👍" * length])


@pytest.mark.parametrize("text", LONG)
def test_a_megabyte_beside_a_short_text(tokenizer, text):
    begin = time.process_time()
    assert_same_ids(tokenizer, ["", LONG[text], "a"])
    assert time.process_time() - begin < 15  # about one second; quadratic time would take minutes


def test_a_long_real_text(tokenizer):
    assert_same_ids(tokenizer, [" ".join(real_lines()) * 4, "".join(real_lines())])


def test_invalid_utf8_becomes_the_replacement_character(tokenizer):
    texts = [b"\xff\xfe a", b"\xed\xa0\x80 b", b"\xe4\xb8", b"a\x80\x80b", b"\xf8\x88\x80\x80\x80"]
    ids = tokenizer.tokenize_graph(tf.constant(texts)).to_list()
    assert ids == [tokenizer.tokenize(text.decode(errors="replace")) for text in texts]


def test_empty_batch(tokenizer):
    assert tokenizer.tokenize_graph(tf.zeros([0], tf.string)).to_list() == []


def test_saved_model(tokenizer, tmp_path):
    module = tf.Module()
    module.tokenizer = tokenizer.graph_module
    module.serve = tf.function(
        tokenizer.call_graph, input_signature=[tf.TensorSpec([None], tf.string)]
    )
    tf.saved_model.save(module, str(tmp_path))
    loaded = tf.saved_model.load(str(tmp_path))
    texts = TORTURE + real_lines()[::20]
    assert_same_arrays(loaded.serve(tf.constant(texts)), tokenizer(texts))


@pytest.mark.parametrize("configuration", ["bpe", "unigram"])
def test_outlives_the_session(configuration):
    tokenizer, texts = trained(configuration), TORTURE[:9]
    tokenizer.call_graph(tf.constant(texts))
    keras.utils.clear_session()
    assert_same_arrays(tokenizer.call_graph(tf.constant(texts)), tokenizer(texts))


def test_two_of_byte_pairs_in_one_saved_model_keep_apart(tmp_path):
    texts, module = ["quick good dog", ""], tf.Module()
    corpora = ["a good film", "the film was good"], ["zebra crossing quick", "jump over lazy dog"]
    tokenizers = [SentencePieceTokenizer.train(c * 20, 40, algorithm="bpe") for c in corpora]
    module.parts = [tokenizer.graph_module for tokenizer in tokenizers]
    module.serve = tf.function(
        lambda texts: [tokenizer.call_graph(texts) for tokenizer in tokenizers],
        input_signature=[tf.TensorSpec([None], tf.string)],
    )
    tf.saved_model.save(module, str(tmp_path))
    loaded = tf.saved_model.load(str(tmp_path))
    for found, tokenizer in zip(loaded.serve(tf.constant(texts)), tokenizers, strict=True):
        assert_same_arrays(found, tokenizer(texts))


@pytest.mark.parametrize("max_length", [None, 2, 7])
def test_a_call(tokenizer, max_length):
    for texts in (["", ""], ["good", "정말 재미있는 영화였어요 " * 30, "", "🎬 ꟀА"]):
        found = tokenizer.call_graph(tf.constant(texts), max_length)
        assert_same_arrays(found, tokenizer(texts, max_length=max_length))


def test_inside_a_data_pipeline(tokenizer):
    texts = real_lines()[:8]
    rows = tf.data.Dataset.from_tensor_slices(texts).batch(4).map(tokenizer.tokenize_graph)
    assert [ids for batch in rows for ids in batch.to_list()] == list(
        map(tokenizer.tokenize, texts)
    )


@pytest.mark.parametrize("texts", [tf.constant("scalar"), tf.constant([["a"]]), tf.constant([1])])
def test_other_tensors_are_refused(tokenizer, texts):
    with pytest.raises(ValueError, match="texts: expected a string tensor"):
        tokenizer.tokenize_graph(texts)
