"""Train a tagger of words or characters, measure it, and hand over verified `.tflite` files.

Without arguments it learns the parts of speech of the Korean sentences that come with kzoo. All it
writes is in the run folder; run the same command again after an interruption and it goes on there.
"""

import sys
from dataclasses import dataclass
from pathlib import Path

import keras

import kzoo
from kzoo.layers.ngram_hash import MULTIPLIERS
from kzoo.models import ensemble
from kzoo.recipes.parts import command_line, report, run_folder, tagging_parts
from kzoo.recipes.parts.generation import Measure
from kzoo.training import Resume


@dataclass
class Knobs:
    """What can be set from the command line."""

    dataset: str = "pos_ko"  # Data set, one of kzoo.data.list_tagging().
    data: Path | None = None  # Folder of the full data sets; the embedded ones need none.
    out: Path | None = None  # Run folder; by default runs/tagging/DATASET.
    model: str = "tagger_cnn_lstm_crf"  # Preset, or a word of its name, such as transformer.
    vocabulary_size: int = 50000  # Number of word ids at most.
    min_count: int = 2  # Words and characters that occur less often count as unknown.
    characters: bool = True  # Whether the characters of a word are read too.
    jamo: bool = False  # Whether Hangul syllables are read letter by letter.
    max_characters: int = 24  # Characters of a word; of longer ones the middle is left out.
    max_length: int = 512  # Words of a sentence that the model reads; the rest is cut.
    embedding_dim: int = 100  # Width of the embedding of a word.
    character_dim: int = 32  # Width of the embedding of a character.
    character_units: int = 128  # Width of the vector made of a word's characters.
    character_order: int = 5  # Longest n-gram of characters that is embedded too; 1 is none.
    character_ngram_dim: int = 16  # Width of the table of each of their orders.
    max_order: int = 1  # Longest n-gram of words that is embedded beside them; 1 is none.
    ngram_dim: int = 16  # Width of the table of each n-gram order.
    units: int = 200  # Width of a recurrent layer in each direction.
    num_layers: int = 1  # Number of recurrent layers.
    dropout: float = 0.5  # Fraction of features dropped before each layer.
    token_dropout: float = 0.2  # Fraction of words that training hides.
    epochs: int = 8  # Epochs at most.
    patience: int = 4  # Epochs without a better one before training stops.
    batch_size: int = 32  # Sentences in a batch.
    learning_rate: float = 2e-3  # At the start; it falls to zero along a cosine.
    weight_decay: float = 0.01  # Decoupled weight decay.
    members: int = 1  # Models from different seeds, whose mean is the tagger.
    seed: int = 1  # Of weights, batches and dropout.


_SYLLABLES = dict(jamo=True, max_order=3, max_characters=4, character_units=64)
# Where a data set asks for other settings than the defaults; the command line overrides both.
SETTINGS = {
    "pos_ko": dict(jamo=True, epochs=6),
    "pos_en": dict(epochs=5),
    "ner_en": dict(batch_size=16),
    "ner_ko": dict(**_SYLLABLES, batch_size=16, epochs=16),
    "ud_ko_gsd": dict(jamo=True, batch_size=8, epochs=6, members=2),
    "ud_en_ewt": dict(batch_size=16, epochs=5),
    "wnut17": dict(batch_size=16, epochs=8),
    "klue_ner": dict(**_SYLLABLES, batch_size=16, epochs=6),
}
MODELS = ("tagger*",)  # Shell patterns of the presets.


def train_member(knobs, index, tokenizer, data, train, tags, out):
    """Trains, or goes on training, one model; returns it with its best weights, and its history."""
    keras.utils.set_random_seed(knobs.seed + index)
    sizes = "embedding_dim character_dim character_units character_order character_ngram_dim"
    sizes += " units num_layers dropout token_dropout"
    model = kzoo.create_model(
        knobs.model,
        vocabulary_size=tokenizer.vocabulary_size,
        character_vocabulary_size=tokenizer.character_vocabulary_size,
        num_tags=len(data.tag_names),
        ngrams={
            "max_order": knobs.max_order,
            "ngram_dim": knobs.ngram_dim,
            "hash_seed": index % len(MULTIPLIERS),
        },
        name=f"member_{index}",
        **{name: getattr(knobs, name) for name in sizes.split()},
        **tagging_parts.constraints(knobs.model, data.tag_names),
    )
    decoder, train.seed = tagging_parts.decoder_of(model), knobs.seed + index
    steps = knobs.epochs * len(train)
    schedule = keras.optimizers.schedules.CosineDecay(knobs.learning_rate, steps)
    optimizer = keras.optimizers.AdamW(schedule, knobs.weight_decay)
    # Compiled by XLA, each of the many shapes would take longer to compile than to train.
    model.compile(optimizer, tagging_parts.loss(model), jit_compile=False)
    resume = Resume(out / "checkpoint" / model.name, "val_score", "max", knobs.patience)
    train.start_epoch(resume.restore(model))
    if not resume.finished:
        part = data.validation
        measure = Measure("val_score", lambda: tagging_parts.score(data, part, tags(decoder, part)))
        span = dict(epochs=knobs.epochs, initial_epoch=train.epoch)
        model.fit(train, callbacks=[measure, resume], **span)
    resume.load_best(model)
    return model, resume.history


def main(knobs):
    """Runs the recipe with these knobs."""
    # Data
    data = kzoo.data.load_tagging(knobs.dataset, knobs.data)
    out = run_folder.prepare(knobs, knobs.out or Path("runs/tagging", knobs.dataset))
    tagging_parts.print_sizes(data)
    tokenizer = run_folder.tokenizer(
        out / "tokenizer.json", lambda: tagging_parts.train_tokenizer(data, knobs)
    )

    def batches(part, **options):
        options = dict(batch_size=knobs.batch_size, max_length=knobs.max_length, **options)
        return tagging_parts.batches(tokenizer, part, data.tag_names, **options)

    def tags(decoder, part):
        return tagging_parts.tag(decoder, batches(part, shuffle=False), part, data.tag_names)

    report.print_cut(knobs.max_length, data.train.words)

    # Training, one member after the other
    arguments = tokenizer, data, batches(data.train), tags, out
    trained = [train_member(knobs, index, *arguments) for index in range(knobs.members)]
    members, histories = zip(*trained, strict=True)
    decoder = tagging_parts.decoder_of(ensemble(members))
    run_folder.save_model(decoder, out / "model.keras")

    # Measurement beside the floors, export, and the same measurement through each file alone
    predicted = tags(decoder, data.test)
    tagging_parts.finish(out, data, knobs, tokenizer, decoder, predicted, histories)


if __name__ == "__main__":
    command_line.run(sys.modules[__name__])
