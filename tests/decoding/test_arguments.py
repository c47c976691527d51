"""Whatever is wrong with an argument is said, with what was expected and what came."""

import numpy as np
import pytest
from keras import ops

from kzoo.decoding import (
    beam_search,
    gnmt_length_penalty,
    greedy,
    sample,
    score,
    simple_length_penalty,
)


def good(ids, state):
    return ops.zeros((2, 4)), state


STATE = (np.zeros((2, 3), "float32"),)


def call(function, step=good, state=STATE, start_ids=(0, 0), end_id=1, max_length=3, **options):
    return function(step, state, np.array(start_ids), end_id, max_length, **options)


WRONG = [
    ({"step": "step"}, "`step` must be a function"),
    ({"step": lambda ids, s: ops.zeros((2, 4))}, r"return the tuple \(logits, state\)"),
    ({"step": lambda ids, s: (ops.zeros((2, 4)), s, s)}, "Received: 3"),
    ({"step": lambda ids, s: (ops.zeros((2, 4, 1)), s)}, "logits"),
    ({"step": lambda ids, s: (ops.zeros((2, 1)), s)}, "two ids or more"),
    ({"step": lambda ids, s: (ops.zeros((2, 4)), ())}, "state like the one"),
    ({"step": lambda ids, s: (ops.zeros((2, 4)), (ops.zeros((2, 3), "int32"),))}, "int32"),
    ({"source_mask": np.ones((2, 5), bool)}, "alignments where"),
    ({"source_mask": np.ones((2, 5), "int32")}, "`source_mask` must be bool"),
    ({"source_mask": np.ones((3, 5), bool)}, r"`source_mask` must be bool of shape \(2, source\)"),
    ({"state": (np.zeros((3, 2)),)}, "begin with the batch axis"),
    ({"state": (np.zeros(()),)}, "begin with the batch axis"),
    ({"start_ids": (0.0, 1.0)}, "`start_ids` must be int"),
    ({"start_ids": ((0, 1),)}, r"of shape \(batch\)"),
    ({"end_id": 4}, "`end_id` must be in the vocabulary of 4 ids"),
    ({"end_id": -1}, "`end_id` must be an integer of at least 0"),
    ({"end_id": 1.0}, "`end_id` must be an integer"),
    ({"max_length": 0}, "`max_length` must be an integer of at least 1"),
    ({"max_length": 2.5}, "`max_length`"),
    ({"max_length": True}, "`max_length`"),
    ({"pad_id": None}, "`pad_id`"),
    ({"min_length": -1}, "`min_length` must be an integer from 0 to 3"),
    ({"min_length": 4}, "`min_length` must be an integer from 0 to 3"),
    ({"banned_ids": 3}, "`banned_ids`"),
    ({"banned_ids": [-1]}, "`banned_ids`"),
    ({"banned_ids": [2, 2]}, "`banned_ids` must hold different ids"),
    ({"banned_ids": [1]}, "must not hold the end id 1"),
    ({"banned_ids": [0, 2, 3]}, "leave one beside the end id"),
    ({"banned_ids": [4]}, "`banned_ids` must be in the vocabulary of 4"),
]


@pytest.mark.parametrize("function", [greedy, sample, beam_search])
def test_what_all_refuse(function):
    for options, message in WRONG:
        with pytest.raises(ValueError, match=message):
            call(function, **options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"temperature": 0}, "`temperature` must be a number above 0"),
        ({"temperature": float("nan")}, "`temperature`"),
        ({"temperature": "hot"}, "`temperature`"),
        ({"top_k": 0}, "`top_k` must be an integer of at least 1"),
        ({"top_p": 0.0}, r"`top_p` must be a number in \(0, 1\]"),
        ({"top_p": 1.1}, "`top_p`"),
        ({"repetition_penalty": 0}, "`repetition_penalty` must be a number above 0"),
        ({"seed": -1}, "`seed` must be an integer of at least 0"),
        ({"seed": 2**31}, "`seed`"),
        ({"seed": None}, "`seed`"),
        ({"seed": [1.0, 2.0]}, "`seed` must be int"),
        ({"seed": [1, 2, 3]}, r"`seed` must be int of shape \(2\)"),
    ],
)
def test_what_sampling_refuses(options, message):
    with pytest.raises(ValueError, match=message):
        call(sample, **options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"num_beams": 0}, "`num_beams` must be an integer of at least 1"),
        ({"num_results": 5}, "`num_results` must be an integer from 1 to 4"),
        ({"num_groups": 5}, "`num_groups` must be an integer from 1 to 4"),
        ({"num_groups": 3}, "`num_groups` must divide num_beams=4"),
        ({"diversity_penalty": -1}, "`diversity_penalty` must be a number of at least 0"),
        ({"diversity_penalty": 1.0}, "needs groups"),
        ({"coverage_penalty": -0.1}, "`coverage_penalty` must be a number of at least 0"),
        ({"coverage_penalty": 0.1}, "`coverage_penalty` needs a `source_mask`"),
        ({"length_penalty": 0.6}, "`length_penalty` must be a function"),
        ({"early_stopping": "yes"}, "`early_stopping` must be True or False"),
    ],
)
def test_what_beam_search_refuses(options, message):
    with pytest.raises(ValueError, match=message):
        call(beam_search, **options)


@pytest.mark.parametrize("penalty", [gnmt_length_penalty, simple_length_penalty])
@pytest.mark.parametrize("alpha", [-0.1, None, float("inf")])
def test_what_length_penalties_refuse(penalty, alpha):
    with pytest.raises(ValueError, match="`alpha` must be a number of at least 0"):
        penalty(alpha)


@pytest.mark.parametrize(
    ("ids", "lengths", "message"),
    [
        ([0, 1], [1, 1], r"`ids` must be int of shape \(2, time\)"),
        ([[0.0], [1.0]], [1, 1], "`ids` must be int"),
        ([[0], [1]], [1], r"`lengths` must be int of shape \(2\)"),
    ],
)
def test_what_score_refuses(ids, lengths, message):
    with pytest.raises(ValueError, match=message):
        score(good, STATE, [0, 0], np.array(ids), np.array(lengths))
