"""What the recipe of recognition shares with its tests: strings, scores, floor and files."""

from typing import NamedTuple

import jiwer
import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import kzoo
from kzoo.data import DigitLines, SpokenDigits, SpokenStrings
from kzoo.data.speech import SAMPLING_RATE
from kzoo.export import RecognitionPredictor
from kzoo.layers import LogMel
from kzoo.models import ctc_decoder
from kzoo.recipes.parts import report
from kzoo.recipes.parts.similar_lengths import map_batches
from kzoo.training import StringBatches, pad_strings

WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
HOP = 128
# Spectra of a recording, for the floor.
FLOOR_STEPS = 16


class Test(NamedTuple):
    """What is tested on.

    Attributes:
        strings: List of pictures or recordings of strings.
        digits: The digits of each, from 0.
        singles: List of pictures or recordings of each digit of the test by itself.
        labels: The digit of each.
    """

    strings: list
    digits: list
    singles: list
    labels: list


def load(knobs):
    """Loads the set that the knobs name, and prints how large it is."""
    is_speech = knobs.dataset in kzoo.data.list_speech()
    reader = kzoo.data.load_speech if is_speech else kzoo.data.load_digits
    data = reader(knobs.dataset, knobs.data)
    sizes = ", ".join(f"{len(rows)} {part}" for part, rows in data.parts.items())
    print(f"{data.name}: {sizes} digits, in strings of 1 to {knobs.max_length}")
    return data


def is_speech(data):
    """Whether strings are heard."""
    return isinstance(data, SpokenDigits)


def strings_of(data, part, count, max_length=8, seed=0, vary=False):
    """Returns the `kzoo.data.DigitStrings` of a part."""
    make = SpokenStrings if is_speech(data) else DigitLines
    return make(data, part, count, max_length=max_length, seed=seed, vary=vary)


def sizes(knobs, preset):
    """Returns the sizes that a preset takes from the knobs; the causal one has its own."""
    if preset == knobs.stream:
        return {}
    names = ("filters", "units", "num_layers")
    return {name: getattr(knobs, name) for name in names}


def batches(model, data, part, knobs):
    """Returns the `StringBatches` of a part, shuffled and varied for training."""
    train = part == "train"
    count = knobs.strings if train else knobs.test_strings
    strings = strings_of(data, part, count, knobs.max_length, knobs.seed, vary=train)
    hop = HOP if is_speech(data) else None
    lengths = len(model.inputs) > 1
    return StringBatches(strings, knobs.batch_size, hop, lengths, shuffle=train, seed=knobs.seed)


def test(data, knobs):
    """Returns the `Test`: strings of test digits, and each test digit by itself."""
    strings = strings_of(data, "test", knobs.test_strings, knobs.max_length, seed=1000)
    drawn = [strings.draw(row) for row in range(len(strings))]
    rows = data.parts["test"].tolist()
    singles = [strings.compose([row], np.random.default_rng(row)) for row in rows]
    labels = data.labels[rows].tolist()
    return Test([x for x, _ in drawn], [y.tolist() for _, y in drawn], singles, labels)


def pad(model, parts):
    """Returns pictures or recordings as the inputs of a model."""
    inputs = pad_strings(parts, HOP if parts[0].ndim == 1 else None)
    return inputs if len(model.inputs) > 1 else inputs["samples"]


def decoder_of(model):
    """Returns the `kzoo.models.ctc_decoder`, without XLA, which would compile for every shape."""
    decoder = ctc_decoder(model)
    decoder.jit_compile = False
    return decoder


def digits_of(ids):
    """Returns the digits of ids, without what pads them: a list for each row."""
    return [[int(i) - 1 for i in row if i] for row in np.asarray(ids)]


def text(data, digits):
    """Writes digits: words where they are heard, figures where they are read.

    Example:

    >>> text(kzoo.data.load_digits(), [3, 0]), text(kzoo.data.load_speech(), [3, 0])
    ('30', 'three zero')
    """
    if is_speech(data):
        return " ".join(WORDS[digit] for digit in digits)
    return "".join(map(str, digits))


