"""What a Keras model that can draw gives on texts, program by program."""

import numpy as np

from kzoo.export.cases import Case
from kzoo.export.seq2seq_cases import Reference, TextCases

# Settings that all take part in choosing.
DRAWING = {
    "temperature": np.array(0.9, "float32"),
    "top_k": np.array(20, "int32"),
    "top_p": np.array(0.95, "float32"),
    "repetition_penalty": np.array(1.3, "float32"),
}


class SamplingReference(Reference):
    """Runs the programs of a model that can draw in TensorFlow, before any lowering.

    Args:
        programs: `kzoo.export.sampling_programs.SamplingPrograms`.
    """

    def cases(self, sources):
        """Returns the `TextCases` of sources, such as prompts, that begin with the batch axis."""
        cases = super().cases(sources)
        logits = next(x.expected["logits"] for _, x in cases.plain if "logits" in x.expected)
        rows = np.arange(len(sources), dtype="int32")
        remembered = {
            "generator": np.zeros((len(sources), 3), "int32"),
            "chosen": np.zeros_like(logits),
        }
        inputs = {"logits": logits, "seed": rows, **remembered, **DRAWING}
        drawn = Case(inputs, self.run("draw", *inputs.values()))
        again = inputs | {name: drawn.expected[f"next_{name}"] for name in remembered}
        # A language model judges what it reads, others what they write for what they read.
        name = self._programs.reading[1]
        scored = {"ids": sources}
        if len(self._programs.inputs["score"]) == 2:
            scored = {name: sources, "ids": cases.greedy.expected["ids"]}
        plain = [
            *cases.plain,
            ("draw", drawn),
            ("draw", Case(again, self.run("draw", *again.values()))),
            ("score", Case(scored, self.run("score", *scored.values()))),
        ]
        return TextCases(plain, {**cases.searches, "sample": self.draw_again(sources, rows)})

    def draw_again(self, sources, seed):
        """Returns the `Case` of `sample` with one seed a row."""
        inputs = {self._programs.reading[1]: sources, "seed": seed, **DRAWING}
        return Case(inputs, self.run("sample", *inputs.values()))
