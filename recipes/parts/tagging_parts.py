"""What the recipe of taggers shares with its tests: ids, scores, files and the report."""

import keras
import numpy as np
from seqeval import metrics as entities
from sklearn.metrics import accuracy_score, classification_report, f1_score

from kzoo.export import Export, Predictor, export_many, export_saved_model
from kzoo.layers import bio_constraints
from kzoo.models import tag_decoder
from kzoo.recipes.parts import report, run_folder, tag_floors
from kzoo.recipes.parts.similar_lengths import map_batches
from kzoo.text import TaggingTokenizer
from kzoo.training import CRFLoss, TaggedBatches

SENTENCES = {
    "ko": ["서울에서 부산까지 두 시간 걸렸습니다.", "김철수 교수는 서울대학교에서 일한다."],
    "en": ["The old man doesn't fish any more.", "Empire State Building is in New York!"],
}
# The treebanks and the tweets of English part clitics from their word.
ENGLISH = ("ner_en", "pos_en", "ud_en_ewt", "wnut17")


def print_sizes(data):
    """Prints how many sentences and tags there are."""
    sizes = f"{len(data.train)} training, {len(data.validation)} validation, {len(data.test)} test"
    print(f"{data.name}: {sizes} sentences with {len(data.tag_names)} tags")


def train_tokenizer(data, knobs):
    """Returns the `kzoo.text.TaggingTokenizer` of a set, with the sizes of a recipe's knobs."""
    return TaggingTokenizer.train(
        data.train.words,
        knobs.vocabulary_size,
        knobs.min_count,
        knobs.characters,
        unit=data.unit,
        jamo=knobs.jamo,
        clitics=data.name in ENGLISH,
        max_characters=knobs.max_characters,
    )


def tag_ids(part, tag_names):
    """Returns the ids of the tags of `kzoo.data.TaggedSentences`."""
    ids = {tag: index for index, tag in enumerate(tag_names)}
    return [[ids[tag] for tag in row] for row in part.tags]


def batches(tokenizer, part, tag_names, **options):
    """Returns the `TaggedBatches` of `kzoo.data.TaggedSentences`."""
    words = [tokenizer.word_ids(row) for row in part.words]
    characters = None
    if tokenizer.characters is not None:
        characters = [tokenizer.character_ids(row) for row in part.words]
    return TaggedBatches(words, characters, tag_ids(part, tag_names), **options)


def loss(model):
    """Returns the loss of a tagger's head."""
    if len(model.output.shape) == 4:
        return CRFLoss()
    return keras.losses.SparseCategoricalCrossentropy(ignore_class=-1)


def constraints(name, tag_names):
    """Returns the argument of a preset that keeps entities in the scheme BIO, where it has one."""
    if name.endswith("crf") and has_entities(tag_names):
        return {"constraints": bio_constraints(tag_names)}
    return {}


def decoder_of(model):
    """Returns the `kzoo.models.tag_decoder`, without XLA, which would compile for every shape."""
    decoder = tag_decoder(model)
    decoder.jit_compile = False
    return decoder


def tag(decoder, data, part, tag_names):
    """Tags the sentences of batches that are not shuffled.

    Args:
        decoder: A model of `kzoo.models.tag_decoder`.
        data: `TaggedBatches`.
        part: The `kzoo.data.TaggedSentences` they were made of.
        tag_names: List of the tags.

    Returns:
        List of lists of tags. What lies beyond the longest length is tagged as the first tag.
    """
    found = [None] * len(part)
    for index, (_, rows) in enumerate(data.batches):
        tags = np.asarray(decoder.predict_on_batch(data[index][0])["tags"])
        for row, ids in zip(rows, tags, strict=True):
            length = len(part.words[row])
            ids = ids.tolist()[:length]
            found[row] = [tag_names[i] for i in ids + [0] * (length - len(ids))]
    return found


def has_entities(tag_names):
    """Whether the tags are those of spans, in the scheme BIO."""
    return "O" in tag_names


def scores(tags, predicted, unit="word"):
    """Scores tags, in percent.

    "entity F1" is that of seqeval: a span counts if its ends and its kind are right. "macro" is the
    mean over the kinds. The F1 of words, or characters, is the mean over all tags but O, as KLUE
    has it (Park et al. 2021, arXiv 2105.09680).

    Args:
        tags: List of lists of tags.
        predicted: The same, of the model.
        unit: What is tagged, "word" or "character".

    Returns:
        Dict from names to strings; the first one is what models are chosen by.

    Example:

    >>> scores([["O", "B-x", "I-x"]], [["O", "B-x", "O"]])["entity F1"]
    '0.00'
    >>> scores([["DET", "NOUN"]], [["DET", "VERB"]])["accuracy"]
    '50.00'
    """
    flat = [tag for row in tags for tag in row]
    guessed = [tag for row in predicted for tag in row]
    values = {"accuracy": accuracy_score(flat, guessed)}
    names = sorted(set(flat) | set(guessed))
    if has_entities(names):
        inside = [name for name in names if name != "O"]
        values = {
            "entity F1": entities.f1_score(tags, predicted, zero_division=0),
            "entity F1, macro": entities.f1_score(
                tags, predicted, average="macro", zero_division=0
            ),
            f"{unit} F1": f1_score(flat, guessed, labels=inside, average="macro", zero_division=0),
            **values,
        }
    return {name: f"{100 * value:.2f}" for name, value in values.items()}


