"""What the recipe of captions is made of: batches of scenes, scores, floors, what was looked at."""

import statistics
import time

import keras
import numpy as np
from keras import ops
from sklearn.neighbors import NearestNeighbors

import kzoo
from kzoo.data.scenes import DIGIT_SIZE
from kzoo.decoding import greedy
from kzoo.export import CaptionPredictor
from kzoo.export.caption import to_grids
from kzoo.models import Seq2SeqSteps
from kzoo.recipes.parts import measures
from kzoo.text import Tokenizer
from kzoo.training.planned import pad
from kzoo.training.prepared import PreparedBatches


class SceneBatches(PreparedBatches):
    """A data set for `fit` and `evaluate` of scenes with their captions, for teacher forcing.

    A batch is `(inputs, labels, weights)`, as that of `kzoo.training.PairBatches`. Every epoch of
    training renders other scenes, which depend on the seed and the epoch alone.

    Args:
        digits: `kzoo.data.Digits`.
        part: Part of the digits.
        count: Number of scenes in an epoch.
        tokenizer: Tokenizer of captions.
        knobs: Settings with `language`, `batch_size` and `seed`.
    """

    def __init__(self, digits, part, count, tokenizer, knobs):
        super().__init__()
        self.digits = digits
        self.part = part
        self.count = count
        self.tokenizer = tokenizer
        self.knobs = knobs
        self.start_epoch(0)

    def start_epoch(self, epoch):
        """Renders the scenes of an epoch."""
        self.epoch = epoch
        knobs, tokenizer = self.knobs, self.tokenizer
        seed = [knobs.seed, list(self.digits.parts).index(self.part), epoch]
        self.scenes = kzoo.data.render_scenes(
            self.digits, self.part, self.count, knobs.language, seed
        )
        ids = [tokenizer.tokenize(caption) for caption in self.scenes.captions]
        length = 1 + max(map(len, ids))
        self.inputs = pad([[tokenizer.start_id, *row] for row in ids], length)
        self.labels = pad([[*row, tokenizer.end_id] for row in ids], length)

    def on_epoch_end(self):
        """Renders the next epoch; validation and test stay as they are."""
        if self.part == "train":
            self.start_epoch(self.epoch + 1)

    def __len__(self):
        """Returns the number of batches."""
        return -(-self.count // self.knobs.batch_size)

    def __getitem__(self, index):
        """Returns `(inputs, labels, weights)` of a batch."""
        size = self.knobs.batch_size
        rows = slice(index * size, (index + 1) * size)
        inputs = {"pictures": self.scenes.pictures[rows], "target_ids": self.inputs[rows]}
        labels = self.labels[rows]
        return inputs, labels, (labels != 0).astype("float32")


def exact_match(captions, references):
    """Returns the share of captions that are the reference, in percent.

    Example:

    >>> exact_match(["one above two", "two"], ["one above two", "one"])
    50.0
    """
    return 100 * float(np.mean([c == r for c, r in zip(captions, references, strict=True)]))


def scores(captions, references):
    """Returns the exact match and sacreBLEU's BLEU of captions, both in percent, as strings."""
    return {
        "exact match": f"{exact_match(captions, references):.2f}",
        "BLEU": f"{measures.bleu(captions, references):.2f}",
    }


def floors(train, test):
    """Returns rows of captions that look at no digit: the most frequent, and the nearest scene's.

    Args:
        train: `kzoo.data.Scenes` to know captions from.
        test: `kzoo.data.Scenes` to describe.
    """
    frequent = statistics.mode(train.captions)
    # Pixels of half the size differ less where a stroke is shifted a little.
    known, asked = (
        scenes.pictures.reshape(len(scenes), 32, 2, 32, 2).mean(axis=(2, 4)).reshape(-1, 1024)
        for scenes in (train, test)
    )
    nearest = NearestNeighbors(n_neighbors=1).fit(known).kneighbors(asked)[1][:, 0]
    written = {
        "most frequent caption": [frequent] * len(test),
        "caption of the nearest of an epoch's scenes": [train.captions[row] for row in nearest],
    }
    return [{"model": name, **scores(x, test.captions)} for name, x in written.items()]


class Look(keras.Model):
    """Greedy search with its alignments; `predict` compiles it.

    Args:
        model: A model of `kzoo.models.captioner` with attention.
        max_length: Words after which a caption ends, the end id counted.
    """

    def __init__(self, model, max_length):
        super().__init__()
        self.steps = Seq2SeqSteps(model)
        self.max_length = max_length

    def call(self, pictures):
        """Returns `(ids, alignments)` of a batch."""
        state, mask = self.steps.begin(pictures)
        start_ids = ops.full((ops.shape(pictures)[0],), Tokenizer.start_id, "int32")
        arguments = self.steps.attend, state, start_ids, Tokenizer.end_id, self.max_length
        decoded = greedy(*arguments, banned_ids=Tokenizer.unwritten_ids, source_mask=mask)
        return decoded.ids, decoded.alignments


def look(model, pictures, max_length):
    """Describes pictures greedily.

    Returns:
        `(ids, grids)`: int32 `(count, max_length)`, and float32 `(count, max_length, rows,
        columns)`, how much each place of a picture was attended to.
    """
    ids, alignments = Look(model, max_length).predict(pictures, batch_size=100, verbose=0)
    return ids, to_grids(alignments, pictures.shape[1:])


def share_of_peaks(ids, grids, tokenizer, scenes, language):
    """Returns for how many words of digits attention is highest on that very digit, in percent.

    The n-th word of a digit in a caption names the n-th digit of the reference: attention is on it
    if the middle of the place with the highest weight is within the 20 pixels around it. A word
    that the reference has and the caption lacks counts as a miss, and one too many as well.

    Args:
        ids: `(count, time)`.
        grids: `(count, time, rows, columns)`.
        tokenizer: Tokenizer of captions.
        scenes: `kzoo.data.Scenes`.
        language: Language of the captions.
    """
    words = digit_words(tokenizer, language)
    cell = np.array(scenes.pictures.shape[1:3]) / grids.shape[2:]
    hits = count = 0
    for row, grid, boxes in zip(ids, grids, scenes.boxes, strict=True):
        (times,) = np.nonzero(np.isin(row, words))
        boxes = boxes[boxes[:, 0] >= 0]
        count += max(len(times), len(boxes))
        for time_step, box in zip(times, boxes, strict=False):
            peak = np.unravel_index(grid[time_step].argmax(), grid.shape[1:])
            inside = (np.array(peak) + 0.5) * cell - box
            hits += ((inside >= 0) & (inside < DIGIT_SIZE)).all()
    return 100 * hits / count


def digit_words(tokenizer, language):
    """Returns the ids of the words that name a digit; Korean ones have a particle."""
    names = kzoo.data.digit_names(language)
    stems = [(name, name + "은", name + "는", name + "의") for name in names]
    known = {form for forms in stems for form in forms}
    return [id for id, word in enumerate(tokenizer.vocabulary) if word in known]


def measure(file, scenes, language):
    """Describes scenes with a file alone, one picture at a time, greedily and by beam search.

    Args:
        file: `kzoo.export.Verification`.
        scenes: `kzoo.data.Scenes`.
        language: Language of the captions.

    Returns:
        Rows of the table.
    """
    predictor, rows = CaptionPredictor(file.path), []
    settings = predictor.manifest["seq2seq"]
    for way, beam in (("greedy", False), (f"beam {settings['beam_size']}", True)):
        outputs, times = [], []
        for picture in scenes.pictures:
            start = time.perf_counter()
            outputs.append(predictor.search(picture[None], beam))
            times.append(1e3 * (time.perf_counter() - start))
        found = {name: np.concatenate([x[name] for x in outputs]) for name in outputs[0]}
        ids = found["ids"][:, 0] if beam else found["ids"]
        tokenizer = predictor.target_tokenizer
        captions = [tokenizer.detokenize(row) for row in ids]
        row = {"model": f"{file.path.name}, {way}", **scores(captions, scenes.captions)}
        if "alignments" in found and not beam:
            grids = to_grids(found["alignments"], predictor.picture_shape)
            share = share_of_peaks(ids, grids, tokenizer, scenes, language)
            row["attention on the digit"] = f"{share:.2f}"
        row |= {
            "size": f"{file.size_bytes / 1e6:.2f} MB",
            "latency": f"{statistics.median(times):.1f} ms",
        }
        rows.append(row)
    return rows
