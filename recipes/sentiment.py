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

    dataset: str = "sentiment_ko"  # Data set, one of kzoo.data.list_datasets().
    data: Path | None = None  # Folder of the full data sets; the embedded ones need none.
    out: Path | None = None  # Run folder; by default runs/sentiment/DATASET.
    model: str = "text_sru"  # Preset, one of kzoo.list_models("text*").
    tokenizer: str = "character"  # word, character, byte, word_piece or sentence_piece.
    vocabulary_size: int = 3000  # Number of token ids at most.
    lowercase: bool = False  # Whether upper case is folded to lower case.
    max_length: int = 192  # Tokens of a text that the model reads; the rest is cut.
    embedding_dim: int = 64  # Width of the embedding of a token.
    max_order: int = 4  # Longest n-gram of tokens that is embedded beside them; 1 is none.
    num_buckets: int = 50000  # Rows of the table of each n-gram order.
    ngram_dim: int = 8  # Width of the table of each n-gram order.
    units: int = 128  # Width of a recurrent layer in each direction.
    num_layers: int = 1  # Number of recurrent layers.
    pooling: str = "max_mean"  # Over time: last, mean, max, max_mean or attention.
    dropout: float = 0.5  # Fraction of features dropped before each layer.
    epochs: int = 3  # Epochs at most.
    patience: int = 3  # Epochs without better validation accuracy before training stops.
    batch_size: int = 128  # Texts in a batch.
    learning_rate: float = 2e-3  # At the start; it falls to zero along a cosine.
    weight_decay: float = 0.05  # Decoupled weight decay.
    epsilon: float = 1e-4  # Adam's; a large one keeps steps small for rows that are rarely seen.
    members: int = 1  # Models trained from different seeds, whose mean is the classifier.
    floor: str = "characters"  # Features of the linear floor: characters or words.
    seed: int = 1  # Of weights, batches and dropout.


MODEL_KNOBS = (
    *("embedding_dim", "max_order", "num_buckets", "ngram_dim"),
    *("units", "num_layers", "pooling", "dropout"),
)

# Where a data set asks for other settings than the defaults; the command line overrides both.
SETTINGS = {
    "sentiment_ko": {"epochs": 10, "batch_size": 32},
    "nsmc": {"members": 3},
    "imdb": {
        **{"tokenizer": "word", "vocabulary_size": 30000, "lowercase": True, "max_length": 512},
        **{"max_order": 2, "num_buckets": 131072, "ngram_dim": 16, "floor": "words"},
        **{"batch_size": 64, "epochs": 5},
    },
}

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

    # Data
    data = kzoo.data.load_text_classification(knobs.dataset, knobs.data)
    print(f"{data.name}: {len(data.train)} training, {len(data.validation)} validation and "
          f"{len(data.test)} test texts in {len(data.class_names)} classes")  # fmt: skip
    floor = run_folder.cached(
        out / "floor.json", lambda: classification.linear_floor(data, knobs.floor)
    )
    tokenizer = run_folder.tokenizer(
        out / "tokenizer.json",
        lambda: TOKENIZERS[knobs.tokenizer].train(
            data.train.texts, knobs.vocabulary_size, lowercase=knobs.lowercase
        ),
    )

    def batches(part, shuffle=False):
        ids = [tokenizer.tokenize(text) for text in part.texts]
        options = knobs.batch_size, knobs.max_length, shuffle, knobs.seed
        return BucketedBatches(ids, part.labels, *options)

    train, validation, test = (
        batches(data.train, shuffle=True), batches(data.validation), batches(data.test)
    )  # fmt: skip

    # Training, one member after the other
    members, histories = [], []
    for index in range(knobs.members):
        keras.utils.set_random_seed(knobs.seed + index)
        model = kzoo.create_model(
            knobs.model,
            vocabulary_size=tokenizer.vocabulary_size,
            num_classes=len(data.class_names),
            name=f"member_{index}",
            **{name: getattr(knobs, name) for name in MODEL_KNOBS},
        )
        train.seed = knobs.seed + index
        steps = knobs.epochs * len(train)
        schedule = keras.optimizers.schedules.CosineDecay(knobs.learning_rate, steps)
        model.compile(
            keras.optimizers.AdamW(
                schedule, weight_decay=knobs.weight_decay, epsilon=knobs.epsilon
            ),
            "sparse_categorical_crossentropy",
            metrics=["accuracy"],
        )
        resume = Resume(out / "checkpoint" / model.name, patience=knobs.patience)
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
        members.append(model)
        histories.append(resume.history)
    model = kzoo.models.ensemble(members)
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
        out, data, knobs, rows, probabilities, histories, verifications[0].operators
    )
    classification.classify_sentences(out / "dynamic.tflite", SENTENCES.get(data.name, []))
    return rows


if __name__ == "__main__":
    command_line.run(sys.modules[__name__])
