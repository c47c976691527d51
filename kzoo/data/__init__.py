"""Real data sets: readers, splits, and some small ones that come with kzoo."""

from kzoo.data.corpora import Corpus, list_corpora, load_corpus, read_corpus
from kzoo.data.dialogues import Dialogues, list_dialogues, load_dialogues
from kzoo.data.digit_strings import DigitLines, DigitStrings, SpokenStrings
from kzoo.data.digits import Digits, list_digits, load_digits
from kzoo.data.faults import Runs, list_faults, load_faults
from kzoo.data.files import DataWarning
from kzoo.data.melodies import load_melodies
from kzoo.data.names import load_names
from kzoo.data.numbers import Table, read_table
from kzoo.data.pairs import TextPairs
from kzoo.data.scenes import (
    Scenes,
    describe_scene,
    digit_names,
    list_languages,
    render_scenes,
)
from kzoo.data.sentences import TaggedSentences
from kzoo.data.series import Series, list_series, load_series, read_series
from kzoo.data.speech import SpokenDigits, list_speech, load_speech, read_wave
from kzoo.data.splits import hold_out
from kzoo.data.tagging import Tagging, list_tagging, load_tagging
from kzoo.data.text_classification import (
    LabelledTexts,
    TextClassification,
    list_datasets,
    load_text_classification,
)
from kzoo.data.translation import Translation, list_translations, load_translation
from kzoo.data.word_tests import list_word_tests, load_analogies, load_similarities

__all__ = [
    "Corpus",
    "DataWarning",
    "Dialogues",
    "DigitLines",
    "DigitStrings",
    "Digits",
    "LabelledTexts",
    "Runs",
    "Scenes",
    "Series",
    "SpokenDigits",
    "SpokenStrings",
    "Table",
    "TaggedSentences",
    "Tagging",
    "TextClassification",
    "TextPairs",
    "Translation",
    "describe_scene",
    "digit_names",
    "hold_out",
    "list_corpora",
    "list_datasets",
    "list_dialogues",
    "list_digits",
    "list_faults",
    "list_languages",
    "list_series",
    "list_speech",
    "list_tagging",
    "list_translations",
    "list_word_tests",
    "load_analogies",
    "load_corpus",
    "load_dialogues",
    "load_digits",
    "load_faults",
    "load_melodies",
    "load_names",
    "load_series",
    "load_similarities",
    "load_speech",
    "load_tagging",
    "load_text_classification",
    "load_translation",
    "read_corpus",
    "read_series",
    "read_table",
    "read_wave",
    "render_scenes",
]
