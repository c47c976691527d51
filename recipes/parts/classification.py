"""What the recipes of classifiers share: the linear floor, the scores and the report."""

import warnings

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import (
    ConfusionMatrixDisplay,
    accuracy_score,
    classification_report,
    f1_score,
)
from sklearn.pipeline import make_pipeline

from kzoo.export import Export, Predictor, export_many
from kzoo.models import load_embeddings
from kzoo.recipes.parts import report, run_folder
from kzoo.recipes.parts.similar_lengths import map_batches
from kzoo.text import WordVectors

FLOOR_FEATURES = {
    "characters": {"analyzer": "char", "ngram_range": (1, 4)},
    "words": {"analyzer": "word", "ngram_range": (1, 2)},
}


def print_sizes(data):
    """Prints how many texts and classes there are."""
    sizes = f"{len(data.train)} training, {len(data.validation)} validation, {len(data.test)} test"
    print(f"{data.name}: {sizes} texts in {len(data.class_names)} classes")


def start_embedding(model, train, tokenizer, path=None):
    """Starts the embedding of a classifier where naive Bayes ends, see `NGramEmbedding.adapt`.

    Args:
        model: A model of `kzoo.models.text_classifier`.
        train: Its batches.
        tokenizer: Its tokenizer.
        path: A table of word vectors, see `kzoo.text.WordVectors.load`, for tokens that are words
            of it; None for no such start.
    """
    model.get_layer("embedding").adapt(train)
    if path is not None:
        vectors = WordVectors.load(path)
        count = load_embeddings(model, tokenizer.vocabulary, vectors, "embedding")
        print(f"{path}: vectors of {count:,} of {tokenizer.vocabulary_size:,} tokens")


def linear_floor(data, features):
    """Trains TF-IDF logistic regression on the same split and returns its test scores.

    Args:
        data: A `kzoo.data.TextClassification`.
        features: "characters" (n-grams of 1 to 4 characters) or "words" (of 1 and 2 words).

    Returns:
        What `scores` returns.
    """
    model = make_pipeline(
        TfidfVectorizer(**FLOOR_FEATURES[features], min_df=2, sublinear_tf=True, dtype=np.float32),
        LogisticRegression(C=4.0, max_iter=200),
    )
    model.fit(data.train.texts, data.train.labels)
    return scores(data.test.labels, model.predict_proba(data.test.texts), data.class_names)


def scores(labels, probabilities, class_names):
    """Returns accuracy, macro F1, and the F1 of the last class where there are two, in percent."""
    predicted = np.argmax(probabilities, axis=-1)
    result = {
        "accuracy": accuracy_score(labels, predicted),
        "macro F1": f1_score(labels, predicted, average="macro"),
    }
    if len(class_names) == 2:
        result[f"{class_names[1]} F1"] = f1_score(labels, predicted)
    return {name: f"{100 * value:.2f}" for name, value in result.items()}


def finish(
    out,
    data,
    knobs,
    tokenizer,
    model,
    probabilities,
    histories,
    inputs,
    sentences,
    tolerances=None,
):
    """Measures the model beside its floor, and exports, measures and reports its files.

    Args:
        out: The run folder.
        data: `kzoo.data.TextClassification`.
        knobs: Of the recipe.
        tokenizer: What makes the model's inputs of texts.
        model: The trained model.
        probabilities: What it gives for the test texts.
        histories: What the checkpoint of each member knows of each epoch.
        inputs: A batch to verify the files with.
        sentences: Texts that the last file classifies in the end.
        tolerances: Dict from precisions to what their probabilities may differ by, where that is
            not the default.
    """
    found = scores(data.test.labels, probabilities, data.class_names)
    floor = run_folder.cached(out / "floor.json", lambda: linear_floor(data, knobs.floor))
    keras_row = {"model": "Keras", **found, "parameters": f"{model.count_params():,}"}
    rows = [{"model": f"linear floor ({knobs.floor})", **floor}, keras_row]
    options = dict(tokenizer=tokenizer, labels=data.class_names, max_length=knobs.max_length)
    allowed = tolerances or {}
    exports = [
        Export(model, path, name, inputs=inputs, tolerance=allowed.get(name), **options)
        for name, path in run_folder.files(out).items()
    ]
    files = export_many(exports)
    rows += [measure_file(file, data) for file in files]
    write_report(out, data, knobs, rows, probabilities, histories, files)
    classify_sentences(out / "dynamic.tflite", sentences)


def measure_file(verification, data):
    """Scores a `.tflite` file on the test texts, through the file alone.

    Returns:
        The file's row of the table.
    """
    predictor = Predictor(verification.path)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".* sequences were cut", category=UserWarning)
        probabilities = np.stack(map_batches(predictor, data.test.texts))
    # All inputs of a model have the same number of tokens.
    length = next(iter(verification.latency_shapes.values()))[1]
    measured = scores(data.test.labels, probabilities, data.class_names)
    return report.file_row(verification, measured, f"latency, {length} tokens")


def write_report(out, data, knobs, rows, probabilities, histories, files):
    """Prints the table, and writes it, `report.md` and the two pictures into `out`."""
    operators = ", ".join(files[0].operators)
    report.print_table(f"{data.name}, test split", rows)
    print(f"Operators in the files: {operators}")
    report.plot_learning_curve(histories, ("loss", "accuracy"), out / "learning_curve.png")
    plot_confusion(data.test.labels, probabilities, data.class_names, out / "confusion.png")
    classes = classification_report(
        data.test.labels,
        np.argmax(probabilities, axis=-1),
        labels=range(len(data.class_names)),
        target_names=data.class_names,
        digits=4,
        zero_division=0,
    )
    epochs = [epoch for history in histories for epoch in history]
    minutes = sum(epoch["seconds"] for epoch in epochs) / 60
    text = f"""# {data.name}

{len(data.train)} training, {len(data.validation)} validation and {len(data.test)} test texts
({len(data.skipped)} rows of the files were skipped). Licence of the data: {data.licence}.
Training took {minutes:.1f} minutes over {len(epochs)} epochs of {len(histories)} member(s); the
weights are those of the epoch with the best validation score.

{report.markdown_table(rows)}

Latency is the median of one text at a time in LiteRT's Interpreter on one thread; the difference is
the largest between a probability of the file and of the Keras model.

Operators in the files: {operators}.

```
{classes}```

![Learning curve](learning_curve.png)

![Confusion matrix](confusion.png)

## Settings

{report.settings(knobs)}
"""
    run_folder.write_report(out, text, rows)
    print(f"The report, the pictures, the model and the files are in {out}")


def classify_sentences(path, sentences):
    """Prints what the `.tflite` file at `path`, and nothing else, makes of the sentences."""
    if sentences:
        for sentence, (label, probability) in zip(
            sentences, Predictor(path).classify(sentences), strict=True
        ):
            print(f"{path.name}: {label} ({probability:.2f})  {sentence}")


def plot_confusion(labels, probabilities, class_names, path):
    """Draws the confusion matrix: rows are the true classes, in fractions of the row."""
    from matplotlib import pyplot

    size = 3.5 + 0.5 * len(class_names)
    figure, axis = pyplot.subplots(figsize=(size, size), layout="constrained")
    ConfusionMatrixDisplay.from_predictions(
        labels,
        np.argmax(probabilities, axis=-1),
        labels=range(len(class_names)),
        display_labels=class_names,
        normalize="true",
        values_format=".3f",
        xticks_rotation="vertical" if len(class_names) > 3 else "horizontal",
        cmap="Blues",
        colorbar=False,
        ax=axis,
    )
    figure.savefig(path, dpi=120)
    pyplot.close(figure)
