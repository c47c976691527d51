"""Train a chatbot, measure it by perplexity and token F1, and hand it over.

Without arguments it learns to answer from the Korean questions that come with kzoo. All it writes
is in the run folder; run the same command again after an interruption and it goes on where it
stopped.
"""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import keras

import kzoo
from kzoo.export import Seq2SeqPredictor
from kzoo.recipes.parts import (
    command_line,
    generation,
    heat_maps,
    measures,
    report,
    run_folder,
    seq2seq_files,
)
from kzoo.text import TOKENIZERS
from kzoo.training import PairBatches, Resume


@dataclass
class Knobs:
    """What can be set from the command line."""

    dataset: str = "chatbot_ko"  # Data set, one of kzoo.data.list_dialogues().
    data: Path | None = None  # Folder of the full data sets; the embedded one needs none.
    out: Path | None = None  # Run folder; by default runs/chatbot/DATASET.
    model: str = "seq2seq_gru_bahdanau"  # Preset, or a word of its name, such as transformer.
    tokenizer: Literal[tuple(TOKENIZERS)] = "sentence_piece"  # Kind of tokens.
    vocabulary_size: int = 2000  # Number of token ids at most.
    lowercase: bool = False  # Whether upper case is folded to lower case.
    subword_sampling: float = 0.0  # Above 0, sentence_piece draws other pieces in every epoch.
    max_length: int = 32  # Tokens of a question or an answer; the rest is cut.
    embedding_dim: int = 128  # Width of the embeddings.
    units: int = 128  # Width of a recurrent layer, or of a Transformer's feed-forward networks.
    num_layers: int = 1  # Number of layers on either side.
    dropout: float = 0.1  # Fraction of features dropped.
    label_smoothing: float = 0.0  # Probability of a target that is spread over all ids.
    # Share of the words read by the decoder in training that are the model's own predictions in
    # place of the true ones; it grows from 0 to this over the run.
    scheduled_sampling: float = 0.0
    epochs: int = 5  # Epochs at most.
    patience: int = 2  # Epochs without a lower validation perplexity before training stops.
    batch_tokens: int = 384  # Padded ids in a batch, of the longer side.
    learning_rate: float = 3e-3  # The highest; it falls to zero along a cosine.
    warmup_steps: int = 0  # Batches over which the learning rate grows from zero.
    clip_norm: float = 1.0  # Largest norm of all gradients together.
    num_beams: int = 4  # Width of the beam.
    length_penalty: float = 0.6  # Exponent of the GNMT length penalty of beam search.
    seed: int = 1  # Of weights, batches and dropout.


# Where a data set asks for other settings than the defaults; the command line overrides both.
SETTINGS = {
    "self_dialogue_en": dict(
        **dict(vocabulary_size=8000, max_length=64, embedding_dim=256, units=512, dropout=0.2),
        **dict(label_smoothing=0.1, epochs=3, batch_tokens=2048, learning_rate=1e-3),
    ),
}
MODELS = ("transformer_seq2seq_tiny", "*seq2seq*")  # Shell patterns of the presets.
QUESTIONS = {"chatbot_ko": ["안녕", "배고파", "오늘 너무 힘들어", "주말에 뭐 하지?"]}


def main(knobs):
    """Runs the recipe with these knobs."""
    # Data
    data = kzoo.data.load_dialogues(knobs.dataset, knobs.data)
    out = run_folder.prepare(knobs, knobs.out or Path("runs/chatbot", knobs.dataset))
    generation.print_sizes(data)
    tokenizer = run_folder.tokenizer(
        out / "tokenizer.json",
        lambda: TOKENIZERS[knobs.tokenizer].train(
            data.train.sources + data.train.targets,
            knobs.vocabulary_size,
            lowercase=knobs.lowercase,
        ),
    )

    def batches(part, alpha=0.0, shuffle=False):
        sides = part.sources, part.targets
        ids = [generation.tokenize(tokenizer, texts, alpha, knobs.seed) for texts in sides]
        return PairBatches(*ids, knobs.batch_tokens, knobs.max_length, shuffle, knobs.seed)

    train = batches(data.train, knobs.subword_sampling, shuffle=True)
    validation, test = batches(data.validation), batches(data.test)
    report.print_cut(knobs.max_length, train.sources, train.targets)

    # Model
    keras.utils.set_random_seed(knobs.seed)
    tokenizers = tokenizer, tokenizer
    model = generation.create_model(knobs, tokenizers)
    training = generation.compile_model(model, knobs, knobs.epochs * len(train))

    # Training
    resume = Resume(out / "checkpoint", "val_perplexity", "min", knobs.patience)
    train.start_epoch(resume.restore(training))
    if not resume.finished:
        options = dict(epochs=knobs.epochs, initial_epoch=train.epoch, callbacks=[resume])
        training.fit(train, validation_data=validation, **options)
    resume.load_best(training)
    run_folder.save_model(model, out / "model.keras")

    # Measurement, beside the answer to the nearest question
    def score(answers, references):
        return {"F1": f"{measures.token_f1(answers, references):.2f}"}

    def nearest():
        return score(measures.nearest_targets(data.train, data.test.sources), data.test.targets)

    perplexity = training.evaluate(test, verbose=0, return_dict=True)["perplexity"]
    size = {"perplexity": f"{perplexity:.2f}", "parameters": f"{model.count_params():,}"}
    writer = generation.Writer(model, tokenizers, knobs.max_length, knobs.length_penalty)
    rows = [{"model": "nearest question", **run_folder.cached(out / "floor.json", nearest)}]
    for way, beams in (("greedy", 1), (f"beam {knobs.num_beams}", knobs.num_beams)):
        scores = score(writer(data.test.sources, beams), data.test.targets)
        rows.append({"model": f"Keras, {way}", **scores, **size})
    pictures = heat_maps.pictures(model, tokenizers, data.test.sources, out)

    # Export, and the same measurement through each file alone
    files = seq2seq_files.export_files(model, out, tokenizers, knobs, data.test.sources)
    measured, samples = seq2seq_files.measure(files, data.test, score)
    notes = [
        "- F1: mean over answers of the F1 of their lowercased words, split by kzoo.text.words.",
        "- perplexity: of a token of the reference; it depends on the vocabulary.",
        *seq2seq_files.notes(data.test),
    ]
    parts = rows + measured, samples, resume.history, ("loss", "perplexity"), notes, pictures
    generation.write_report(out, data, knobs, *parts)
    questions = QUESTIONS.get(data.name, [])
    answers = Seq2SeqPredictor(files[-1].path)(questions) if questions else []
    for question, answer in zip(questions, answers, strict=True):
        print(f"{question}\n    {answer}")


if __name__ == "__main__":
    command_line.run(sys.modules[__name__])
