"""What the Keras language model gives on prompts, program by program."""

import numpy as np

from kzoo.export.cases import Case
from kzoo.export.seq2seq_cases import Reference, TextCases, cut_batches

SEED = 0
# Rows and time steps of random prompts.
RANDOM_SHAPES = ((1, 3), (5, 20))
# Settings that all take part in choosing.
DRAWING = {
    "temperature": np.array(0.9, "float32"),
    "top_k": np.array(20, "int32"),
    "top_p": np.array(0.95, "float32"),
}


class LanguageReference(Reference):
    """Runs the programs of a language model in TensorFlow, before any lowering.

    Args:
        programs: `kzoo.export.language_programs.LanguagePrograms`.
    """

    def cases(self, ids):
        """Returns the `TextCases` of prompts, int32 `(batch, time)`."""
        cases = super().cases(ids)
        logits = cases.plain[0][1].expected["logits"]
        rows = np.arange(len(ids), dtype="int32")
        generator = np.zeros((len(ids), 3), "int32")
        inputs = {"logits": logits, "seed": rows, "generator": generator, **DRAWING}
        drawn = Case(inputs, self.run("draw", *inputs.values()))
        again = {**inputs, "generator": drawn.expected["next_generator"]}
        plain = [
            *cases.plain,
            ("draw", drawn),
            ("draw", Case(again, self.run("draw", *again.values()))),
            ("score", Case({"ids": ids}, self.run("score", ids))),
        ]
        return TextCases(plain, {**cases.searches, "sample": self.draw_again(ids, rows)})

    def draw_again(self, ids, seed):
        """Returns the `Case` of `sample` with one seed a row."""
        inputs = {"prompt_ids": ids, "seed": seed, **DRAWING}
        return Case(inputs, self.run("sample", *inputs.values()))


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
