"""Train a model that describes pictures, measure it, and hand over verified `.tflite` files.

Without arguments it learns to say which handwritten digits stand where, in scenes rendered from
the digits that come with kzoo. All it writes is in the run folder; run the same command again after
an interruption and it goes on where it stopped.
"""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import keras

import kzoo
from kzoo.export import export_seq2seq
from kzoo.recipes.parts import (
    caption_report,
    captioning_parts,
    command_line,
    generation,
    language_parts,
    run_folder,
)
from kzoo.text import Tokenizer, WordTokenizer
from kzoo.training import Resume


@dataclass
class Knobs:
    """What can be set from the command line."""

    dataset: Literal[tuple(kzoo.data.list_digits())] = "digits_1600"  # Digits in the scenes.
    data: Path | None = None  # Folder of the full data sets; the embedded one needs none.
    language: Literal[tuple(kzoo.data.list_languages())] = "en"  # Language of the captions.
    out: Path | None = None  # Run folder; by default runs/captioning/DATASET_LANGUAGE_MODEL.
    model: str = "captioner_show_attend_tell"  # Preset, or words of its name: show_and_tell.
    scenes: int = 3000  # Scenes of an epoch; every epoch has other ones.
    held_out: int = 500  # Scenes of the validation part, and of the test part.
    embedding_dim: int = 64  # Width of the embedding and of the attention layer.
    units: int = 128  # Width of the recurrent layer.
    dropout: float = 0.1  # Fraction of features dropped.
    label_smoothing: float = 0.0  # Probability of a target that is spread over all ids.
    # Share of the words read by the decoder in training that are the model's own predictions in
    # place of the true ones; it grows from 0 to this over the run.
    scheduled_sampling: float = 0.0
    epochs: int = 16  # Epochs at most.
    patience: int = 5  # Epochs without a lower validation perplexity before training stops.
    batch_size: int = 32  # Scenes in a batch.
    learning_rate: float = 4e-3  # The highest; it falls to zero along a cosine.
    warmup_steps: int = 50  # Batches over which the learning rate grows from zero.
    clip_norm: float = 1.0  # Largest norm of all gradients together.
    num_beams: int = 4  # Width of the beam.
    seed: int = 1  # Of scenes, weights, batches and dropout.


# Where a data set asks for other settings than the defaults; the command line overrides both.
SETTINGS = {"mnist_t10k": dict(scenes=8000, held_out=2000, epochs=12)}
MODELS = ("captioner*",)  # Shell patterns of the presets.
# Words of a caption at most, the end id counted.
MAX_LENGTH = 12


def main(knobs):
    """Runs the recipe with these knobs."""
    # Data
    name = f"{knobs.dataset}_{knobs.language}_{knobs.model}"
    digits = kzoo.data.load_digits(knobs.dataset, knobs.data)
    out = run_folder.prepare(knobs, knobs.out or Path("runs/captioning", name))
    render = digits, "train", knobs.scenes, knobs.language, knobs.seed
    tokenizer = run_folder.tokenizer(
        out / "tokenizer.json",
        lambda: WordTokenizer.train(kzoo.data.render_scenes(*render).captions, 100),
    )
    train, validation, test = (
        captioning_parts.SceneBatches(digits, part, count, tokenizer, knobs)
        for part, count in zip(digits.parts, (knobs.scenes, *2 * [knobs.held_out]), strict=True)
    )

    # Model
    keras.utils.set_random_seed(knobs.seed)
    sizes = {name: getattr(knobs, name) for name in ("embedding_dim", "units", "dropout")}
    model = kzoo.create_model(knobs.model, vocabulary_size=tokenizer.vocabulary_size, **sizes)
    training = generation.compile_model(model, knobs, knobs.epochs * len(train))

    # Training
    searches = {
        beams: generation.Search(model, MAX_LENGTH, beams) for beams in (1, knobs.num_beams)
    }

    def write(batches, beams=1):
        ids = searches[beams].predict(batches.scenes.pictures, batch_size=100, verbose=0)
        return [tokenizer.detokenize(row) for row in ids]

    def exact_match():
        return captioning_parts.exact_match(write(validation), validation.scenes.captions)

    resume = Resume(out / "checkpoint", "val_perplexity", "min", knobs.patience)
    train.start_epoch(resume.restore(training))
    if not resume.finished:
        callbacks = [
            generation.Measure("val_exact_match", exact_match),
            generation.Measure("cpu_seconds", language_parts.cpu_clock()),
            resume,
        ]
        options = dict(epochs=knobs.epochs, initial_epoch=train.epoch, callbacks=callbacks)
        training.fit(train, validation_data=validation, **options)
    resume.load_best(training)
    run_folder.save_model(model, out / "model.keras")

    # Measurement, beside captions that look at no digit
    train.start_epoch(0)
    rows = run_folder.cached(
        out / "floor.json", lambda: captioning_parts.floors(train.scenes, test.scenes)
    )
    size = {"parameters": f"{model.count_params():,}"}
    attends = model.get_layer("decoder").attends
    for beams in searches:
        scores = captioning_parts.scores(write(test, beams), test.scenes.captions)
        way = "greedy" if beams == 1 else f"beam {beams}"
        if attends and beams == 1:
            looked = captioning_parts.look(model, test.scenes.pictures, MAX_LENGTH)
            share = captioning_parts.share_of_peaks(*looked, tokenizer, test.scenes, knobs.language)
            scores["attention on the digit"] = f"{share:.2f}"
        rows.append({"model": f"Keras, {way}", **scores, **size})

    # Export, and the same measurement through each file alone
    files = export_seq2seq(
        model,
        run_folder.files(out),
        start_id=Tokenizer.start_id,
        end_id=Tokenizer.end_id,
        max_length=MAX_LENGTH,
        beam_size=knobs.num_beams,
        num_results=1,
        banned_ids=Tokenizer.unwritten_ids,
        alignments=attends,
        target_tokenizer=tokenizer,
        inputs=test.scenes.pictures[:100],
    )
    for file in files:
        rows += captioning_parts.measure(file, test.scenes, knobs.language)
    caption_report.write(out, digits, knobs, rows, test.scenes, files, resume.history)


if __name__ == "__main__":
    command_line.run(sys.modules[__name__])
