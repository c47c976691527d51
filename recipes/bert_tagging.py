"""Fine-tune a BERT to tag words, measure it, and hand over verified `.tflite` files.

`--folder` takes a pretrained model: the folder `bert` of a run of `bert_pretrain`, or any folder of
Hugging Face with BERT's weights. Without it a small BERT learns from scratch. All it writes is in
the run folder; run the same command again after an interruption and it goes on where it stopped.
"""

import sys
from dataclasses import dataclass
from pathlib import Path

import keras

import kzoo
from kzoo.models import bert_word_tagger
from kzoo.recipes.parts import bert_parts, command_line, run_folder, tagging_parts
from kzoo.recipes.parts.generation import Measure
from kzoo.text import BertTaggingTokenizer
from kzoo.training import BertTaggedBatches, CRFLoss, Resume


@dataclass
class Knobs:
    """What can be set from the command line."""

    dataset: str = "ner_en"  # Data set of words, one of kzoo.data.list_tagging().
    data: Path | None = None  # Folder of the full data sets; the embedded ones need none.
    out: Path | None = None  # Run folder; by default runs/bert_tagging/DATASET.
    folder: Path | None = None  # Folder of a pretrained model; by default a new model is trained.
    model: str = "bert_tiny"  # Preset of a new model, or a word of it, such as small.
    vocabulary_size: int = 4000  # Number of pieces at most, of a new model.
    lowercase: bool = True  # Whether a new model folds upper case to lower case.
    strip_accents: bool = False  # Whether a new model drops accents; it takes Hangul apart.
    max_length: int = 128  # Pieces of a sentence that the model reads; the rest is cut.
    characters: bool = True  # Whether the characters of a word are read too.
    jamo: bool = False  # Whether Hangul syllables are read letter by letter.
    character_dim: int = 32  # Width of the embedding of a character.
    character_units: int = 128  # Width of the vector made of a word's characters.
    dropout: float = 0.2  # Fraction of features dropped before the scores, and of characters.
    encoder_dropout: float = 0.1  # Fraction of features dropped within the BERT.
    # What each layer's learning rate is multiplied by to get that of the layer below it.
    layer_decay: float = 0.8
    head_factor: float = 5.0  # What the learning rate of the new layers is multiplied by.
    epochs: int = 5  # Epochs at most.
    patience: int = 3  # Epochs without a better one before training stops.
    batch_size: int = 16  # Sentences in a batch.
    learning_rate: float = 2e-4  # The highest; it falls to zero in a line.
    warmup: float = 0.1  # Share of the steps in which the learning rate grows from zero.
    weight_decay: float = 0.01  # Of matrices.
    clip_norm: float = 1.0  # Largest norm of all gradients together.
    seed: int = 1  # Of weights, batches and dropout.


# Where a data set asks for other settings than the defaults; the command line overrides both.
SETTINGS = {"pos_ko": dict(jamo=True), "ud_ko_gsd": dict(jamo=True)}
MODELS = ("bert_tiny", "bert*")  # Shell patterns of the presets.


def read_tokenizer(knobs, data):
    """Returns the folder's pieces, or new ones, with the characters of the set."""
    texts = [" ".join(words) for words in data.train.words]
    pieces = bert_parts.read_tokenizer(texts, knobs)
    options = dict(jamo=knobs.jamo, clitics=data.name in tagging_parts.ENGLISH)
    return BertTaggingTokenizer.train(pieces, data.train.words, knobs.characters, **options)


def create_tagger(knobs, tokenizer, tag_names):
    """Builds the model, with the folder's weights where there is one."""
    dropout = knobs.encoder_dropout
    encoder = bert_parts.read_encoder(knobs, tokenizer.pieces, dropout, pools=False)
    characters = {}
    if knobs.characters:
        size, units = tokenizer.character_vocabulary_size, knobs.character_units
        characters = dict(character_vocabulary_size=size, character_encoder="cnn")
        characters |= dict(character_dim=knobs.character_dim, character_units=units)
    options = tagging_parts.constraints("crf", tag_names) | characters
    return bert_word_tagger(encoder, len(tag_names), dropout=knobs.dropout, **options)


def main(knobs):
    """Runs the recipe with these knobs."""
    # Data
    data = kzoo.data.load_tagging(knobs.dataset, knobs.data)
    out = run_folder.prepare(knobs, knobs.out or Path("runs/bert_tagging", knobs.dataset))
    tagging_parts.print_sizes(data)
    tokenizer = run_folder.tokenizer(out / "tokenizer.json", lambda: read_tokenizer(knobs, data))

    def batches(part, shuffle=False):
        tags = tagging_parts.tag_ids(part, data.tag_names)
        options = dict(batch_size=knobs.batch_size, shuffle=shuffle, seed=knobs.seed)
        return BertTaggedBatches(tokenizer, part.words, tags, **options)

    train, validation = batches(data.train, shuffle=True), batches(data.validation)

    # Training
    keras.utils.set_random_seed(knobs.seed)
    model = create_tagger(knobs, tokenizer, data.tag_names)
    decoder = tagging_parts.decoder_of(model)
    factors = bert_parts.layer_factors(model, knobs.layer_decay, knobs.head_factor)
    optimizer = bert_parts.optimizer(knobs, knobs.epochs * len(train), factors)
    # Compiled by XLA, each of the many shapes would take longer to compile than to train.
    model.compile(optimizer, CRFLoss(), jit_compile=False)

    def score():
        tags = tagging_parts.tag(decoder, validation, data.validation, data.tag_names)
        return tagging_parts.score(data, data.validation, tags)

    resume = Resume(out / "checkpoint", "val_score", patience=knobs.patience)
    train.start_epoch(resume.restore(model))
    if not resume.finished:
        span = dict(epochs=knobs.epochs, initial_epoch=train.epoch)
        model.fit(train, callbacks=[Measure("val_score", score), resume], **span)
    resume.load_best(model)
    run_folder.save_model(decoder, out / "model.keras")

    # Measurement beside the floors, export, and the same measurement through each file alone
    predicted = tagging_parts.tag(decoder, batches(data.test), data.test, data.tag_names)
    options = dict(histories=[resume.history], tolerances=bert_parts.TOLERANCES)
    tagging_parts.finish(out, data, knobs, tokenizer, decoder, predicted, **options)


if __name__ == "__main__":
    command_line.run(sys.modules[__name__])
