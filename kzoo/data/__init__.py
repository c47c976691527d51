"""Real data sets: readers, splits, and two small ones that come with kzoo."""

from kzoo.data.rows import DataWarning
from kzoo.data.splits import hold_out
from kzoo.data.text_classification import (
    LabelledTexts,
    TextClassification,
    list_datasets,
    load_text_classification,
)

__all__ = [
    "DataWarning",
    "LabelledTexts",
    "TextClassification",
    "hold_out",
    "list_datasets",
    "load_text_classification",
]
