"""The files of word vectors: how exact they are, what they find, and the report of a run."""

import numpy as np
from sklearn.manifold import TSNE

from kzoo.export import NeighbourFinder, VerificationError
from kzoo.export.verification import TOLERANCE
from kzoo.recipes.parts import report, run_folder

# Sentences of a word and of some: what a file costs grows with the table, not with them.
LENGTHS = (1, 8)
# Two words that are as near as the precision can tell may change places, and after little training
# many are. So places are not compared, but how near the found words are: see `measure`.
TOLERANCES = {"neighbours": 1.0}
PROBES = 200
SHOWN = 8


def measure(verification, vectors, count):
    """Asks a file for the neighbours of frequent words.

    Returns:
        The file's row of the table: the share of the true `count` neighbours that it finds.

    Raises:
        VerificationError: if a word that it finds is less near, by the table, than the one whose
            place it takes, by more than the tolerance of the file's precision.
    """
    words = vectors.words[:PROBES]
    share, lost = compare(NeighbourFinder(verification.path), vectors, words, count)
    if not lost <= TOLERANCE[verification.precision]:
        raise VerificationError(
            f"{verification.path}: finds words less near than the nearest, by {lost:.2g}"
        )
    found = {"neighbours found": f"{100 * share:.1f} %"}
    return report.file_row(verification, found, "latency, 8 words")


def compare(finder, vectors, words, count):
    """Compares what a file finds with the nearest words of the table.

    Returns:
        `(share, lost)`: the share of the true neighbours that are found, and by how much the cosine
        of a found word falls short, at most, of that of the true neighbour in its place.
    """
    shares, lost = [], 0.0
    for word in words:
        expected, found = vectors.neighbours(word, count), finder(word, count)
        near = vectors.directions[[vectors.id(one) for one, _ in found]]
        cosines = np.sort(near @ vectors.directions[vectors.id(word)])[::-1]
        gaps = [cosine - own for (_, cosine), own in zip(expected, cosines, strict=False)]
        lost = max([lost, *map(float, gaps)])
        names = {one for one, _ in expected}
        shares.append(len(names & {one for one, _ in found}) / max(len(names), 1))
    return float(np.mean(shares)), lost


def neighbour_rows(words, tables):
    """Returns rows that show the neighbours of words by each of some tables of vectors.

    Args:
        words: List of words; those without a vector are left out.
        tables: Dict from a name to `kzoo.text.WordVectors`.
    """
    return [
        {
            "word": word,
            **{
                name: ", ".join(one for one, _ in vectors.neighbours(word, SHOWN))
                for name, vectors in tables.items()
            },
        }
        for word in words
        if all(word in vectors for vectors in tables.values())
    ]


def unseen_rows(path, words, vectors):
    """Returns rows of the neighbours, by a file alone, of words that training never saw."""
    finder = NeighbourFinder(path)
    unseen = [word + ending for word in words for ending in ("요", "ness") if word[-1:] > " "]
    unseen = [word for word in unseen if word not in vectors and _one_script(word)]
    return [
        {
            "unseen word": word,
            "neighbours": ", ".join(one for one, _ in finder(word, SHOWN)),
        }
        for word in unseen
    ]


def _one_script(word):
    return len({character < "가" for character in word}) == 1


def plot(vectors, path, count=150):
    """Draws the most frequent words in two dimensions, alike ones close to each other (t-SNE)."""
    from matplotlib import pyplot

    shown = min(count, len(vectors))
    points = TSNE(
        perplexity=min(12, max(shown // 4, 1)), metric="cosine", init="random", random_state=0
    ).fit_transform(vectors.directions[:shown])
    figure = pyplot.figure(figsize=(11, 9))
    axis = figure.add_axes((0.04, 0.04, 0.92, 0.92))
    axis.scatter(*points.T, s=0)
    for word, point in zip(vectors.words, points, strict=False):
        axis.text(*point, word, fontsize=9, ha="center", va="center")
    axis.set_axis_off()
    figure.savefig(path, dpi=110)
    pyplot.close(figure)


def write_report(out, data, knobs, rows, vectors, floor, history, files):
    """Prints the tables, and writes them, `report.md` and the pictures into `out`."""
    words = list(knobs.words) or vectors.words[50:300:40]
    near = neighbour_rows(words, {knobs.model: vectors, "TF-IDF and SVD": floor})
    report.print_table(f"{data.name}, {len(vectors):,} vectors", rows)
    report.print_table("Neighbours", near)
    notes = report.markdown_table(near) if near else "None of the words is in the text."
    if knobs.model == "fast_text":
        unseen = unseen_rows(files[0].path, words, vectors)
        report.print_table("Neighbours of words that are not in the text", unseen)
        notes += "\n\n" + (report.markdown_table(unseen) if unseen else "")
    report.plot_learning_curve([history], ("loss",), out / "learning_curve.png")
    plot(vectors, out / "words.png")
    minutes = sum(epoch["seconds"] for epoch in history) / 60
    text = f"""# {data.name}

Licence of the data: {data.licence}. Training took {minutes:.1f} minutes over {len(history)} epochs.

{report.markdown_table(rows)}

Of the {PROBES} most frequent words, "neighbours found" is the share of the {knobs.count} nearest
that the file names too. Latency is the median in LiteRT's Interpreter on one thread.

Operators in the files: {", ".join(files[0].operators)}.

## Neighbours

{notes}

![Words](words.png)

![Learning curve](learning_curve.png)

## Settings

{report.settings(knobs)}
"""
    run_folder.write_report(out, text, rows)
    print(f"The report, the pictures, the tables, the model and the files are in {out}")
