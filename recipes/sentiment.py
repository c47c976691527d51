"""Train a recurrent text classifier, measure it, and hand over verified `.tflite` files.

Without arguments it trains on the Korean film reviews that come with kzoo. All it writes is in the
run folder; run the same command again after an interruption and it goes on where it stopped.
"""

import sys
from dataclasses import dataclass
from pathlib import Path

import keras

import kzoo
from kzoo.export import Export, export_many, export_saved_model
from kzoo.recipes import classification, command_line, run_folder
from kzoo.text import TOKENIZERS
from kzoo.training import BucketedBatches, Resume


@dataclass
class Knobs:
    """What can be set from the command line."""

    # Data set: one of kzoo.data.list_datasets().
    dataset: str = "sentiment_ko"
    # Folder of the full data sets; the embedded sets need none.
    data: Path | None = None
    # Run folder; by default runs/sentiment/DATASET.
    out: Path | None = None
    # Preset: one of kzoo.list_models("text*").
    model: str = "text_sru"
    # Tokenizer: word, character, byte, word_piece or sentence_piece.
    tokenizer: str = "sentence_piece"
    # Largest number of token ids.
    vocabulary_size: int = 8000
    # Tokens of a text that the model reads; the rest is cut.
    max_length: int = 128
    # Width of the token embedding.
    embedding_dim: int = 128
    # Width of a recurrent layer and direction.
    units: int = 128
    # Number of recurrent layers.
    num_layers: int = 1
    # Pooling over time: last, mean, max or attention.
    pooling: str = "max"
    # Fraction of features dropped before each layer.
    dropout: float = 0.5
    # Epochs at most; training stops early when the validation accuracy no longer improves.
    epochs: int = 8
    # Epochs without improvement before training stops.
    patience: int = 3
    # Texts in a batch.
    batch_size: int = 64
    # Learning rate at the start; it falls to zero along a cosine.
    learning_rate: float = 0.002
    # Decoupled weight decay.
    weight_decay: float = 0.1
    # Features of the linear floor: characters or words.
    floor: str = "characters"
    # Seed of weights, batches and dropout.
    seed: int = 1


# Where a data set asks for other settings than the defaults; the command line overrides both.
SETTINGS = {}

SENTENCES = {
    "sentiment_ko": [
        "정말 재미있고 감동적인 영화예요",
        "시간이 아깝다 연기도 별로",
        "또 보고 싶다",
    ],
}


def main(knobs):
    """Runs the recipe; returns the rows of its table."""
    out = run_folder.prepare(knobs, knobs.out or Path("runs/sentiment", knobs.dataset))
    keras.utils.set_random_seed(knobs.seed)

    # Data
    data = kzoo.data.load_text_classification(knobs.dataset, knobs.data)
    print(f"{data.name}: {len(data.train)} training, {len(data.validation)} validation and "
          f"{len(data.test)} test texts in {len(data.class_names)} classes")  # fmt: skip
    floor = run_folder.cached(
        out / "floor.json", lambda: classification.linear_floor(data, knobs.floor)
    )
    tokenizer = run_folder.tokenizer(
        out / "tokenizer.json",
        lambda: TOKENIZERS[knobs.tokenizer].train(data.train.texts, knobs.vocabulary_size),
    )

    def batches(part, shuffle=False):
        ids = [tokenizer.tokenize(text) for text in part.texts]
        options = knobs.batch_size, knobs.max_length, shuffle, knobs.seed
        return BucketedBatches(ids, part.labels, *options)

    train, validation, test = (
        batches(data.train, shuffle=True), batches(data.validation), batches(data.test)
    )  # fmt: skip

    # Model
    model = kzoo.create_model(
        knobs.model,
        vocabulary_size=tokenizer.vocabulary_size,
        num_classes=len(data.class_names),
        embedding_dim=knobs.embedding_dim,
        units=knobs.units,
        num_layers=knobs.num_layers,
        pooling=knobs.pooling,
        dropout=knobs.dropout,
    )
    steps = knobs.epochs * len(train)
    schedule = keras.optimizers.schedules.CosineDecay(knobs.learning_rate, steps)
    model.compile(
        keras.optimizers.AdamW(schedule, weight_decay=knobs.weight_decay),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )

    # Training
    resume = Resume(out / "checkpoint", patience=knobs.patience)
    train.start_epoch(resume.restore(model))
    if not resume.finished:
        model.fit(
            train,
            validation_data=validation,
            epochs=knobs.epochs,
            initial_epoch=train.epoch,
            callbacks=[resume],
        )
    resume.load_best(model)
    run_folder.save_model(model, out / "model.keras")

    # Measurement
    probabilities = test.restore_order(model.predict(test, verbose=0))
    scores = classification.scores(data.test.labels, probabilities, data.class_names)
    rows = [
        {"model": f"linear floor ({knobs.floor})", **floor},
        {"model": "Keras", **scores, "parameters": f"{model.count_params():,}"},
    ]

    # Export, and the same measurement through each file alone
    export_saved_model(model, out / "saved_model", tokenizer, knobs.max_length)
    real = {"inputs": test[0][0], "tokenizer": tokenizer, "labels": data.class_names}
    verifications = export_many(
        [
            Export(
                model, out / f"{precision}.tflite", precision, max_length=knobs.max_length, **real
            )
            for precision in ("float32", "float16", "dynamic")
        ]
    )
    rows += [classification.measure_file(verification, data) for verification in verifications]
    classification.write_report(
        out, data, knobs, rows, probabilities, resume.history, verifications[0].operators
    )
    classification.classify_sentences(out / "dynamic.tflite", SENTENCES.get(data.name, []))
    return rows


if __name__ == "__main__":
    command_line.run(sys.modules[__name__])