def error_rates(data, digits, found):
    """Returns the error rates of strings, in percent, by jiwer.

    A word is a spoken digit, or a whole line; a character a letter of the spoken words, or a
    written digit.

    Args:
        data: The set, which says how strings are written.
        digits: List of lists of digits.
        found: The same, of the model.

    Example:

    >>> error_rates(kzoo.data.load_digits(), [[1, 2, 3], [4]], [[1, 2], [4]])
    {'character errors': '25.00', 'word errors': '50.00'}
    """
    references = [text(data, row) for row in digits]
    hypotheses = [text(data, row) for row in found]
    return {
        "character errors": f"{100 * jiwer.cer(references, hypotheses):.2f}",
        "word errors": f"{100 * jiwer.wer(references, hypotheses):.2f}",
    }


def errors(decoder, data):
    """Returns the rate of wrong digits in batches, in percent: what models are chosen by."""
    references, hypotheses = [], []
    for index in range(len(data)):
        inputs, ids = data[index]
        found = decoder.predict_on_batch(inputs)["ids"]
        # A digit is a word to jiwer, whether it is read or heard.
        references += [" ".join(map(str, row)) for row in digits_of(ids)]
        hypotheses += [" ".join(map(str, row)) for row in digits_of(found)]
    return 100 * jiwer.wer(references, hypotheses)


def scores(data, test, strings, singles):
    """Scores what was found in the strings of a test and in its single digits, lists of digits."""
    right = [found == [label] for found, label in zip(singles, test.labels, strict=True)]
    accuracy = f"{100 * np.mean(right):.2f}"
    return {**error_rates(data, test.digits, strings), "single digits": accuracy}


def measure_model(decoder, model, data, test, batch_size=50):
    """Scores a Keras model of `kzoo.models.ctc_decoder`."""
    decoder.jit_compile = False

    def find(parts):
        return digits_of(decoder.predict_on_batch(pad(model, parts))["ids"])

    strings, singles = (
        map_batches(find, parts, batch_size, np.size) for parts in (test.strings, test.singles)
    )
    return scores(data, test, strings, singles)


def details(data):
    """Returns what a client must know to write down what a file finds."""
    return {
        "symbols": list(WORDS) if is_speech(data) else [str(digit) for digit in range(10)],
        "separator": " " if is_speech(data) else "",
        "sampling_rate": SAMPLING_RATE if is_speech(data) else None,
    }


def measure_file(verification, data, test):
    """Scores a `.tflite` file, through the file alone; returns its row of the table."""
    predictor = RecognitionPredictor(verification.path)
    symbols = {symbol: index for index, symbol in enumerate(predictor.details["symbols"])}

    def read(parts):
        split = str.split if is_speech(data) else list
        return [[symbols[s] for s in split(string)] for string, _ in predictor(parts)]

    name = "samples" if is_speech(data) else "pictures"
    size = "x".join(map(str, verification.latency_shapes[name][1:]))
    measured = scores(data, test, read(test.strings), read(test.singles))
    return report.file_row(verification, measured, f"latency, {size}")


def floor(data):
    """Returns the row of logistic regression that is shown each digit by itself.

    Of recordings it reads the logarithms of the mel spectra, stretched to equally many steps.
    """

    def read(rows):
        if not is_speech(data):
            return data.images[rows].reshape(len(rows), -1) / 255
        return np.stack([_spectrum(data.samples[row]).ravel() for row in rows])

    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=300))
    model.fit(read(data.parts["train"]), data.labels[data.parts["train"]])
    rows = data.parts["test"]
    accuracy = np.mean(model.predict(read(rows)) == data.labels[rows])
    # Of strings it can say nothing.
    rates = {"character errors": "", "word errors": "", "single digits": f"{100 * accuracy:.2f}"}
    return {"model": "linear floor, of digits cut out", **rates}


def _spectrum(samples):
    """The spectrum of a recording at `FLOOR_STEPS` moments, evenly spread."""
    hops = np.pad(samples, [0, -len(samples) % HOP]).reshape(1, -1, HOP)
    spectrum = np.asarray(LogMel(sequence_stride=HOP)(hops))[0]
    moments = np.linspace(0, len(spectrum) - 1, FLOOR_STEPS)
    low = np.minimum(moments.astype(int), len(spectrum) - 2) if len(spectrum) > 1 else 0
    share = (moments - low)[:, None]
    return (1 - share) * spectrum[low] + share * spectrum[np.minimum(low + 1, len(spectrum) - 1)]