def score(data, part, predicted):
    """Returns what models are chosen by, a number in percent."""
    return float(next(iter(scores(part.tags, predicted, data.unit).values())))


def floors(out, data):
    """Returns the rows of the most frequent tag and of logistic regression, kept in `out`."""
    rows = []
    for name, tagger in (
        ("most frequent tag", tag_floors.most_frequent_tags),
        ("logistic regression", tag_floors.linear_tags),
    ):
        found = run_folder.cached(
            out / f"floor_{name.replace(' ', '_')}.json",
            lambda tagger=tagger: scores(
                data.test.tags, tagger(data.train, data.test.words), data.unit
            ),
        )
        rows.append({"model": name, **found})
    return rows


def tag_table(tags, predicted):
    """Returns precision, recall and F1 of each tag, or of each kind of entity, as text."""
    if has_entities([tag for row in tags for tag in row]):
        return entities.classification_report(tags, predicted, digits=4, zero_division=0)
    flat = [tag for row in tags for tag in row]
    guessed = [tag for row in predicted for tag in row]
    return classification_report(flat, guessed, digits=4, zero_division=0)


def finish(out, data, knobs, tokenizer, decoder, predicted, histories, tolerances=None):
    """Measures the model beside its floors, and exports, measures and reports its files.

    Args:
        out: The run folder.
        data: `kzoo.data.TaggingData`.
        knobs: Of the recipe.
        tokenizer: What makes the model's inputs of sentences.
        decoder: A model of `kzoo.models.tag_decoder`.
        predicted: Its tags of the test sentences.
        histories: What the checkpoint of each member knows of each epoch.
        tolerances: Dict from precisions to what their probabilities may differ by, where that is
            not the default of `kzoo.export.verify`.
    """
    rows = floors(out, data)
    found = scores(data.test.tags, predicted, data.unit)
    rows.append({"model": "Keras", **found, "parameters": f"{decoder.count_params():,}"})
    options = dict(tokenizer=tokenizer, labels=data.tag_names, max_length=knobs.max_length)
    export_saved_model(decoder, out / "saved_model", **options)
    inputs = tokenizer(data.test.words[:8])
    allowed = tolerances or {}
    exports = [
        Export(decoder, path, name, inputs=inputs, tolerance=allowed.get(name), **options)
        for name, path in run_folder.files(out).items()
    ]
    files = export_many(exports)
    rows += [measure_file(file, data) for file in files]
    write_report(out, data, knobs, rows, predicted, histories, files)
    korean = data.name in ("klue_ner", "ner_ko", "pos_ko", "ud_ko_gsd")
    tag_sentences(out / "dynamic.tflite", SENTENCES["ko" if korean else "en"])


def measure_file(verification, data):
    """Scores a `.tflite` file on the test sentences, through the file alone.

    Returns:
        The file's row of the table.
    """
    predictor, words = Predictor(verification.path), data.test.words
    found = []
    for sentence, tagged in zip(words, map_batches(predictor.tag, words), strict=True):
        rest = len(sentence) - len(tagged)
        found.append([tag for _, tag, _ in tagged] + data.tag_names[:1] * rest)
    length = verification.latency_shapes["words"][1]
    measured = scores(data.test.tags, found, data.unit)
    return report.file_row(verification, measured, f"latency, {length} {data.unit}s")


def write_report(out, data, knobs, rows, predicted, histories, files):
    """Prints the table, and writes it, `report.md` and the learning curve into `out`."""
    operators = ", ".join(files[0].operators)
    report.print_table(f"{data.name}, test split", rows)
    print(f"Operators in the files: {operators}")
    report.plot_learning_curve(histories, ("loss", "score"), out / "learning_curve.png")
    epochs = [epoch for history in histories for epoch in history]
    minutes = sum(epoch["seconds"] for epoch in epochs) / 60
    text = f"""# {data.name}

{len(data.train)} training, {len(data.validation)} validation and {len(data.test)} test sentences
({len(data.skipped)} of the files were skipped). Licence of the data: {data.licence}. Training took
{minutes:.1f} minutes over {len(epochs)} epochs of {len(histories)} member(s); the weights are those
of the epoch with the best validation score, which is the first column of the table.

{report.markdown_table(rows)}

Latency is the median of one sentence at a time in LiteRT's Interpreter on one thread; the
difference is the largest between a probability of the file and of the Keras model, or the share of
other tags where that is larger.

Operators in the files: {operators}.

```
{tag_table(data.test.tags, predicted)}```

![Learning curve](learning_curve.png)

## Settings

{report.settings(knobs)}
"""
    run_folder.write_report(out, text, rows)
    print(f"The report, the picture, the model and the files are in {out}")


def tag_sentences(path, sentences):
    """Prints what the `.tflite` file at `path`, and nothing else, makes of the sentences."""
    for row in Predictor(path).tag(sentences):
        print(f"{path.name}:", *(f"{word}/{tag}" for word, tag, _ in row if not word.isspace()))
