"""The prompts that the file of a language model is compared on."""

import numpy as np

from kzoo.export.sampling_cases import SamplingReference
from kzoo.export.seq2seq_cases import cut_batches

SEED = 0
# Rows and time steps of random prompts.
RANDOM_SHAPES = ((1, 3), (5, 20))


def language_cases(programs, inputs):
    """Return the `SamplingReference` of `LanguagePrograms`, and its cases; see `make_prompts`."""
    reference = SamplingReference(programs)
    prompts = make_prompts(inputs, programs.vocabulary_size, programs.max_prompt_length)
    return reference, [reference.cases(ids) for ids in prompts]


def make_prompts(inputs, vocabulary_size, limit=None):
    """Batches of real prompts, or of random ones, some of them padded on the right.

    Args:
        inputs: ids `(rows, time)` padded with 0, or None.
        vocabulary_size: number of ids.
        limit: the longest prompt, or None.

    Returns:
        List of int32 `(batch, time)`; the first one has a single row.
    """
    if inputs is not None:
        return cut_batches(inputs, limit)
    random = np.random.default_rng(SEED)
    batches = []
    for rows, longest in RANDOM_SHAPES:
        time = min(longest, limit or longest)
        ids = random.integers(1, vocabulary_size, (rows, time)).astype("int32")
        for row in range(rows):
            ids[row, time - time * row // (2 * rows) :] = 0
        batches.append(ids)
    return batches
