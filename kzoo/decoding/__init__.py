"""Decoding: greedy search, sampling, beam search and scoring over a step function.

A step function is `step(ids, state) -> (logits, state)`: ids are int32 `(batch,)`, the ids chosen
last; logits are `(batch, vocabulary)`; state is a tree of tensors that begin with the batch axis.
It is a pure function that treats each row by itself, and all that decoding knows of a model. A
tensor of the state that it hands back untouched, as an encoder's outputs, costs a step nothing.

What has no step function, as each frame stands alone, is read out by `ctc_greedy` and
`ctc_beam_search`.
"""

from kzoo.decoding.beams import beam_search
from kzoo.decoding.ctc import ctc_beam_search, ctc_greedy
from kzoo.decoding.greedy_search import greedy
from kzoo.decoding.length_penalties import gnmt_length_penalty, simple_length_penalty
from kzoo.decoding.result import Decoded
from kzoo.decoding.sampling import sample
from kzoo.decoding.scoring import score

__all__ = [
    "Decoded",
    "beam_search",
    "ctc_beam_search",
    "ctc_greedy",
    "gnmt_length_penalty",
    "greedy",
    "sample",
    "score",
    "simple_length_penalty",
]
