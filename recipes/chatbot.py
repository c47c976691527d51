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
from kzoo.recipes import command_line, generation, heat_maps, measures, run_folder
from kzoo.text import TOKENIZERS
from kzoo.training import PairBatches, Perplexity, Resume, SmoothedCrossentropy


@dataclass
class Knobs:
    """What can be set from the command line."""

    dataset: str = "chatbot_ko"  # Data set, one of kzoo.data.list_dialogues().
    data: Path | None = None  # Folder of the full data sets; the embedded one needs none.
    out: Path | None = None  # Run folder; by default runs/chatbot/DATASET.
    model: str = "seq2seq_gru_bahdanau"  # Preset, one of kzoo.list_models("seq2seq*").
    tokenizer: Literal[tuple(TOKENIZERS)] = "sentence_piece"  # Kind of tokens.
    vocabulary_size: int = 2000  # Number of token ids at most.
    lowercase: bool = False  # Whether upper case is folded to lower case.
    subword_sampling: float = 0.0  # Above 0, sentence_piece draws other pieces in every epoch.
    max_length: int = 32  # Tokens of a question or an answer; the rest is cut.
    embedding_dim: int = 128  # Width of the embeddings.
    units: int = 128  # Width of a recurrent layer.
    num_layers: int = 1  # Number of recurrent layers on either side.
    dropout: float = 0.1  # Fraction of features dropped.
    label_smoothing: float = 0.0  # Probability of a target that is spread over all ids.
    epochs: int = 7  # Epochs at most.
    patience: int = 2  # Epochs without a lower validation perplexity before training stops.
    batch_tokens: int = 384  # Padded ids in a batch, of the longer side.
    learning_rate: float = 3e-3  # At the start; it falls to zero along a cosine.
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
QUESTIONS = {"chatbot_ko": ["안녕", "배고파", "오늘 너무 힘들어", "주말에 뭐 하지?"]}


def main(knobs):
    """Runs the recipe with these knobs."""
    out = run_folder.prepare(knobs, knobs.out or Path("runs/chatbot", knobs.dataset))

    # Data
    data = kzoo.data.load_dialogues(knobs.dataset, knobs.data)
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

    # Model
    keras.utils.set_random_seed(knobs.seed)
    sizes = "embedding_dim units num_layers dropout"
    model = kzoo.create_model(
        knobs.model,
        source_vocabulary_size=tokenizer.vocabulary_size,
        target_vocabulary_size=tokenizer.vocabulary_size,
        **{name: getattr(knobs, name) for name in sizes.split()},
    )
    steps = knobs.epochs * len(train)
    schedule = keras.optimizers.schedules.CosineDecay(knobs.learning_rate, steps)
    optimizer = keras.optimizers.Adam(schedule, global_clipnorm=knobs.clip_norm)
    loss = SmoothedCrossentropy(knobs.label_smoothing)
    model.compile(optimizer, loss, weighted_metrics=[Perplexity()])

    # Training
    resume = Resume(out / "checkpoint", "val_perplexity", "min", knobs.patience)
    train.start_epoch(resume.restore(model))
    if not resume.finished:
        options = dict(epochs=knobs.epochs, initial_epoch=train.epoch, callbacks=[resume])
        model.fit(train, validation_data=validation, **options)
    resume.load_best(model)
    run_folder.save_model(model, out / "model.keras")

    # Measurement, beside the answer to the nearest question
    def nearest():
        answers = measures.nearest_targets(data.train, data.test.sources)
        return f"{measures.token_f1(answers, data.test.targets):.2f}"

    perplexity = model.evaluate(test, verbose=0, return_dict=True)["perplexity"]
    size = {"perplexity": f"{perplexity:.2f}", "parameters": f"{model.count_params():,}"}
    writer = generation.Writer(
        model, (tokenizer, tokenizer), knobs.max_length, knobs.length_penalty
    )
    written = {
        "greedy": writer(data.test.sources),
        f"beam {knobs.num_beams}": writer(data.test.sources, knobs.num_beams),
    }
    rows = [{"model": "nearest question", "F1": run_folder.cached(out / "floor.json", nearest)}]
    for way, answers in written.items():
        score = measures.token_f1(answers, data.test.targets)
        rows.append({"model": f"Keras, {way}", "F1": f"{score:.2f}", **size})
    samples = generation.sample_table(data.test, written)
    pictures = {}
    if model.get_layer("decoder").attends:
        sources = [tokenizer.tokenize(sample["source"]) for sample in samples[-4:]]
        heat_maps.plot(model, sources, (tokenizer, tokenizer), out / "attention.png")
        pictures["Attention"] = "attention.png"
    notes = [
        "- F1: mean over answers of the F1 of their lowercased words, split by kzoo.text.words.",
        "- perplexity: of a token of the reference; it depends on the vocabulary.",
    ]
    report = rows, samples, resume.history, ("loss", "perplexity"), notes, pictures
    generation.write_report(out, data, knobs, *report)
    questions = QUESTIONS.get(data.name, [])
    for question, answer in zip(questions, writer(questions, knobs.num_beams), strict=True):
        print(f"{question}\n    {answer}")


if __name__ == "__main__":
    command_line.run(sys.modules[__name__])
