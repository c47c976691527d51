"""Train a recurrent text classifier, measure it, and hand over verified `.tflite` files.

Without arguments it trains on the Korean film reviews that come with kzoo. All it writes is in the
run folder; run the same command again after an interruption and it goes on where it stopped.
"""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import keras

import kzoo
from kzoo.export import export_saved_model
from kzoo.layers.ngram_hash import MULTIPLIERS
from kzoo.models.classifier import POOLINGS
from kzoo.recipes.parts import classification, command_line, folds, report, run_folder
from kzoo.text import TOKENIZERS
from kzoo.training import BucketedBatches, Resume


@dataclass
class Knobs:
    """What can be set from the command line."""

    dataset: str = "sentiment_ko"  # Data set, one of kzoo.data.list_datasets().
    data: Path | None = None  # Folder of the full data sets; the embedded ones need none.
    # Which tenth is the test split, 0 to 9, where the data set has none of its own; "all" takes
    # each of them in turn, and gives the mean.
    fold: int | Literal["all"] = 0
    out: Path | None = None  # Run folder; by default runs/sentiment/DATASET.
    model: str = "text_sru"  # Preset, or a word of its name, such as lstm.
    tokenizer: Literal[tuple(TOKENIZERS)] = "character"  # Kind of tokens.
    vocabulary_size: int = 3000  # Number of token ids at most.
    lowercase: bool = False  # Whether upper case is folded to lower case.
    max_length: int = 192  # Tokens of a text that the model reads; the rest is cut.
    embedding_dim: int = 64  # Width of the embedding of a token.
    # Table of word vectors of that width at which the embedding starts. For those of `kzoo train
    # embeddings`, say --tokenizer word --embedding-dim 100.
    embeddings: Path | None = None
    max_order: int = 4  # Longest n-gram of tokens that is embedded beside them; 1 is none.
    num_buckets: int = 131072  # Rows of the table of each n-gram order.
    ngram_dim: int = 2  # Width of the table of each n-gram order.
    units: int = 128  # Width of a recurrent layer in each direction.
    num_layers: int = 1  # Number of recurrent layers.
    pooling: Literal[POOLINGS] = "max_mean"  # How the outputs over time become one vector.
    dropout: float = 0.5  # Fraction of features dropped before each layer.
    epochs: int = 10  # Epochs at most.
    monitor: Literal["val_accuracy", "val_loss"] = "val_accuracy"  # Picks the best epoch.
    patience: int = 3  # Epochs without a better one before training stops.
    batch_size: int = 32  # Texts in a batch.
    learning_rate: float = 2e-3  # At the start; it falls to zero along a cosine.
    weight_decay: float = 0.05  # Decoupled weight decay.
    epsilon: float = 1e-5  # Adam's; a large one keeps steps small for rows that are rarely seen.
    members: int = 1  # Models from different seeds, whose mean is the classifier.
    floor: Literal["characters", "words"] = "characters"  # N-grams of the linear floor.
    seed: int = 1  # Of weights, batches and dropout.


# Where a data set asks for other settings than the defaults; the command line overrides both.
SETTINGS = {
    "sentiment_ko": dict(members=3),
    # So few validation texts are spam that many epochs tie in accuracy.
    "spam_en": dict(members=3, epochs=6, max_length=256, monitor="val_loss"),
    # A tenth holds some 70 that are spam, so that one of them is worth 0.7 points of its F1.
    "sms_spam": dict(members=3, epochs=6, max_length=256, monitor="val_loss", fold="all"),
    "nsmc": dict(members=3, epochs=2, batch_size=128),
    "imdb": dict(
        **dict(tokenizer="word", vocabulary_size=30000, lowercase=True, max_length=512, epochs=3),
        **dict(max_order=2, ngram_dim=16, members=2, batch_size=64, epsilon=1e-4, floor="words"),
    ),
}
MODELS = ("text*",)  # Shell patterns of the presets.
SENTENCES = {"sentiment_ko": ["재미있고 감동적인 영화예요", "시간이 아깝다", "또 보고 싶다"]}


def train_member(knobs, index, tokenizer, data, train, validation, out):
    """Trains, or goes on training, one model; returns it with its best weights, and its history."""
    keras.utils.set_random_seed(knobs.seed + index)
    sizes = "embedding_dim max_order num_buckets ngram_dim units num_layers pooling dropout"
    model = kzoo.create_model(
        knobs.model,
        vocabulary_size=tokenizer.vocabulary_size,
        num_classes=len(data.class_names),
        hash_seed=index % len(MULTIPLIERS),
        name=f"member_{index}",
        **{name: getattr(knobs, name) for name in sizes.split()},
    )
    train.seed = knobs.seed + index
    steps = knobs.epochs * len(train)
    schedule = keras.optimizers.schedules.CosineDecay(knobs.learning_rate, steps)
    optimizer = keras.optimizers.AdamW(schedule, knobs.weight_decay, epsilon=knobs.epsilon)
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    resume = Resume(out / "checkpoint" / model.name, knobs.monitor, patience=knobs.patience)
    train.start_epoch(resume.restore(model))
    if not resume.history:
        classification.start_embedding(model, train, tokenizer, knobs.embeddings)
    if not resume.finished:
        options = dict(epochs=knobs.epochs, initial_epoch=train.epoch, callbacks=[resume])
        model.fit(train, validation_data=validation, **options)
    resume.load_best(model)
    return model, resume.history


def main(knobs):
    """Runs the recipe with these knobs."""
    # Data
    # A set with a test split of its own has no fold 1, and says so before any is trained.
    fold = 1 if knobs.fold == "all" else knobs.fold
    data = kzoo.data.load_text_classification(knobs.dataset, knobs.data, fold)
    out = run_folder.prepare(knobs, knobs.out or Path("runs/sentiment", knobs.dataset))
    if knobs.fold == "all":
        return folds.cross_validate(main, knobs, out)
    classification.print_sizes(data)
    tokenizer = run_folder.tokenizer(
        out / "tokenizer.json",
        lambda: TOKENIZERS[knobs.tokenizer].train(
            data.train.texts, knobs.vocabulary_size, lowercase=knobs.lowercase
        ),
    )

    def batches(part, shuffle=False):
        ids = [tokenizer.tokenize(text) for text in part.texts]
        return BucketedBatches(ids, part.labels, knobs.batch_size, knobs.max_length, shuffle)

    train = batches(data.train, shuffle=True)
    validation, test = batches(data.validation), batches(data.test)
    report.print_cut(knobs.max_length, train.sequences)

    # Training, one member after the other
    arguments = tokenizer, data, train, validation, out
    trained = [train_member(knobs, index, *arguments) for index in range(knobs.members)]
    members, histories = zip(*trained, strict=True)
    model = kzoo.models.ensemble(members)
    run_folder.save_model(model, out / "model.keras")

    # Measurement beside the linear floor, export, and the same measurement through each file alone
    export_saved_model(model, out / "saved_model", tokenizer, knobs.max_length)
    probabilities = test.restore_order(model.predict(test, verbose=0))
    results = probabilities, histories, test[0][0], SENTENCES.get(data.name, [])
    classification.finish(out, data, knobs, tokenizer, model, *results)


if __name__ == "__main__":
    command_line.run(sys.modules[__name__])
