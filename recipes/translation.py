"""Train a translator, measure it by sacreBLEU, and hand it over.

Without arguments it learns Korean to English from the sentences that come with kzoo. All it writes
is in the run folder; run the same command again after an interruption and it goes on there.
"""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import keras

import kzoo
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

    dataset: str = "translation_ko_en"  # Data set, one of kzoo.data.list_translations().
    data: Path | None = None  # Folder of the full data sets; the embedded one needs none.
    source: str | None = None  # Language to translate from; by default the data set's choice.
    target: str | None = None  # Language to translate to.
    out: Path | None = None  # Run folder; by default runs/translation/DATASET_SOURCE_TARGET.
    model: str = "seq2seq_gru_bahdanau"  # Preset, or a word of its name, such as transformer.
    tokenizer: Literal[tuple(TOKENIZERS)] = "sentence_piece"  # Kind of tokens.
    vocabulary_size: int = 1000  # Number of token ids of a language at most.
    joint_vocabulary: bool = False  # Whether both languages share one vocabulary.
    lowercase: bool = False  # Whether upper case is folded to lower case.
    subword_sampling: float = 0.0  # Above 0, sentence_piece draws other pieces in every epoch.
    max_length: int = 32  # Tokens of a sentence that the model reads or writes; the rest is cut.
    embedding_dim: int = 128  # Width of the embeddings.
    units: int = 128  # Width of a recurrent layer, or of a Transformer's feed-forward networks.
    num_layers: int = 1  # Number of layers on either side.
    dropout: float = 0.1  # Fraction of features dropped.
    label_smoothing: float = 0.0  # Probability of a target that is spread over all ids.
    # Share of the words read by the decoder in training that are the model's own predictions in
    # place of the true ones; it grows from 0 to this over the run.
    scheduled_sampling: float = 0.0
    epochs: int = 6  # Epochs at most.
    patience: int = 3  # Epochs without a lower validation perplexity before training stops.
    batch_tokens: int = 256  # Padded ids in a batch, of the longer side.
    learning_rate: float = 3e-3  # The highest; it falls to zero along a cosine.
    warmup_steps: int = 0  # Batches over which the learning rate grows from zero.
    clip_norm: float = 1.0  # Largest norm of all gradients together.
    num_beams: int = 4  # Width of the beam.
    length_penalty: float = 0.6  # Exponent of the GNMT length penalty of beam search.
    seed: int = 1  # Of weights, batches and dropout.


# Where a data set, or a model on it, asks for other settings; the command line overrides all.
SETTINGS = {
    "multi30k": dict(
        **dict(vocabulary_size=5000, max_length=64, embedding_dim=256, units=320, dropout=0.4),
        **dict(label_smoothing=0.1, epochs=14, batch_tokens=1024, learning_rate=1e-3),
    ),
    ("multi30k", "seq2seq_lstm"): dict(units=512, dropout=0.3, epochs=12, learning_rate=2e-3),
    ("multi30k", "transformer_seq2seq_tiny"): dict(
        **dict(embedding_dim=128, units=256, num_layers=4, dropout=0.3),
        **dict(epochs=32, batch_tokens=2048, learning_rate=3e-3, warmup_steps=800),
    ),
}
MODELS = ("transformer_seq2seq_tiny", "*seq2seq*")  # Shell patterns of the presets.


def main(knobs):
    """Runs the recipe with these knobs."""
    # Data
    data = kzoo.data.load_translation(knobs.dataset, knobs.data, knobs.source, knobs.target)
    name = f"{data.name}_{data.source}_{data.target}"
    out = run_folder.prepare(knobs, knobs.out or Path("runs/translation", name))
    generation.print_sizes(data)
    texts = {"source": data.train.sources, "target": data.train.targets}
    if knobs.joint_vocabulary:
        texts = dict.fromkeys(texts, data.train.sources + data.train.targets)
    tokenizers = [
        run_folder.tokenizer(
            out / f"{side}_tokenizer.json",
            lambda corpus=corpus: TOKENIZERS[knobs.tokenizer].train(
                corpus, knobs.vocabulary_size, lowercase=knobs.lowercase
            ),
        )
        for side, corpus in texts.items()
    ]

    def batches(part, alpha=0.0, shuffle=False):
        sides = zip(tokenizers, (part.sources, part.targets), strict=True)
        ids = [generation.tokenize(*side, alpha, knobs.seed) for side in sides]
        return PairBatches(*ids, knobs.batch_tokens, knobs.max_length, shuffle, knobs.seed)

    train = batches(data.train, knobs.subword_sampling, shuffle=True)
    validation, test = batches(data.validation), batches(data.test)
    report.print_cut(knobs.max_length, train.sources, train.targets)

    # Model
    keras.utils.set_random_seed(knobs.seed)
    model = generation.create_model(knobs, tokenizers)
    training = generation.compile_model(model, knobs, knobs.epochs * len(train))

    # Training
    writer = generation.Writer(model, tokenizers, knobs.max_length, knobs.length_penalty)

    def validation_bleu():
        return measures.bleu(writer(data.validation.sources), data.validation.targets)

    resume = Resume(out / "checkpoint", "val_perplexity", "min", knobs.patience)
    train.start_epoch(resume.restore(training))
    if not resume.finished:
        callbacks = [generation.Measure("val_bleu", validation_bleu), resume]
        options = dict(epochs=knobs.epochs, initial_epoch=train.epoch, callbacks=callbacks)
        training.fit(train, validation_data=validation, **options)
    resume.load_best(training)
    run_folder.save_model(model, out / "model.keras")

    # Measurement, beside the translation of the nearest sentence
    def nearest():
        translations = measures.nearest_targets(data.train, data.test.sources)
        return measures.translation_scores(translations, data.test.targets)

    perplexity = training.evaluate(test, verbose=0, return_dict=True)["perplexity"]
    size = {"perplexity": f"{perplexity:.2f}", "parameters": f"{model.count_params():,}"}
    rows = [{"model": "nearest sentence", **run_folder.cached(out / "floor.json", nearest)}]
    for way, beams in (("greedy", 1), (f"beam {knobs.num_beams}", knobs.num_beams)):
        scores = measures.translation_scores(writer(data.test.sources, beams), data.test.targets)
        rows.append({"model": f"Keras, {way}", **scores, **size})
    pictures = heat_maps.pictures(model, tokenizers, data.test.sources, out)

    # Export, and the same measurement through each file alone
    files = seq2seq_files.export_files(model, out, tokenizers, knobs, data.test.sources)
    measured, samples = seq2seq_files.measure(files, data.test, measures.translation_scores)
    notes = [*measures.translation_notes(), *seq2seq_files.notes(data.test)]
    parts = rows + measured, samples, resume.history, ("perplexity", "bleu"), notes, pictures
    generation.write_report(out, data, knobs, *parts)


if __name__ == "__main__":
    command_line.run(sys.modules[__name__])
