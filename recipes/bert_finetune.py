"""Fine-tune a BERT to classify texts, measure it, and hand over verified `.tflite` files.

`--folder` takes a pretrained model: the folder `bert` of a run of `bert_pretrain` or of this recipe
on another data set, or any folder of Hugging Face with BERT's weights. Without it a small BERT
learns the Korean film reviews that come with kzoo from scratch. All it writes is in the run folder;
run the same command again after an interruption and it goes on where it stopped.
"""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import keras

import kzoo
from kzoo.export import export_saved_model
from kzoo.models import bert_classifier
from kzoo.models.bert_heads import POOLINGS
from kzoo.recipes.parts import bert_parts, classification, command_line, report, run_folder
from kzoo.text.bert import SIDES
from kzoo.training import AdversarialTraining, BertBatches, Resume


@dataclass
class Knobs:
    """What can be set from the command line."""

    dataset: str = "sentiment_ko"  # Data set, one of kzoo.data.list_datasets().
    data: Path | None = None  # Folder of the full data sets; the embedded ones need none.
    fold: int = 0  # Which tenth is the test split, 0 to 9, where the data set has none of its own.
    out: Path | None = None  # Run folder; by default runs/bert_finetune/DATASET.
    folder: Path | None = None  # Folder of a pretrained model; by default a new model is trained.
    from_scratch: bool = False  # Whether to leave the folder's weights aside, to compare.
    model: str = "bert_tiny"  # Preset of a new model, or a word of it, such as small.
    vocabulary_size: int = 4000  # Number of pieces at most, of a new model.
    lowercase: bool = True  # Whether a new model folds upper case to lower case.
    strip_accents: bool = False  # Whether a new model drops accents; it takes Hangul apart.
    max_length: int = 128  # Ids of a text that the model reads; the rest is cut.
    truncation_side: Literal[SIDES] = (
        "right"  # Side on which it is cut: the end of a text, or left.
    )
    pooling: Literal[POOLINGS] = "first"  # What is classified: the first step, or the mean of all.
    dropout: float = 0.1  # Fraction of features dropped.
    # What each layer's learning rate is multiplied by to get that of the layer below it.
    layer_decay: float = 1.0
    # Length of the step of the word vectors against which every batch is learnt again; 0 for none.
    adversarial: float = 0.0
    epochs: int = 6  # Epochs at most.
    patience: int = 3  # Epochs without a better one before training stops.
    batch_size: int = 32  # Texts in a batch.
    learning_rate: float = 5e-4  # The highest; it falls to zero in a line.
    warmup: float = 0.1  # Share of the steps in which the learning rate grows from zero.
    weight_decay: float = 0.01  # Of matrices.
    clip_norm: float = 1.0  # Largest norm of all gradients together.
    floor: Literal["characters", "words"] = "characters"  # N-grams of the linear floor.
    seed: int = 1  # Of weights, batches and dropout.


# Where a data set asks for other settings than the defaults; the command line overrides both.
SETTINGS = {
    "nsmc": dict(epochs=2, batch_size=64, max_length=64),
    "sst2": dict(
        **dict(epochs=4, learning_rate=1e-4, layer_decay=0.9, pooling="mean", floor="words"),
        adversarial=1.0,
    ),
}
MODELS = ("bert_tiny", "bert*")  # Shell patterns of the presets.
_REVIEWS = ["재미있고 감동적인 영화예요", "시간이 아깝다", "또 보고 싶다"]
SENTENCES = {
    "sentiment_ko": _REVIEWS,
    "nsmc": _REVIEWS,
    "sst2": ["a moving and often funny film .", "it 's a waste of time ."],
}


def create_classifier(knobs, tokenizer, num_classes):
    """Builds encoder and classifier, with the folder's weights where they are asked for."""
    options = dict(pools=knobs.pooling == "first", weights=not knobs.from_scratch)
    encoder = bert_parts.read_encoder(knobs, tokenizer, knobs.dropout, **options)
    return encoder, bert_classifier(encoder, num_classes, knobs.dropout, knobs.pooling)


def main(knobs):
    """Runs the recipe with these knobs."""
    # Data
    data = kzoo.data.load_text_classification(knobs.dataset, knobs.data, knobs.fold)
    out = run_folder.prepare(knobs, knobs.out or Path("runs/bert_finetune", knobs.dataset))
    classification.print_sizes(data)
    tokenizer = run_folder.tokenizer(
        out / "tokenizer.json",
        lambda: bert_parts.read_tokenizer(data.train.texts, knobs, knobs.truncation_side),
    )

    def batches(part, shuffle=False):
        ids = [tokenizer.row(text) for text in part.texts]
        sizes = knobs.batch_size, knobs.max_length
        return BertBatches(ids, part.labels, *sizes, shuffle, knobs.seed)

    train = batches(data.train, shuffle=True)
    validation, test = batches(data.validation), batches(data.test)
    report.print_cut(knobs.max_length, train.sequences)

    # Training
    keras.utils.set_random_seed(knobs.seed)
    encoder, model = create_classifier(knobs, tokenizer, len(data.class_names))
    factors = bert_parts.layer_factors(model, knobs.layer_decay)
    steps = knobs.epochs * len(train) * (2 if knobs.adversarial else 1)
    optimizer = bert_parts.optimizer(knobs, steps, factors, knobs.adversarial)
    trained = AdversarialTraining(model) if knobs.adversarial else model
    # Compiled by XLA, each of the many shapes would take longer to compile than to train.
    options = dict(metrics=["accuracy"], jit_compile=False)
    trained.compile(optimizer, "sparse_categorical_crossentropy", **options)
    resume = Resume(out / "checkpoint", "val_accuracy", patience=knobs.patience)
    train.start_epoch(resume.restore(trained))
    if not resume.finished:
        options = dict(epochs=knobs.epochs, initial_epoch=train.epoch, callbacks=[resume])
        trained.fit(train, validation_data=validation, **options)
    resume.load_best(trained)
    run_folder.save_model(model, out / "model.keras")
    bert_parts.save(encoder, tokenizer, out / "bert")

    # Measurement beside the linear floor, export, and the same measurement through each file alone
    export_saved_model(model, out / "saved_model", tokenizer, knobs.max_length)
    probabilities = test.restore_order(trained.predict(test, verbose=0))
    results = probabilities, [resume.history], test[0][0], SENTENCES.get(data.name, [])
    classification.finish(
        out, data, knobs, tokenizer, model, *results, tolerances=bert_parts.TOLERANCES
    )


if __name__ == "__main__":
    command_line.run(sys.modules[__name__])
