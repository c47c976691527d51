"""Without an end id every row has the maximum length."""

import itertools

import numpy as np
from keras import ops

from kzoo.decoding import beam_search, greedy, sample
from tests.decoding.steps import END, markov, numpy, walk


def test_greedy_goes_on_after_what_ended_a_row():
    tables, step, state, start = markov(8, 4, seed=0)
    assert numpy(greedy(step, state, start, END, 6).lengths).min() < 6
    decoded = greedy(step, state, start, None, 6)
    assert numpy(decoded.lengths).tolist() == [6] * 8
    for row, ids in enumerate(numpy(decoded.ids).tolist()):
        for t in range(6):
            others = [walk(tables[row], start[row], [*ids[:t], new])[-1] for new in range(4)]
            assert np.argmax(others) == ids[t]


def test_beam_search_finds_the_best_of_all_texts_of_that_length():
    tables, step, state, start = markov(3, 4, seed=1)
    decoded = beam_search(step, state, start, None, 3, num_beams=16)
    assert (numpy(decoded.lengths) == 3).all()
    for row in range(3):
        texts = [list(ids) for ids in itertools.product(range(4), repeat=3)]
        texts.sort(key=lambda ids, row=row: -sum(walk(tables[row], start[row], ids)))
        assert numpy(decoded.ids)[row].tolist() == texts[:16]


def test_sampling_and_a_top_k_that_is_a_tensor():
    _, step, state, start = markov(30, 6, seed=2)
    for top_k in (1, 3, 6, 9):
        options = dict(seed=4, top_p=0.9, temperature=1.3)
        fixed = sample(step, state, start, None, 7, top_k=top_k, **options)
        given = ops.convert_to_tensor(top_k, "int32")
        decoded = sample(step, state, start, None, 7, top_k=given, **options)
        np.testing.assert_array_equal(decoded.ids, fixed.ids)
        assert (numpy(decoded.lengths) == 7).all()
        # The id that ends a row elsewhere is one like the others.
        assert END in numpy(decoded.ids)
